#include "dialer.hpp"

#include <algorithm>
#include <utility>

#include "access.hpp"
#include "dial_failure.hpp"

namespace ggen::p2p::swarm {

using connection::ConnectionId;
using multiformats::Multiaddr;
using multiformats::PeerId;

namespace {

/// The peer that all addresses name, if they agree.
std::optional<PeerId> common_peer(const std::vector<Multiaddr>& addresses) {
  std::optional<PeerId> common;
  for (const Multiaddr& address : addresses) {
    const auto peer = address.peer_id();
    if (!peer || (common && *common != *peer)) return std::nullopt;
    common = peer;
  }
  return common;
}

DialFailure failure_of(DialFailureKind kind) {
  return {kind, {}, {}};
}

}  // namespace

Dialer::Dialer(const World& world, const base::Prng& prng)
    : world_(world),
      config_(world.config.dialing),
      peer_backoff_(config_, prng.child("peer backoff")),
      address_backoff_(config_, prng.child("address backoff")) {}

DialId Dialer::dial(DialRequest request, base::Instant now) {
  if (!request.peer) request.peer = common_peer(request.addresses);
  if (request.peer && !stopping_) {
    const auto existing = world_.connections.to(*request.peer);
    if (!existing.empty()) return answer(existing.front());
  }
  if (auto failure = objection(request, now)) return answer(std::unexpected(std::move(*failure)));

  const JobId* const under_way = request.peer ? by_peer_.find(*request.peer) : nullptr;
  const JobId id = under_way != nullptr ? *under_way : open_job(request, now);
  Job& job = *jobs_.find(id);
  const DialId dial = requests_.emplace(id);
  job.requests.push_back(dial);
  if (request.force && !job.force) {
    job.force = true;
    job.plan.forget_resting();
  }
  for (const Multiaddr& address : request.addresses) consider(job, address, 0);
  if (job.peer) {
    for (const BookAddress& known : world_.book.addresses(*job.peer, now)) {
      consider(job, known.address, 0);
    }
  }
  replan(id, now);
  return dial;
}

DialId Dialer::answer(std::expected<ConnectionId, DialFailure> result) {
  const DialId dial = requests_.emplace(JobId{});
  requests_.erase(dial);
  world_.outbox.push(event::DialDone{dial, std::move(result)});
  return dial;
}

std::optional<DialFailure> Dialer::objection(const DialRequest& request, base::Instant now) const {
  if (stopping_) return failure_of(DialFailureKind::kStopping);
  if (request.peer) {
    if (*request.peer == world_.self) return failure_of(DialFailureKind::kSelf);
    const Access access = judge(world_.config.access, *request.peer);
    if (access == Access::kDenied) return failure_of(DialFailureKind::kPeerDenied);
    if (access == Access::kNotAllowed) return failure_of(DialFailureKind::kPeerNotAllowed);
    if (const JobId* const under_way = by_peer_.find(*request.peer)) {
      const bool full = jobs_.find(*under_way)->requests.size() >= config_.max_requests_per_dial;
      return full ? std::optional(failure_of(DialFailureKind::kTooManyDials)) : std::nullopt;
    }
    const auto until = peer_backoff_.resting(*request.peer, now);
    if (until && !request.force) return DialFailure{DialFailureKind::kBackoff, {}, until};
  }
  if (jobs_.size() >= config_.max_dials) return failure_of(DialFailureKind::kTooManyDials);
  return std::nullopt;
}

Dialer::JobId Dialer::open_job(const DialRequest& request, base::Instant now) {
  const JobId id = jobs_.emplace(request, now, config_);
  if (request.peer) by_peer_[*request.peer] = id;
  return id;
}

void Dialer::cancel(DialId dial, base::Instant now) {
  const JobId* const found = requests_.find(dial);
  if (found == nullptr) return;
  const JobId id = *found;
  requests_.erase(dial);
  Job& job = *jobs_.find(id);
  std::erase(job.requests, dial);
  if (!job.requests.empty()) return;
  dissolve(id, LocalClose::kNotNeeded);
  pump(now);
}

void Dialer::secured(const ConnectionRecord& record, base::Instant now) {
  peer_backoff_.succeeded(*record.peer);
  if (const auto endpoint = endpoint_of(record.remote);
      endpoint && record.direction == connection::Direction::kOutbound) {
    address_backoff_.succeeded(*endpoint);
  }
  if (const Attempt* const made = half_open_.find(record.id)) succeed(made->job, record);
  if (const JobId* const wanted = by_peer_.find(*record.peer)) succeed(*wanted, record);
  pump(now);
}

void Dialer::succeed(JobId id, const ConnectionRecord& winner) {
  for (const DialId dial : jobs_.find(id)->requests) {
    world_.outbox.push(event::DialDone{dial, winner.id});
  }
  half_open_.erase(winner.id);
  std::erase(jobs_.find(id)->half_open, winner.id);
  // When both sides dial at once and each closes its own for the other's, nothing is left. So only
  // a connection that this node has made puts an end to others that it has made.
  const bool outbound = winner.direction == connection::Direction::kOutbound;
  dissolve(id, outbound ? std::optional(LocalClose::kNotNeeded) : std::nullopt);
}

void Dialer::fail(JobId id, DialFailureKind kind, base::Instant now) {
  const Job& job = *jobs_.find(id);
  DialFailure failure{kind, job.plan.failures(), {}};
  if (kind == DialFailureKind::kBackoff) {
    for (const AddressFailure& address : failure.addresses) {
      const auto endpoint = endpoint_of(address.address);
      if (!endpoint) continue;
      failure.retry_at = base::earlier(failure.retry_at, address_backoff_.resting(*endpoint, now));
    }
  }
  const bool tried = kind == DialFailureKind::kAllFailed || kind == DialFailureKind::kWrongPeer ||
                     kind == DialFailureKind::kDeadline;
  if (tried && job.peer) peer_backoff_.failed(*job.peer, now);
  world_.history.dial_failed({job.peer, job.purpose, job.started, now, failure});
  for (const DialId dial : job.requests) {
    world_.outbox.push(event::DialDone{dial, std::unexpected(failure)});
  }
  dissolve(id, LocalClose::kNotNeeded);
}

void Dialer::fail_at_deadline(JobId id, base::Instant now) {
  Job& job = *jobs_.find(id);
  const bool starved = job.waits_for_attempt && job.under_way() == 0 && no_connection_free() &&
                       kind_of(job.plan.failures()) == DialFailureKind::kNoAddresses;
  for (const AttemptId attempt : job.attempts) {
    job.plan.failed(attempts_.find(attempt)->candidate.endpoint.to_multiaddr(),
                    DialError::kTimedOut);
  }
  for (const ConnectionId connection : job.half_open) {
    job.plan.failed(half_open_.find(connection)->candidate.endpoint.to_multiaddr(),
                    LocalClose::kDialDeadline);
    half_open_.erase(connection);
    world_.connections.close(connection, LocalClose::kDialDeadline);
  }
  job.half_open.clear();
  for (const ResolveId lookup : job.resolving) {
    job.plan.failed(resolving_.find(lookup)->lookup.address, ResolveError::kTimedOut);
  }
  for (const Lookup& lookup : job.lookups) job.plan.failed(lookup.address, NotTried::kNoTime);
  job.plan.give_up();
  fail(id, starved ? DialFailureKind::kTooManyConnections : DialFailureKind::kDeadline, now);
}

void Dialer::dissolve(JobId id, std::optional<LocalClose> half_open) {
  const Job& job = *jobs_.find(id);
  for (const DialId dial : job.requests) requests_.erase(dial);
  for (const AttemptId attempt : job.attempts) {
    attempts_.erase(attempt);
    attempt_timers_.set(attempt, std::nullopt);
    world_.outbox.push(output::CancelDial{attempt});
  }
  for (const ConnectionId connection : job.half_open) {
    half_open_.erase(connection);
    if (half_open) world_.connections.close(connection, *half_open);
  }
  if (job.waits_for_attempt) std::erase(attempt_queue_, id);
  if (job.waits_for_lookup) std::erase(lookup_queue_, id);
  if (job.peer) by_peer_.erase(*job.peer);
  job_timers_.set(id, std::nullopt);
  jobs_.erase(id);
}

void Dialer::enforce_access(base::Instant now) {
  std::vector<std::pair<JobId, DialFailureKind>> ended;
  jobs_.for_each([&](JobId id, const Job& job) {
    const Access access = job.peer ? judge(world_.config.access, *job.peer) : Access::kAdmitted;
    if (access == Access::kDenied) ended.emplace_back(id, DialFailureKind::kPeerDenied);
    if (access == Access::kNotAllowed) ended.emplace_back(id, DialFailureKind::kPeerNotAllowed);
  });
  for (const auto& [id, kind] : ended) fail(id, kind, now);

  std::vector<std::pair<AttemptId, NotTried>> refused;
  attempts_.for_each([&](AttemptId id, const Attempt& attempt) {
    if (const auto reason = refusal(attempt.candidate)) refused.emplace_back(id, *reason);
  });
  for (const auto& [id, reason] : refused) {
    world_.outbox.push(output::CancelDial{id});
    attempt_failed(id, reason, now);
  }
  pump(now);
}

void Dialer::stop(base::Instant now) {
  stopping_ = true;
  std::vector<JobId> ids;
  jobs_.for_each([&](JobId id, const Job&) { ids.push_back(id); });
  for (const JobId id : ids) fail(id, DialFailureKind::kStopping, now);
}

}  // namespace ggen::p2p::swarm
