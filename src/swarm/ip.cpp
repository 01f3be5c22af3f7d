#include <algorithm>
#include <charconv>
#include <string>

#include <ggen/p2p/swarm/ip.hpp>

namespace ggen::p2p::swarm {
namespace {

using multiformats::Multiaddr;
using multiformats::Protocol;

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Range {
  std::array<std::uint8_t, 4> base;
  unsigned bits;
  IpScope scope;
};
constexpr Range kV4Ranges[] = {
    {{0, 0, 0, 0}, 8, IpScope::kUnusable},      {{127, 0, 0, 0}, 8, IpScope::kLoopback},
    {{10, 0, 0, 0}, 8, IpScope::kPrivate},      {{172, 16, 0, 0}, 12, IpScope::kPrivate},
    {{192, 168, 0, 0}, 16, IpScope::kPrivate},  {{169, 254, 0, 0}, 16, IpScope::kPrivate},
    {{100, 64, 0, 0}, 10, IpScope::kPrivate},   {{224, 0, 0, 0}, 4, IpScope::kUnusable},
    {{240, 0, 0, 0}, 4, IpScope::kUnusable},
};

bool same_prefix(base::BytesView a, base::BytesView b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!base::equal(a.first(whole), b.first(whole))) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

IpScope scope_of_v4(base::BytesView bytes) {
  for (const Range& range : kV4Ranges) {
    if (same_prefix(bytes, range.base, range.bits)) return range.scope;
  }
  return IpScope::kPublic;
}

IpScope scope_of_v6(base::BytesView bytes) {
  const bool zeros = std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; });
  if (zeros && bytes[15] == 1) return IpScope::kLoopback;
  if (zeros && bytes[15] == 0) return IpScope::kUnusable;
  if (bytes[0] == 0xff) return IpScope::kUnusable;              // multicast
  if ((bytes[0] & 0xfe) == 0xfc) return IpScope::kPrivate;      // unique local
  if (bytes[0] == 0xfe && bytes[1] >= 0x80) return IpScope::kPrivate;  // link- and site-local
  return IpScope::kPublic;
}

}  // namespace

std::optional<IpAddress> IpAddress::from(base::BytesView bytes) {
  if (bytes.size() == 16 && base::equal(bytes.first(12), kMappedPrefix)) bytes = bytes.last(4);
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.size_ = static_cast<std::uint8_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find('/') != std::string_view::npos) return std::nullopt;
  const bool v6 = text.find(':') != std::string_view::npos;
  const auto parsed = Multiaddr::parse((v6 ? "/ip6/" : "/ip4/") + std::string(text));
  if (!parsed) return std::nullopt;
  return from(parsed->components().front().value);
}

IpScope IpAddress::scope() const noexcept {
  return is_v4() ? scope_of_v4(bytes()) : scope_of_v6(bytes());
}

IpAddress IpAddress::masked(unsigned bits) const noexcept {
  IpAddress result = *this;
  for (std::size_t i = 0; i < size_; ++i) {
    const unsigned start = static_cast<unsigned>(i) * 8;
    const unsigned keep = bits > start ? std::min(bits - start, 8U) : 0;
    result.bytes_[i] = static_cast<std::uint8_t>(result.bytes_[i] & (0xff00U >> keep));
  }
  return result;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned width = address->is_v4() ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc{} || rest != end || bits > width) return std::nullopt;
  }
  return IpPrefix{address->masked(bits), bits};
}

bool IpPrefix::contains(const IpAddress& address) const noexcept {
  return address.is_v4() == base.is_v4() && same_prefix(address.bytes(), base.bytes(), bits);
}

Multiaddr IpEndpoint::to_multiaddr() const { return Multiaddr::tcp(address.bytes(), port); }

std::optional<IpEndpoint> endpoint_of(const Multiaddr& address) {
  const auto components = address.components();
  if (components.size() < 2 || components.size() > 3) return std::nullopt;
  const auto& [ip, value] = components[0];
  if (ip != Protocol::kIp4 && ip != Protocol::kIp6) return std::nullopt;
  if (components[1].protocol != Protocol::kTcp) return std::nullopt;
  if (components.size() == 3 && components[2].protocol != Protocol::kP2p) return std::nullopt;
  const auto parsed = IpAddress::from(value);
  if (!parsed) return std::nullopt;
  return IpEndpoint{*parsed, base::load_big_endian<std::uint16_t>(components[1].value.data())};
}

}  // namespace ggen::p2p::swarm
