#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

/// Addresses in the anonymity networks Tor and I2P.
namespace ggen::p2p::multiformats {

/// Bytes of a Tor name, which two bytes of port follow.
inline constexpr std::size_t kOnionName = 10;
inline constexpr std::size_t kOnion3Name = 35;

/// I2P replaces the two characters of base64 that mean something in paths.
inline constexpr std::string_view kGarlic64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~";

/// `name:port`, the name in base32 of either case.
[[nodiscard]] std::optional<base::Bytes> parse_onion(std::string_view text, std::size_t name_size);
[[nodiscard]] std::string format_onion(base::BytesView value);
/// A name and a port that is not 0.
[[nodiscard]] bool is_onion(base::BytesView value, std::size_t name_size) noexcept;

/// A destination: at least 386 bytes.
[[nodiscard]] bool is_garlic64(base::BytesView value) noexcept;
/// The hash of a destination (32 bytes), or an encrypted lease set (35 and more).
[[nodiscard]] bool is_garlic32(base::BytesView value) noexcept;

}  // namespace ggen::p2p::multiformats
