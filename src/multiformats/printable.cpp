#include "printable.hpp"

#include <bit>
#include <cstdint>

namespace ggen::p2p::multiformats {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;  ///< 0: the bytes are not UTF-8
};

/// Reads the code point at the front of `bytes`, which are not empty.
CodePoint read_code_point(base::BytesView bytes) noexcept {
  const auto size = static_cast<std::size_t>(std::countl_one(bytes[0]));
  if (size == 0) return {bytes[0], 1};
  if (size == 1 || size > 4 || size > bytes.size()) return {};
  std::uint32_t value = bytes[0] & (0x7fU >> size);
  for (const std::uint8_t byte : bytes.subspan(1, size - 1)) {
    if ((byte & 0xc0U) != 0x80U) return {};
    value = (value << 6) | (byte & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[size] || value > 0x10ffff || surrogate) return {};
  return {value, size};
}

}  // namespace

bool is_printable_utf8(base::BytesView bytes) noexcept {
  while (!bytes.empty()) {
    const CodePoint point = read_code_point(bytes);
    const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0);
    if (point.size == 0 || control) return false;
    bytes = bytes.subspan(point.size);
  }
  return true;
}

}  // namespace ggen::p2p::multiformats
