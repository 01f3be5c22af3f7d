#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/kad/message.hpp>

#include "prefix.hpp"

namespace ggen::p2p::kad {

/// Which of some keys go to whom.
struct Allotment {
  using Index = std::uint16_t;  // of a key
  struct Share {
    PeerRecord peer;
    std::vector<Index> keys;
  };
  std::vector<Share> shares;   // none is empty
  std::vector<Index> crowded;  // keys around which peers have settled: they are in no share
};

/// Allots each of at most 65536 keys to the `k` nearest of `peers`, which hold the k nearest of
/// each in a network of `network_size` peers.
[[nodiscard]] Allotment allot(std::span<const base::Bytes> keys,
                              const std::map<Place, PeerRecord>& peers, std::size_t k,
                              double network_size);

}  // namespace ggen::p2p::kad
