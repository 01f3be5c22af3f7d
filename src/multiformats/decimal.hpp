#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ggen::p2p::multiformats {

/// A decimal number from 0 to `max` in its only form: digits without leading zeros.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max);

}  // namespace ggen::p2p::multiformats
