#include "text.hpp"

#include <cstdint>
#include <optional>

namespace ggen::p2p::registry {
namespace {

// Takes the code point at the front of `text`, in its shortest encoding only.
std::optional<std::uint32_t> take_code_point(std::string_view& text) noexcept {
  const auto lead = static_cast<std::uint8_t>(text.front());
  text.remove_prefix(1);
  if (lead < 0x80) return lead;
  const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc0 || lead > 0xf7 || text.size() < more) return std::nullopt;
  std::uint32_t point = lead & (0x3fU >> more);
  for (const char c : text.substr(0, more)) {
    if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) return std::nullopt;
    point = point << 6 | (static_cast<std::uint8_t>(c) & 0x3fU);
  }
  text.remove_prefix(more);
  constexpr std::uint32_t kSmallest[] = {0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kSmallest[more - 1] || point > 0x10ffff || surrogate) return std::nullopt;
  return point;
}

bool is_plain(std::uint32_t point) noexcept {
  const auto within = [point](std::uint32_t first, std::uint32_t last) {
    return point >= first && point <= last;
  };
  const bool control = point < 0x20 || within(0x7f, 0x9f);
  const bool separates = within(0x2028, 0x2029);
  const bool turns =
      point == 0x61c || within(0x200e, 0x200f) || within(0x202a, 0x202e) || within(0x2066, 0x2069);
  return !control && !separates && !turns;
}

}  // namespace

bool is_plain_text(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto point = take_code_point(text);
    if (!point || !is_plain(*point)) return false;
  }
  return true;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string quote = "'";
  for (const char c : text.substr(0, kShown)) quote += c >= ' ' && c <= '~' ? c : '?';
  return quote + (text.size() > kShown ? "...'" : "'");
}

}  // namespace ggen::p2p::registry
