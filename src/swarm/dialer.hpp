#pragma once

#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

#include "address_book.hpp"
#include "backoff.hpp"
#include "connection_table.hpp"
#include "dial_plan.hpp"
#include "dial_target.hpp"
#include "history_log.hpp"
#include "outbox.hpp"
#include "own_addresses.hpp"
#include "trimmer.hpp"

namespace ggen::p2p::swarm {

/// Carries out requests to be connected. Requests for the same peer share one job, which resolves
/// names, starts attempts one after another and ends with the first connection that is secured, or
/// with the reason for each address.
class Dialer {
 public:
  /// What it looks at and writes to; all outlive it.
  struct World {
    const Config& config;
    const multiformats::PeerId& self;
    AddressBook& book;
    ConnectionTable& connections;
    Trimmer& trimmer;
    const OwnAddresses& own;
    HistoryLog& history;
    Outbox& outbox;
  };
  Dialer(const World& world, const base::Prng& prng);

  DialId dial(DialRequest request, base::Instant now);
  void cancel(DialId dial, base::Instant now);

  void resolved(ResolveId id, std::expected<std::vector<IpAddress>, ResolveError> result,
                base::Instant now);
  void resolved_text(ResolveId id, std::expected<std::vector<std::string>, ResolveError> result,
                     base::Instant now);
  std::optional<connection::ConnectionId> dialed(AttemptId attempt_id,
                                                 std::expected<Endpoints, DialError> result,
                                                 base::Instant now);

  /// A connection, made by this node or not, was secured and admitted.
  void secured(const ConnectionRecord& record, base::Instant now);
  /// A connection has failed or was refused before that.
  void lost(connection::ConnectionId id, AddressFailureReason reason, base::Instant now);
  /// Ends what the access lists no longer admit.
  void enforce_access(base::Instant now);
  /// Goes on with what waited for something that may have become free.
  void pump(base::Instant now);
  void stop(base::Instant now);

  [[nodiscard]] std::size_t attempts() const { return attempts_.size(); }
  /// Whether a dial waits for a connection to become free.
  [[nodiscard]] bool waits_for_place() const { return place_look_.has_value(); }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const {
    return base::earlier(place_look_,
                         base::earlier(job_timers_.earliest(), attempt_timers_.earliest()));
  }

 private:
  struct JobTag;
  using JobId = base::Id<JobTag>;

  /// A name that stands between a dial and addresses.
  struct Lookup {
    multiformats::Multiaddr address;
    DialTarget target;
    std::optional<multiformats::PeerId> expected;
    unsigned depth = 0;
  };
  struct Job {
    Job(const DialRequest& request, base::Instant now, const Config::Dialing& config)
        : peer(request.peer),
          purpose(request.purpose),
          force(request.force),
          started(now),
          plan(config) {}

    std::optional<multiformats::PeerId> peer;
    Purpose purpose;
    bool force;
    base::Instant started;
    std::optional<base::Instant> last_attempt;
    DialPlan plan;
    std::vector<DialId> requests;
    std::vector<Lookup> lookups;  // not begun, the first comes next
    std::size_t lookups_seen = 0;
    std::vector<ResolveId> resolving;
    std::vector<AttemptId> attempts;
    std::vector<connection::ConnectionId> half_open;
    bool waits_for_attempt = false;
    bool waits_for_lookup = false;

    [[nodiscard]] std::size_t under_way() const { return attempts.size() + half_open.size(); }
    [[nodiscard]] bool exhausted() const {
      return under_way() == 0 && lookups.empty() && resolving.empty() && !plan.next_start();
    }
  };
  struct Attempt {
    JobId job;
    Candidate candidate;
  };
  struct Resolving {
    JobId job;  // may be dead: the driver answers all the same, and until then it is counted
    Lookup lookup;
  };

  // Requests and ends (dialer.cpp).
  DialId answer(std::expected<connection::ConnectionId, DialFailure> result);
  std::optional<DialFailure> objection(const DialRequest& request, base::Instant now) const;
  JobId open_job(const DialRequest& request, base::Instant now);
  void succeed(JobId id, const ConnectionRecord& winner);
  void fail(JobId id, DialFailureKind kind, base::Instant now);
  void fail_at_deadline(JobId id, base::Instant now);
  /// Ends all that a job has begun, and the job. `half_open` says why its half-open connections are
  /// closed; without, they live on.
  void dissolve(JobId id, std::optional<LocalClose> half_open);

  // Names (dialer_names.cpp).
  void start_lookups(JobId id, Job& job);
  /// What was asked, and for whom; nothing when nobody waits for it any longer.
  struct Answered {
    JobId job_id;
    Job& job;
    Lookup lookup;
  };
  std::optional<Answered> end_lookup(ResolveId id);
  void lookup_done(const Answered& answered, std::optional<ResolveError> error,
                   const std::vector<multiformats::Multiaddr>& addresses, base::Instant now);

  // Attempts (dialer_attempts.cpp).
  /// Plans what to do with an address. False when it was not new, or one too many.
  bool consider(Job& job, const multiformats::Multiaddr& address, unsigned depth);
  void offer(Job& job, const IpEndpoint& endpoint,
             const std::optional<multiformats::PeerId>& expected);
  /// What the access lists have against an address.
  std::optional<NotTried> refusal(const Candidate& candidate) const;
  std::optional<NotTried> obstacle(const Job& job, const Candidate& candidate,
                                   base::Instant now) const;
  /// After new addresses: ranks them among the others and goes on.
  void replan(JobId id, base::Instant now);
  void advance(JobId id, base::Instant now);
  void start_attempts(JobId id, Job& job, base::Instant now);
  [[nodiscard]] bool no_connection_free() const;
  /// Whether one more attempt may start now, for which an unused connection may be closed.
  [[nodiscard]] bool free_attempt(base::Instant now);
  void attempt_failed(AttemptId id, AddressFailureReason reason, base::Instant now);
  void address_failed(JobId id, const Candidate& candidate, AddressFailureReason reason,
                      base::Instant now);

  World world_;
  const Config::Dialing& config_;
  bool stopping_ = false;
  base::SlotMap<Job, JobTag> jobs_;
  base::HashMap<multiformats::PeerId, JobId> by_peer_;
  base::SlotMap<JobId, DialTag> requests_;
  base::SlotMap<Attempt, AttemptTag> attempts_;
  base::SlotMap<Resolving, ResolveTag> resolving_;
  base::HashMap<connection::ConnectionId, Attempt> half_open_;
  /// Jobs that wait, first come, first served.
  std::deque<JobId> attempt_queue_;
  std::optional<base::Instant> place_look_;  // when they see again whether a connection is unused
  std::deque<JobId> lookup_queue_;
  base::TimerHeap<JobId> job_timers_;
  base::TimerHeap<AttemptId> attempt_timers_;
  Backoff<multiformats::PeerId> peer_backoff_;
  Backoff<IpEndpoint> address_backoff_;
};

}  // namespace ggen::p2p::swarm
