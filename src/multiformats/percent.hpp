#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

/// Percent-encoding of one path segment (RFC 3986 section 2.1).
namespace ggen::p2p::multiformats {

/// Every byte outside the unreserved set is encoded: readers that take "+" for a space and those
/// that do not then agree.
[[nodiscard]] std::string percent_encode(base::BytesView bytes);
/// Nothing when a percent sign is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<base::Bytes> percent_decode(std::string_view text);

}  // namespace ggen::p2p::multiformats
