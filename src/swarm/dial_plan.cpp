#include "dial_plan.hpp"

#include <algorithm>

namespace ggen::p2p::swarm {

using multiformats::Multiaddr;

bool DialPlan::admit(const Multiaddr& address) {
  if (seen_.contains(address)) return false;
  if (seen_.size() < config_.max_addresses) return seen_.insert(address).second;
  if (!overflowed_) failed(address, NotTried::kTooMany);
  overflowed_ = true;
  return false;
}

void DialPlan::offer(const Candidate& candidate) {
  pending_.push_back({candidate, {}});
}

void DialPlan::rank(base::Instant first_start) {
  std::vector<Candidate> left;
  left.reserve(pending_.size());
  for (const RankedCandidate& ranked : pending_) left.push_back(ranked.candidate);
  pending_ = swarm::rank(left, config_);
  start_ = first_start;
}

std::optional<base::Instant> DialPlan::next_start() const {
  if (pending_.empty()) return std::nullopt;
  return start_ + pending_.front().offset;
}

Candidate DialPlan::take() {
  const Candidate candidate = pending_.front().candidate;
  pending_.erase(pending_.begin());
  return candidate;
}

void DialPlan::hurry(base::Instant now) {
  if (!pending_.empty()) start_ = std::min(start_, now - pending_.front().offset);
}

void DialPlan::failed(Multiaddr address, AddressFailureReason reason) {
  failures_.push_back({std::move(address), reason});
}

void DialPlan::forget_resting() {
  std::erase_if(failures_, [&](const AddressFailure& failure) {
    const bool resting = failure.reason == AddressFailureReason(NotTried::kBackoff);
    if (resting) seen_.erase(failure.address);
    return resting;
  });
}

void DialPlan::give_up() {
  for (const RankedCandidate& ranked : pending_) {
    failed(ranked.candidate.endpoint.to_multiaddr(), NotTried::kNoTime);
  }
  pending_.clear();
}

}  // namespace ggen::p2p::swarm
