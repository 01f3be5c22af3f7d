#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace ggen::p2p::kad {

/// Adds the addresses that `known` lacks, up to `limit` in all; returns those added. Several peers
/// tell where one is, and any of them may lie: who speaks first must not have the last word.
inline std::vector<multiformats::Multiaddr> merge_addresses(
    std::vector<multiformats::Multiaddr>& known, std::span<const multiformats::Multiaddr> told,
    std::size_t limit) {
  std::vector<multiformats::Multiaddr> added;
  for (const multiformats::Multiaddr& address : told) {
    if (known.size() >= limit) break;
    if (std::ranges::find(known, address) != known.end()) continue;
    known.push_back(address);
    added.push_back(address);
  }
  return added;
}

}  // namespace ggen::p2p::kad
