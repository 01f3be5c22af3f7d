#pragma once

#include <cstdint>

#include <ggen/p2p/kad/key.hpp>

namespace ggen::p2p::kad {

/// Where in the key space something lies, as far as matters among the peers of one region: the
/// first 64 bits of its key.
using Place = std::uint64_t;

[[nodiscard]] inline Place place_of(const Key& key) noexcept {
  return key.words()[0];
}

/// The part of the key space whose points begin with the same bits.
struct Prefix {
  Place first = 0;    // the bits, and zeros behind them
  unsigned bits = 0;  // at most 63

  [[nodiscard]] static Prefix of(Place place, unsigned bits) noexcept {
    return {bits == 0 ? 0 : place & ~(~Place{0} >> bits), bits};
  }
  [[nodiscard]] Place last() const noexcept { return first | ~Place{0} >> bits; }
  [[nodiscard]] bool contains(Place place) const noexcept {
    return first <= place && place <= last();
  }
  /// The part that is this one and its sibling. Only with bits.
  [[nodiscard]] Prefix parent() const noexcept { return of(first, bits - 1); }
  [[nodiscard]] Prefix sibling() const noexcept { return {first ^ Place{1} << (64 - bits), bits}; }
  bool operator==(const Prefix&) const = default;
};

}  // namespace ggen::p2p::kad
