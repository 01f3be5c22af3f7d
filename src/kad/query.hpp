#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/config.hpp>
#include <ggen/p2p/kad/lookup.hpp>
#include <ggen/p2p/kad/output.hpp>

#include "announcements.hpp"
#include "early_placement.hpp"
#include "own_record.hpp"
#include "placement.hpp"
#include "provider_search.hpp"
#include "value_search.hpp"
#include "widening.hpp"

namespace ggen::p2p::kad {

/// A lookup and what it is for. Says whom to send which message and is told what came of it.
class Query {
 public:
  // What a query is for.
  struct Closest {};
  struct FindPeer {
    multiformats::PeerId peer;
    bool reached = false;
  };
  /// Finds the nearest peers and gives them `message`.
  struct Place {
    Message message;
  };
  using Goal = std::variant<Closest, FindPeer, ValueSearch, ProviderSearch, Place>;

  Query(const QueryConfig& config, const multiformats::PeerId& local, base::Bytes key, Goal goal,
        base::Instant now)
      : config_(config),
        local_(local),
        key_(std::move(key)),
        lookup_(config.lookup, Key::of(key_), local),
        goal_(std::move(goal)),
        started_(now) {}

  /// A query without events of its own.
  bool background = false;
  /// It became one when its caller had what it waited for.
  bool released = false;
  /// Nobody could know its key before.
  bool random_key = false;
  /// The region that it explores.
  std::optional<RegionId> explores;
  /// The own record that it publishes.
  std::optional<OwnRecord> publishes;

  /// The goal's message is given to peers as soon as they are heard of that are near enough in a
  /// network of this size. Before anybody is heard of.
  void place_early(double network_size) {
    early_.emplace(lookup_.target(), local_, config_.lookup.k, network_size);
  }
  void hear(std::span<const PeerRecord> peers) {
    lookup_.hear(peers);
    if (early_) early_->hear(peers);
  }
  /// Goes straight to giving the goal's message to `targets`.
  void place_at(std::vector<PeerRecord> targets) {
    placement_.emplace(std::move(targets), config_.lookup.alpha);
  }

  struct Ask {
    PeerRecord peer;
    Message message;
  };
  [[nodiscard]] std::optional<Ask> next();

  /// What an answer brought, beside the peers to ask next.
  struct Yield {
    std::vector<PeerRecord> providers;  ///< not known before
    std::vector<PeerRecord> addresses;  ///< further ones of providers that were
    bool value = false;
    bool malformed = false;
  };
  /// What was asked before the record was given to anybody is ignored once it is.
  Yield answered(const multiformats::PeerId& peer, const Message& answer);
  void failed(const multiformats::PeerId& peer, MessageType asked, RequestError error);
  void slow(const multiformats::PeerId& peer);

  /// The lookup has ended, and all that it found may be peers that have settled around its key:
  /// true when there is more to ask (Widening).
  bool look_further(State& state, base::Instant now);
  /// Ends the lookup with what it has found, where something is to be done with that. False when
  /// that is under way already, or there is nothing to do.
  bool stop_looking();
  [[nodiscard]] bool finished() const;
  /// Whoever waits for it need not wait for the rest.
  [[nodiscard]] bool placed_early() const { return early_ && early_->enough(); }
  [[nodiscard]] QueryResult result() const;
  [[nodiscard]] QueryStats stats(bool timed_out, base::Instant now) const;

  [[nodiscard]] Goal& goal() noexcept { return goal_; }
  [[nodiscard]] bool placing() const noexcept { return placement_.has_value(); }
  [[nodiscard]] const Lookup& lookup() const noexcept { return lookup_; }

 private:
  [[nodiscard]] bool enough() const;
  [[nodiscard]] Message question() const;
  /// The lookup that is under way.
  [[nodiscard]] Lookup& current() { return widening_.aside() ? *widening_.aside() : lookup_; }

  QueryConfig config_;
  multiformats::PeerId local_;
  base::Bytes key_;
  Lookup lookup_;
  Goal goal_;
  Widening widening_;
  std::optional<EarlyPlacement> early_;
  std::optional<Placement> placement_;
  base::Instant started_;
};

}  // namespace ggen::p2p::kad
