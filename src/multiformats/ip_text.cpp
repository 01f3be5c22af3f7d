#include <algorithm>

#include <ggen/p2p/multiformats/ip_address.hpp>

#include "decimal.hpp"

namespace ggen::p2p::multiformats {
namespace {

constexpr std::size_t kGroups = 8;
/// Six full groups and a full dotted quad.
constexpr std::size_t kMaxV6Text = 45;

/// One group of an IPv6 address: 1 to 4 hexadecimal digits.
std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  const std::string padded = std::string(4 - text.size(), '0') + std::string(text);
  const auto bytes = base::from_hex(padded);
  if (!bytes) return std::nullopt;
  return base::load_big_endian<std::uint16_t>(bytes->data());
}

/// Groups separated by single colons; where `quad_allowed`, the last may be a dotted quad. Empty
/// text has none.
std::optional<base::Bytes> parse_groups(std::string_view text, bool quad_allowed) {
  base::Bytes bytes;
  for (bool more = !text.empty(); more;) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    more = colon != std::string_view::npos;
    if (!more && quad_allowed && part.find('.') != std::string_view::npos) {
      const auto quad = IpAddress::parse_v4(part);
      if (!quad) return std::nullopt;
      base::append(bytes, quad->bytes());
      break;
    }
    const auto group = parse_group(part);
    if (!group) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(*group >> 8));
    bytes.push_back(static_cast<std::uint8_t>(*group));
    if (more) text.remove_prefix(colon + 1);
  }
  return bytes;
}

/// The groups that "::" replaces: the longest run of at least two zeros, the first of equals.
struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};
Run longest_zero_run(const std::array<std::uint16_t, kGroups>& groups) {
  Run longest;
  for (std::size_t i = 0; i < kGroups; ++i) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i >= 2 && end - i > longest.size) longest = {i, end - i};
    i = end;
  }
  return longest;
}

std::string hex_without_zeros(std::uint16_t group) {
  std::array<std::uint8_t, 2> bytes{};
  base::store_big_endian(bytes.data(), group);
  const std::string hex = base::to_hex(bytes);
  return hex.substr(std::min<std::size_t>(hex.find_first_not_of('0'), 3));
}

std::string format_v4(base::BytesView bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text.push_back('.');
    text += std::to_string(byte);
  }
  return text;
}

std::string format_v6(base::BytesView bytes) {
  std::array<std::uint16_t, kGroups> groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = base::load_big_endian<std::uint16_t>(bytes.data() + 2 * i);
  }
  const Run run = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (run.size > 0 && i == run.begin) {
      text += "::";
      i += run.size - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text.push_back(':');
    text += hex_without_zeros(groups[i]);
  }
  return text;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

std::optional<IpAddress> IpAddress::parse_v4(std::string_view text) {
  IpAddress address;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto number = parse_decimal(text.substr(0, dot), 255);
    if (!number) return std::nullopt;
    address.bytes_[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return address;
}

std::optional<IpAddress> IpAddress::parse_v6(std::string_view text) {
  constexpr std::size_t kSize = 2 * kGroups;
  if (text.size() > kMaxV6Text) return std::nullopt;
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto front = parse_groups(text.substr(0, gap), !has_gap);
  const auto back = parse_groups(has_gap ? text.substr(gap + 2) : "", true);
  if (!front || !back) return std::nullopt;
  // A "::" stands for at least one group.
  const std::size_t given = front->size() + back->size();
  if (has_gap ? given > kSize - 2 : given != kSize) return std::nullopt;

  IpAddress address;
  address.size_ = kSize;
  std::ranges::copy(*front, address.bytes_.begin());
  std::ranges::copy_backward(*back, address.bytes_.end());
  return address;
}

std::string IpAddress::to_string() const {
  if (is_v4()) return format_v4(bytes());
  const IpAddress inner = unmapped();
  // RFC 5952 section 5: the embedded IPv4 address of a well-known prefix is shown as one.
  if (inner.is_v4()) return "::ffff:" + inner.to_string();
  return format_v6(bytes());
}

}  // namespace ggen::p2p::multiformats
