#include "allotment.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "widening.hpp"

namespace ggen::p2p::kad {
namespace {

// How far a peer is from a key, and which peer.
using Neighbour = std::pair<Place, std::size_t>;

/// Puts the nearest `k` first, the farthest of them last.
void select_nearest(std::vector<Neighbour>& neighbours, const std::vector<Place>& places,
                    Place target, std::size_t k) {
  for (std::size_t i = 0; i < places.size(); ++i) neighbours[i] = {places[i] ^ target, i};
  std::ranges::nth_element(neighbours, neighbours.begin() + static_cast<std::ptrdiff_t>(k - 1));
}

}  // namespace

Allotment allot(std::span<const base::Bytes> keys, const std::map<Place, PeerRecord>& peers,
                std::size_t k, double network_size) {
  Allotment allotment;
  std::vector<Place> places;
  std::vector<Allotment::Share> shares;
  for (const auto& [place, peer] : peers) {
    places.push_back(place);
    shares.push_back({peer, {}});
  }
  const std::size_t count = std::min(k, places.size());
  if (count == 0) return allotment;
  std::vector<Neighbour> neighbours(places.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    select_nearest(neighbours, places, place_of(Key::of(keys[i])), count);
    const auto index = static_cast<Allotment::Index>(i);
    const double part = std::ldexp(static_cast<double>(neighbours[count - 1].first), -64);
    if (count == k && crowded(network_size, part, k)) {
      allotment.crowded.push_back(index);
      continue;
    }
    for (std::size_t n = 0; n < count; ++n) shares[neighbours[n].second].keys.push_back(index);
  }
  for (auto& share : shares) {
    if (!share.keys.empty()) allotment.shares.push_back(std::move(share));
  }
  return allotment;
}

}  // namespace ggen::p2p::kad
