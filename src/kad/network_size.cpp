#include <algorithm>

#include <ggen/p2p/kad/network_size.hpp>

namespace ggen::p2p::kad {

void NetworkSize::add(std::size_t found, const Distance& farthest, bool everybody,
                      base::Instant now) {
  if (lookups_.size() >= kMaxLookups) lookups_.erase(lookups_.begin());
  lookups_.push_back({static_cast<double>(found), farthest.share(), everybody, now});
}

// The distance of the k-th of n points tells as much of n as all k distances do.
std::optional<double> NetworkSize::estimate(base::Instant now) const {
  if (!lookups_.empty() && lookups_.back().everybody && now - lookups_.back().when <= kMaxAge) {
    return lookups_.back().found;
  }
  double found = 0;
  double share = 0;
  for (const Lookup& lookup : lookups_) {
    if (lookup.everybody || now - lookup.when > kMaxAge) continue;
    found += lookup.found;
    share += lookup.share;
  }
  if (share <= 0) return std::nullopt;
  return (found - 1) / share;
}

bool NetworkSize::fresh(base::Instant now) const {
  const auto young = [&](const Lookup& lookup) { return now - lookup.when <= kFreshAge; };
  return static_cast<std::size_t>(std::ranges::count_if(lookups_, young)) >= kFreshLookups;
}

bool NetworkSize::firm(base::Instant now) const {
  if (lookups_.empty() || lookups_.back().everybody) return false;
  const auto counts = [&](const Lookup& lookup) {
    return !lookup.everybody && now - lookup.when <= kMaxAge;
  };
  return static_cast<std::size_t>(std::ranges::count_if(lookups_, counts)) >= kFreshLookups;
}

}  // namespace ggen::p2p::kad
