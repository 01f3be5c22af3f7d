#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <ggen/p2p/telemetry/span.hpp>

/// Attributes of the types that engines report.
namespace ggen::p2p::telemetry {

[[nodiscard]] inline Attribute text(std::string_view key, std::string_view value) {
  return {std::string(key), std::string(value)};
}
[[nodiscard]] inline Attribute number(std::string_view key, std::unsigned_integral auto value) {
  return {std::string(key), static_cast<std::int64_t>(value)};
}
[[nodiscard]] inline Attribute flag(std::string_view key, bool value) {
  return {std::string(key), value};
}

}  // namespace ggen::p2p::telemetry
