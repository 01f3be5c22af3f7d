#pragma once

#include <array>
#include <cstdint>

#include <ggen/p2p/base/prng.hpp>

namespace ggen::p2p::kad {

/// The multihash of a SHA-256 digest, which is what FIND_NODE asks for: a peer id.
using RandomId = std::array<std::uint8_t, 34>;

[[nodiscard]] inline RandomId random_id(base::Prng& prng) {
  RandomId id{0x12, 0x20};
  prng.fill(base::MutableBytes{id}.subspan(2));
  return id;
}

}  // namespace ggen::p2p::kad
