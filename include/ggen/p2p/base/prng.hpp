#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::base {

/// xoshiro256++ (Blackman and Vigna), seeded through splitmix64. For choices that need no secrecy;
/// keys and nonces come from crypto. The distributions are our own because the standard's differ
/// between libraries.
///
/// Call it once an expression: compilers evaluate arguments in different orders.
class Prng {
 public:
  explicit Prng(std::uint64_t seed) noexcept;

  /// A generator for one component. Depends on the seed and the label only, not on how far this one
  /// has advanced.
  [[nodiscard]] Prng child(std::string_view label) const noexcept;

  std::uint64_t next() noexcept;
  /// Uniform in [0, bound); bound is not 0.
  std::uint64_t below(std::uint64_t bound) noexcept;
  /// Uniform in [0, 1).
  double unit() noexcept;
  bool chance(double probability) noexcept { return unit() < probability; }
  void fill(MutableBytes out) noexcept;

  /// Puts the elements into a random order.
  template <class Range>
  void shuffle(Range& range) noexcept {
    using std::swap;
    for (std::size_t i = range.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(below(i));
      swap(range[i - 1], range[j]);
    }
  }

 private:
  std::uint64_t seed_;
  std::array<std::uint64_t, 4> state_;
};

}  // namespace ggen::p2p::base
