#include <algorithm>

#include <ggen/p2p/multiformats/ip_address.hpp>

namespace ggen::p2p::multiformats {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Range {
  std::array<std::uint8_t, 4> prefix;
  unsigned bits;
};
constexpr Range kLoopback4 = {{127}, 8};
constexpr Range kPrivate4[] = {
    {{10}, 8}, {{172, 16}, 12}, {{192, 168}, 16}, {{100, 64}, 10}, {{169, 254}, 16}};
constexpr Range kPrivate6[] = {{{0xfc}, 7}, {{0xfe, 0x80}, 10}};

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) noexcept {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) noexcept {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  address.size_ = 16;
  return address;
}

std::optional<IpAddress> IpAddress::from_bytes(base::BytesView bytes) noexcept {
  if (bytes.size() == 4) return v4(bytes.first<4>());
  if (bytes.size() == 16) return v6(bytes.first<16>());
  return std::nullopt;
}

IpAddress IpAddress::unmapped() const noexcept {
  if (!is_v6() || !std::ranges::equal(bytes().first(12), kMappedPrefix)) return *this;
  return v4(bytes().last<4>());
}

bool IpAddress::is_loopback() const noexcept {
  const IpAddress address = unmapped();
  if (address.is_v4()) return address.in(kLoopback4.prefix, kLoopback4.bits);
  return address.bytes_[15] == 1 &&
         std::ranges::all_of(address.bytes().first(15), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_unspecified() const noexcept {
  const IpAddress address = unmapped();
  return std::ranges::all_of(address.bytes(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_private() const noexcept {
  const IpAddress address = unmapped();
  const auto holds = [&](const Range& range) { return address.in(range.prefix, range.bits); };
  return address.is_v4() ? std::ranges::any_of(kPrivate4, holds)
                         : std::ranges::any_of(kPrivate6, holds);
}

IpAddress IpAddress::masked(unsigned prefix_bits) const noexcept {
  IpAddress address = *this;
  for (unsigned i = 0; i < size_; ++i) {
    const unsigned kept = prefix_bits > 8 * i ? std::min(8U, prefix_bits - 8 * i) : 0;
    address.bytes_[i] = static_cast<std::uint8_t>(bytes_[i] & (0xff00U >> kept));
  }
  return address;
}

IpAddress IpAddress::group() const noexcept {
  const IpAddress address = unmapped();
  return address.masked(address.is_v4() ? 16 : 32);
}

bool IpAddress::in(base::BytesView prefix, unsigned prefix_bits) const noexcept {
  const std::size_t whole = prefix_bits / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    if (bytes_[i] != prefix[i]) return false;
  }
  const unsigned rest = prefix_bits % 8;
  return rest == 0 || (bytes_[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

}  // namespace ggen::p2p::multiformats
