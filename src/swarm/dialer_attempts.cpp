#include <algorithm>
#include <utility>

#include "access.hpp"
#include "dial_failure.hpp"
#include "dialer.hpp"

namespace ggen::p2p::swarm {

using connection::ConnectionId;
using multiformats::Multiaddr;
using multiformats::PeerId;

bool Dialer::consider(Job& job, const Multiaddr& address, unsigned depth) {
  const auto named = address.peer_id();
  const bool redundant = named && named == job.peer;
  if (!job.plan.admit(redundant ? address.without_peer_id() : address)) return false;
  const auto expected = named ? named : job.peer;
  auto target = target_of(address);
  if (job.peer && named && !redundant) {
    job.plan.failed(address, NotTried::kNamesOtherPeer);
  } else if (expected && *expected == world_.self) {
    job.plan.failed(address, LocalClose::kSelf);
  } else if (!target) {
    job.plan.failed(address, NotTried::kUnsupported);
  } else if (const auto* const endpoint = std::get_if<IpEndpoint>(&*target)) {
    offer(job, *endpoint, expected);
  } else if (job.lookups_seen >= config_.max_resolves_per_dial ||
             depth > config_.max_dnsaddr_depth) {
    job.plan.failed(address, NotTried::kTooMany);
  } else {
    ++job.lookups_seen;
    job.lookups.push_back({address, std::move(*target), expected, depth});
  }
  return true;
}

void Dialer::offer(Job& job, const IpEndpoint& endpoint, const std::optional<PeerId>& expected) {
  const Multiaddr address = endpoint.to_multiaddr();
  if (!usable(endpoint)) return job.plan.failed(address, NotTried::kUnusable);
  Candidate candidate{endpoint, expected, false, {}, {}};
  if (const auto* const known = expected ? world_.book.find(*expected, address) : nullptr) {
    candidate.certified = known->source == AddressSource::kRecord;
    candidate.last_success = known->last_success;
    candidate.last_failure = known->last_failure;
  }
  job.plan.offer(candidate);
}

std::optional<NotTried> Dialer::refusal(const Candidate& candidate) const {
  switch (judge(world_.config.access, candidate.endpoint.address)) {
    case Access::kDenied:
      return NotTried::kAddressDenied;
    case Access::kNotAllowed:
      return NotTried::kAddressNotAllowed;
    case Access::kAdmitted:
      break;
  }
  return std::nullopt;
}

std::optional<NotTried> Dialer::obstacle(const Job& job, const Candidate& candidate,
                                         base::Instant now) const {
  if (world_.own.contains(candidate.endpoint)) return NotTried::kOwnAddress;
  if (const auto reason = refusal(candidate)) return reason;
  if (!job.force && address_backoff_.resting(candidate.endpoint, now)) return NotTried::kBackoff;
  return std::nullopt;
}

void Dialer::replan(JobId id, base::Instant now) {
  Job& job = *jobs_.find(id);
  const bool racing = job.under_way() > 0 && job.last_attempt;
  job.plan.rank(racing ? std::max(now, *job.last_attempt + config_.stagger) : now);
  advance(id, now);
}

void Dialer::advance(JobId id, base::Instant now) {
  Job& job = *jobs_.find(id);
  start_lookups(id, job);
  start_attempts(id, job, now);
  if (job.exhausted()) return fail(id, kind_of(job.plan.failures()), now);
  std::optional<base::Instant> wake = job.started + config_.deadline;
  const bool may_start = !job.waits_for_attempt && job.under_way() < config_.max_attempts_per_dial;
  if (may_start) wake = base::earlier(wake, job.plan.next_start());
  job_timers_.set(id, wake);
}

void Dialer::start_attempts(JobId id, Job& job, base::Instant now) {
  for (;;) {
    const auto start = job.plan.next_start();
    if (!start || *start > now || job.under_way() >= config_.max_attempts_per_dial) return;
    // What may not be tried needs no place.
    if (const auto reason = obstacle(job, job.plan.next(), now)) {
      job.plan.failed(job.plan.take().endpoint.to_multiaddr(), *reason);
      job.plan.hurry(now);
      continue;
    }
    if (!free_attempt(now)) {
      if (!job.waits_for_attempt) attempt_queue_.push_back(id);
      job.waits_for_attempt = true;
      if (no_connection_free()) place_look_ = base::earlier(place_look_, now + Trimmer::kLook);
      return;
    }
    const Candidate candidate = job.plan.take();
    const Multiaddr address = candidate.endpoint.to_multiaddr();
    const AttemptId attempt = attempts_.emplace(Attempt{id, candidate});
    attempt_timers_.set(attempt, now + config_.attempt_timeout);
    job.attempts.push_back(attempt);
    job.last_attempt = now;
    world_.outbox.push(output::Dial{attempt, address});
  }
}

bool Dialer::no_connection_free() const {
  return attempts_.size() + world_.connections.open().all >= world_.config.limits.max_connections;
}

// Where all connections are taken, one that is not in use makes place.
bool Dialer::free_attempt(base::Instant now) {
  if (attempts_.size() >= config_.max_attempts) return false;
  return !no_connection_free() || world_.trimmer.make_place(Trimmer::For::kDial, now);
}

std::optional<ConnectionId> Dialer::dialed(AttemptId attempt_id,
                                           std::expected<Endpoints, DialError> result,
                                           base::Instant now) {
  const Attempt* const found = attempts_.find(attempt_id);
  if (found == nullptr) return std::nullopt;
  if (!result) {
    attempt_failed(attempt_id, result.error(), now);
    pump(now);
    return std::nullopt;
  }
  const Attempt attempt = *found;
  attempts_.erase(attempt_id);
  attempt_timers_.set(attempt_id, std::nullopt);
  Job& job = *jobs_.find(attempt.job);
  std::erase(job.attempts, attempt_id);
  ConnectionRecord record;
  record.direction = connection::Direction::kOutbound;
  record.local = result->local.without_peer_id();
  record.remote = attempt.candidate.endpoint.to_multiaddr();
  record.expected_peer = attempt.candidate.expected;
  record.purpose = job.purpose;
  record.opened_at = now;
  const ConnectionId connection = world_.connections.add(std::move(record));
  job.half_open.push_back(connection);
  half_open_.try_emplace(connection, attempt);
  pump(now);
  return connection;
}

void Dialer::lost(ConnectionId id, AddressFailureReason reason, base::Instant now) {
  const Attempt* const found = half_open_.find(id);
  if (found == nullptr) return;
  const Attempt attempt = *found;
  half_open_.erase(id);
  std::erase(jobs_.find(attempt.job)->half_open, id);
  address_failed(attempt.job, attempt.candidate, reason, now);
}

void Dialer::attempt_failed(AttemptId id, AddressFailureReason reason, base::Instant now) {
  const Attempt attempt = *attempts_.find(id);
  attempts_.erase(id);
  attempt_timers_.set(id, std::nullopt);
  std::erase(jobs_.find(attempt.job)->attempts, id);
  address_failed(attempt.job, attempt.candidate, reason, now);
}

void Dialer::address_failed(JobId id, const Candidate& candidate, AddressFailureReason reason,
                            base::Instant now) {
  const Multiaddr address = candidate.endpoint.to_multiaddr();
  if (is_wrong_peer(reason)) {
    // Somebody is there: the address is good for others.
    if (candidate.expected) world_.book.disproved(*candidate.expected, address, now);
  } else if (blames_address(reason)) {
    if (candidate.expected) world_.book.failed(*candidate.expected, address, now);
    address_backoff_.failed(candidate.endpoint, now);
  }
  Job& job = *jobs_.find(id);
  job.plan.failed(address, reason);
  job.plan.hurry(now);
  advance(id, now);
}

void Dialer::pump(base::Instant now) {
  place_look_.reset();
  while (!attempt_queue_.empty() && free_attempt(now)) {
    const JobId id = attempt_queue_.front();
    attempt_queue_.pop_front();
    jobs_.find(id)->waits_for_attempt = false;
    advance(id, now);
  }
  if (!attempt_queue_.empty() && no_connection_free()) place_look_ = now + Trimmer::kLook;
  while (!lookup_queue_.empty() && resolving_.size() < config_.max_resolves) {
    const JobId id = lookup_queue_.front();
    lookup_queue_.pop_front();
    jobs_.find(id)->waits_for_lookup = false;
    advance(id, now);
  }
}

void Dialer::handle_timeout(base::Instant now) {
  while (const auto attempt = attempt_timers_.pop_due(now)) {
    world_.outbox.push(output::CancelDial{*attempt});
    attempt_failed(*attempt, DialError::kTimedOut, now);
  }
  while (const auto id = job_timers_.pop_due(now)) {
    if (jobs_.find(*id)->started + config_.deadline <= now) {
      fail_at_deadline(*id, now);
    } else {
      advance(*id, now);
    }
  }
  pump(now);
}

}  // namespace ggen::p2p::swarm
