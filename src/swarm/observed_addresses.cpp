#include "observed_addresses.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::swarm {

bool ObservedAddresses::vote(const IpEndpoint& address, const multiformats::PeerId& observer,
                             const IpAddress& remote, const IpEndpoint& local, base::Instant now) {
  Voter voter{std::nullopt, std::nullopt, local};
  if (scope_of(remote) == IpScope::kPublic) {
    voter.network = remote.group();
  } else {
    voter.peer = observer;
  }
  // One voice each: what a voter says now replaces what it said of the same place before, and it
  // does not count twice for one address by having reached two places.
  for (Candidate& other : candidates_) {
    std::erase_if(other.votes, [&](const Vote& vote) {
      return vote.voter.observer() == voter.observer() &&
             (vote.voter.local == local || other.address == address);
    });
  }
  if (Candidate* const named = candidate(address)) {
    if (named->votes.size() >= config_.max_votes) named->votes.erase(named->votes.begin());
    named->votes.push_back({voter, now + config_.ttl});
  }
  return settle();
}

ObservedAddresses::Candidate* ObservedAddresses::candidate(const IpEndpoint& address) {
  const auto known = std::ranges::find(candidates_, address, &Candidate::address);
  if (known != candidates_.end()) return &*known;
  if (candidates_.size() >= config_.max_addresses) {
    const auto fewest = std::ranges::min_element(candidates_, {}, [](const Candidate& other) {
      return std::pair(other.confirmed, other.votes.size());
    });
    if (fewest == candidates_.end() || fewest->confirmed) return nullptr;
    candidates_.erase(fewest);
  }
  candidates_.push_back({address, {}, false});
  return &candidates_.back();
}

bool ObservedAddresses::settle() {
  bool changed = false;
  for (Candidate& candidate : candidates_) {
    const bool confirmed = candidate.votes.size() >= config_.confirmations;
    if (confirmed == candidate.confirmed) continue;
    candidate.confirmed = confirmed;
    changed = true;
    const auto address = candidate.address.to_multiaddr();
    if (confirmed) {
      outbox_.push(event::ExternalAddressConfirmed{address});
    } else {
      outbox_.push(event::ExternalAddressExpired{address});
    }
  }
  std::erase_if(candidates_, [](const Candidate& candidate) { return candidate.votes.empty(); });
  return changed;
}

std::vector<IpEndpoint> ObservedAddresses::confirmed() const {
  std::vector<IpEndpoint> result;
  for (const Candidate& candidate : candidates_) {
    if (candidate.confirmed) result.push_back(candidate.address);
  }
  return result;
}

bool ObservedAddresses::handle_timeout(base::Instant now) {
  for (Candidate& candidate : candidates_) {
    std::erase_if(candidate.votes, [&](const Vote& vote) { return vote.expires <= now; });
  }
  return settle();
}

std::optional<base::Instant> ObservedAddresses::next_deadline() const {
  std::optional<base::Instant> next;
  for (const Candidate& candidate : candidates_) {
    if (!candidate.votes.empty()) next = base::earlier(next, candidate.votes.front().expires);
  }
  return next;
}

}  // namespace ggen::p2p::swarm
