#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

/// Unsigned varints as multiformats defines them (multiformats/unsigned-varint): least significant
/// group first, at most 9 bytes (63 bits), and only the shortest form of a number is valid.
namespace ggen::p2p::base {

inline constexpr std::size_t kMaxVarintBytes = 9;
inline constexpr std::uint64_t kMaxVarint = (std::uint64_t{1} << 63) - 1;

enum class VarintError {
  kTruncated,   ///< the bytes end inside the number: more may still come
  kTooLong,     ///< more than 9 bytes
  kNotMinimal,  ///< a shorter form of the same number exists
};
[[nodiscard]] std::string_view to_string(VarintError error) noexcept;

struct Varint {
  std::uint64_t value = 0;
  std::size_t size = 0;  ///< bytes the encoding takes
};

/// As decode_varint(), for any size.
[[nodiscard]] std::expected<Varint, VarintError> decode_long_varint(BytesView bytes) noexcept;

/// Reads the varint at the front of `bytes`. Most take one byte.
[[nodiscard]] inline std::expected<Varint, VarintError> decode_varint(BytesView bytes) noexcept {
  if (!bytes.empty() && bytes[0] < 0x80) return Varint{bytes[0], 1};
  return decode_long_varint(bytes);
}

/// Bytes that `value` takes. `value` is at most kMaxVarint.
[[nodiscard]] std::size_t varint_size(std::uint64_t value) noexcept;

/// Writes `value` (at most kMaxVarint) to `out`, which has room for varint_size(value) bytes;
/// returns the bytes written.
std::size_t encode_varint(std::uint64_t value, std::uint8_t* out) noexcept;

void append_varint(Bytes& to, std::uint64_t value);

}  // namespace ggen::p2p::base
