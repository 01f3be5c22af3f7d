#include "dial_ranker.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

namespace ggen::p2p::swarm {
namespace {

enum class Tier : std::uint8_t { kProven, kCertified, kNew, kFailed };

Tier tier_of(const Candidate& candidate) {
  const auto& [endpoint, expected, certified, success, failure] = candidate;
  if (success && (!failure || *failure < *success)) return Tier::kProven;
  if (failure) return Tier::kFailed;
  return certified ? Tier::kCertified : Tier::kNew;
}

/// Tier by tier. Of proven ones the latest comes first, of failed ones that whose failure is
/// longest ago.
bool before(const Candidate& a, const Candidate& b) {
  const Tier x = tier_of(a);
  const Tier y = tier_of(b);
  if (x != y) return x < y;
  if (x == Tier::kProven) return *a.last_success > *b.last_success;
  if (x == Tier::kFailed) return *a.last_failure < *b.last_failure;
  return false;
}

/// Alternates address families from the second tier on; what is proven needs no guess.
std::vector<Candidate> interleave(const std::vector<Candidate>& sorted) {
  std::vector<Candidate> result;
  bool v6_next = true;
  std::size_t at = 0;
  while (at < sorted.size()) {
    const Tier tier = tier_of(sorted[at]);
    std::deque<Candidate> v4;
    std::deque<Candidate> v6;
    for (; at < sorted.size() && tier_of(sorted[at]) == tier; ++at) {
      const Candidate& candidate = sorted[at];
      if (tier == Tier::kProven) {
        v6_next = candidate.endpoint.address.is_v4();
        result.push_back(candidate);
      } else {
        (candidate.endpoint.address.is_v4() ? v4 : v6).push_back(candidate);
      }
    }
    while (!v4.empty() || !v6.empty()) {
      std::deque<Candidate>& from = v4.empty() || (v6_next && !v6.empty()) ? v6 : v4;
      v6_next = &from == &v4;
      result.push_back(from.front());
      from.pop_front();
    }
  }
  return result;
}

std::vector<RankedCandidate> spread(const std::vector<Candidate>& track, base::Duration stagger) {
  std::vector<RankedCandidate> ranked;
  ranked.reserve(track.size());
  for (const Candidate& candidate : track) {
    ranked.push_back({candidate, stagger * static_cast<int>(ranked.size())});
  }
  return ranked;
}

}  // namespace

std::vector<RankedCandidate> rank(const std::vector<Candidate>& candidates,
                                  const Config::Dialing& config) {
  // Insertion keeps equal ones in the order in which they came; they are a few dozen at most.
  std::vector<Candidate> near;
  std::vector<Candidate> far;
  for (const Candidate& candidate : candidates) {
    const bool is_public = scope_of(candidate.endpoint.address) == IpScope::kPublic;
    std::vector<Candidate>& track = is_public ? far : near;
    track.insert(std::ranges::upper_bound(track, candidate, before), candidate);
  }
  const auto near_ranked = spread(interleave(near), config.private_stagger);
  const auto far_ranked = spread(interleave(far), config.stagger);
  std::vector<RankedCandidate> ranked;
  std::ranges::merge(near_ranked, far_ranked, std::back_inserter(ranked), {},
                     &RankedCandidate::offset, &RankedCandidate::offset);
  return ranked;
}

}  // namespace ggen::p2p::swarm
