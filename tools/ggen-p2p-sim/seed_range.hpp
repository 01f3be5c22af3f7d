#pragma once

#include <cstdint>
#include <string_view>

#include "error.hpp"

namespace ggen::p2p::sim_cli {

/// Seeds one after the other, both ends included.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;

  [[nodiscard]] std::uint64_t size() const noexcept { return last - first + 1; }
  friend bool operator==(const SeedRange&, const SeedRange&) = default;
};

/// What one sweep may take on: with more, somebody has mistyped.
inline constexpr std::uint64_t kMostSeeds = 1'000'000;

/// Reads "1..100".
[[nodiscard]] Result<SeedRange> parse_seed_range(std::string_view text);

}  // namespace ggen::p2p::sim_cli
