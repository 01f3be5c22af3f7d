#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ggen::p2p::base {

/// Owned bytes.
using Bytes = std::vector<std::uint8_t>;
/// Borrowed bytes: valid only while the call that received them runs, unless the callee says more.
using BytesView = std::span<const std::uint8_t>;
/// Borrowed memory to write to.
using MutableBytes = std::span<std::uint8_t>;

/// The bytes of a text, without a copy.
[[nodiscard]] BytesView as_bytes(std::string_view text) noexcept;
/// The text that these bytes hold, without a copy and without any check of its encoding.
[[nodiscard]] std::string_view as_text(BytesView bytes) noexcept;

[[nodiscard]] Bytes to_bytes(BytesView bytes);
void append(Bytes& to, BytesView bytes);
[[nodiscard]] bool equal(BytesView a, BytesView b) noexcept;

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(BytesView bytes);
/// Accepts both cases; nothing when the length is odd or a character is not hexadecimal.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

/// Big-endian fixed-width integers; `at` points to at least sizeof(T) bytes.
template <class T>
[[nodiscard]] constexpr T load_big_endian(const std::uint8_t* at) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8) | at[i]);
  return value;
}
template <class T>
constexpr void store_big_endian(std::uint8_t* at, T value) noexcept {
  for (std::size_t i = sizeof(T); i-- > 0;) {
    at[i] = static_cast<std::uint8_t>(value);
    value = static_cast<T>(value >> 8);
  }
}

}  // namespace ggen::p2p::base
