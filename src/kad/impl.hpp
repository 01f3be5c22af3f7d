#pragma once

#include <cstddef>
#include <optional>
#include <set>

#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/kad/engine.hpp>

#include "announcements.hpp"
#include "maintenance.hpp"
#include "query.hpp"
#include "requests.hpp"
#include "server.hpp"
#include "state.hpp"
#include "sweep.hpp"

namespace ggen::p2p::kad {

/// Wires queries to requests, answers to the table, and maintenance to queries.
class Engine::Impl {
 public:
  Impl(const Config& config, const multiformats::PeerId& local, base::Prng prng,
       base::WallTime wall_at_zero)
      : state(config, local, prng, wall_at_zero),
        requests(state.config, state.outputs),
        announcements(state),
        server(state),
        maintenance(state),
        sweep(state) {}

  State state;
  Requests requests;
  Announcements announcements;
  Server server;
  Maintenance maintenance;
  Sweep sweep;

  void peer_identified(const multiformats::PeerId& peer, ConnectedPeer known, base::Instant now);

  [[nodiscard]] Query make_query(base::BytesView key, Query::Goal goal, base::Instant now) const;
  /// Lets a query begin at the nearest peers of the table.
  QueryId start(Query query, base::Instant now);
  QueryId start_publishing(const OwnRecord& record, bool background, base::Instant now);
  void cancel(QueryId id);

  /// Deals with what the last input has set off. The end of every call that takes the time.
  void settle(base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  void advance(QueryId id, base::Instant now);
  void release_caller(QueryId id, base::Instant now);
  void finish(QueryId id, bool timed_out, base::Instant now);
  void published(const OwnRecord& record, const result::Placed& placed, base::Instant now);
  void forget(QueryId id);
  void correct(const ValueSearch& search, const Lookup& lookup, base::Instant now);
  void report(QueryId id, const Query& query, const Requests::Done& done,
              const Query::Yield& yield);
  void learn(const PeerRecord& peer);
  [[nodiscard]] Message place_message(const OwnRecord& record, base::Instant now) const;

  void on_done(const Requests::Done& done, base::Instant now);
  void on_slow(const Requests::Slow& slow, base::Instant now);
  void judge_peer(const Requests::Done& done, std::optional<RequestError> error, base::Instant now);
  void add_to_table(const multiformats::PeerId& peer, const ConnectedPeer& known,
                    base::Instant now);
  void check_longest_silent(const Key& key, base::Instant now);
  void run_maintenance(base::Instant now);
  void run(const Maintenance::Job& job, base::Instant now);
  void run(Sweep::Job job, base::Instant now);
  void on_announced(const Announcements::Done& done, base::Instant now);
  void tell_of_provided(base::Instant now);

  base::SlotMap<Query, QueryTag> queries_;
  base::TimerHeap<QueryId> query_timers_;
  std::size_t background_ = 0;
  std::set<multiformats::PeerId> checking_;  // asked for a sign of life
};

}  // namespace ggen::p2p::kad
