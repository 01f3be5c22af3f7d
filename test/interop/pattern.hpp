#pragma once

#include <cstdint>
#include <vector>

namespace interop {

/// Bytes [offset, offset + size) of the pattern of `seed`; README.md defines it.
inline std::vector<std::uint8_t> pattern(std::uint32_t seed, std::uint64_t offset,
                                         std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t k = 0; k < size; ++k) {
    const std::uint64_t at = offset + k;
    std::uint32_t x = seed * 0x9e3779b1U + static_cast<std::uint32_t>(at / 4);
    x ^= x >> 16;
    x *= 0x85ebca6bU;
    x ^= x >> 13;
    x *= 0xc2b2ae35U;
    x ^= x >> 16;
    bytes[k] = static_cast<std::uint8_t>(x >> (8 * (at % 4)));
  }
  return bytes;
}

}  // namespace interop
