#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ggen::p2p::registry {

// ASCII only, whatever the locale.
[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
[[nodiscard]] constexpr bool is_upper(char c) noexcept {
  return c >= 'A' && c <= 'Z';
}
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return is_lower(c) || is_upper(c);
}

// True when `text` may be printed on anybody's terminal as it is: UTF-8 without control characters,
// line and paragraph separators, or characters that change the direction of what follows.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

// `text` in quotes for an error message: at most 64 bytes of it, '?' for what is not printable
// ASCII.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace ggen::p2p::registry
