#include "exploration.hpp"

#include <algorithm>
#include <bit>
#include <iterator>

namespace ggen::p2p::kad {

std::optional<Prefix> Exploration::next() const {
  if (left_.empty() || lookups_ >= kMaxLookups) return std::nullopt;
  return left_.back();
}

void Exploration::found(Place target, std::span<const PeerRecord> closest) {
  ++lookups_;
  const Prefix part = left_.back();
  left_.pop_back();
  for (const PeerRecord& peer : closest) {
    peers_.insert_or_assign(place_of(Key::of(peer.peer)), peer);
  }
  if (closest.size() < k_) {  // these are all peers that there are
    left_.clear();
    return;
  }
  const Place farthest = place_of(Key::of(closest.back().peer));
  const auto same_bits = static_cast<unsigned>(std::countl_zero(farthest ^ target));
  const Prefix covered = Prefix::of(target, std::min(same_bits + 1, deepest_));
  std::erase_if(left_, [&](const Prefix& other) { return covered.contains(other.first); });
  // What lies beside it within the part, from the smallest to the largest.
  for (unsigned bits = covered.bits; bits > part.bits; --bits) {
    left_.push_back(Prefix::of(target, bits).sibling());
  }
  if (left_.empty()) extend();
}

void Exploration::skip() {
  left_.pop_back();
  if (left_.empty()) extend();
}

/// With fewer than k peers, the region's neighbour belongs to it too.
void Exploration::extend() {
  if (region_.bits == 0) return;
  const auto first = peers_.lower_bound(region_.first);
  const auto last = peers_.upper_bound(region_.last());
  if (static_cast<std::size_t>(std::distance(first, last)) >= k_) return;
  left_.push_back(region_.sibling());
  region_ = region_.parent();
}

}  // namespace ggen::p2p::kad
