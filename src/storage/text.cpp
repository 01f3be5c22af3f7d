#include "text.hpp"

#include <cstddef>
#include <cstdint>

namespace ggen::p2p::storage {
namespace {

constexpr std::size_t kLongest = 512;

// Bytes of the clean character that `text` begins with; 0 when it begins with none.
std::size_t clean_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  std::uint32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0xa0, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  // Characters that change the direction of the text hide what a name really is.
  const bool steers = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
                      code == 0x2028 || code == 0x2029;
  return code < kSmallest[size] || code > 0x10ffff || surrogate || steers ? 0 : size;
}

}  // namespace

bool is_clean_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t size = clean_character(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string clean;
  while (!text.empty()) {
    if (clean.size() >= kLongest) return clean.append("...");
    std::size_t size = clean_character(text);
    if (size == 0) {
      const auto byte = static_cast<std::uint8_t>(text[0]);
      clean.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
      size = 1;
    } else {
      clean.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return clean;
}

std::string quote(std::string_view text) {
  return std::string("'").append(printable(text)).append("'");
}

}  // namespace ggen::p2p::storage
