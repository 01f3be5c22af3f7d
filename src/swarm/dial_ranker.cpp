#include "dial_ranker.hpp"

#include <algorithm>
#include <deque>
#include <tuple>
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

/// Sorts by tier. Of proven ones the latest comes first, of failed ones that whose failure is
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
std::vector<Candidate> interleave(std::vector<Candidate> sorted) {
  std::vector<Candidate> result;
  bool v6_next = true;
  std::size_t at = 0;
  while (at < sorted.size()) {
    const Tier tier = tier_of(sorted[at]);
    std::deque<Candidate> v4;
    std::deque<Candidate> v6;
    for (; at < sorted.size() && tier_of(sorted[at]) == tier; ++at) {
      Candidate& candidate = sorted[at];
      if (tier == Tier::kProven) {
        v6_next = candidate.endpoint.address.is_v4();
        result.push_back(std::move(candidate));
      } else {
        (candidate.endpoint.address.is_v4() ? v4 : v6).push_back(std::move(candidate));
      }
    }
    while (!v4.empty() || !v6.empty()) {
      std::deque<Candidate>& from = v4.empty() || (v6_next && !v6.empty()) ? v6 : v4;
      v6_next = &from == &v4;
      result.push_back(std::move(from.front()));
      from.pop_front();
    }
  }
  return result;
}

}  // namespace

std::vector<RankedCandidate> rank(std::vector<Candidate> candidates,
                                  const Config::Dialing& config) {
  std::ranges::stable_sort(candidates, before);
  std::vector<Candidate> tracks[2];  // private and loopback, public
  for (Candidate& candidate : candidates) {
    const bool is_public = scope_of(candidate.endpoint.address) == IpScope::kPublic;
    tracks[is_public ? 1 : 0].push_back(std::move(candidate));
  }
  const base::Duration staggers[2] = {config.private_stagger, config.stagger};
  std::vector<RankedCandidate> ranked;
  for (int track = 0; track < 2; ++track) {
    base::Duration offset{};
    for (Candidate& candidate : interleave(std::move(tracks[track]))) {
      ranked.push_back({std::move(candidate), offset});
      offset += staggers[track];
    }
  }
  std::ranges::stable_sort(ranked, {}, &RankedCandidate::offset);
  return ranked;
}

}  // namespace ggen::p2p::swarm
