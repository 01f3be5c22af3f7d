#include <charconv>

#include <ggen/p2p/swarm/ip.hpp>

namespace ggen::p2p::swarm {

using multiformats::Multiaddr;
using multiformats::Protocol;

IpScope scope_of(const IpAddress& address) noexcept {
  if (address.is_loopback()) return IpScope::kLoopback;
  if (address.is_private()) return IpScope::kPrivate;
  if (address.is_unspecified()) return IpScope::kUnusable;
  const IpAddress plain = address.unmapped();
  const std::uint8_t first = plain.bytes()[0];
  // 0.0.0.0/8 is "this network"; 224.0.0.0/3 is multicast, reserved and broadcast.
  const bool nowhere = plain.is_v4() ? first == 0 || first >= 224 : first == 0xff;
  return nowhere ? IpScope::kUnusable : IpScope::kPublic;
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
  const IpAddress plain = address->unmapped();
  if (plain == *address) return IpPrefix{plain.masked(bits), bits};
  // An IPv4-mapped range, which has no meaning that is shorter than the mapping itself.
  constexpr unsigned kMapping = 96;
  if (bits < kMapping) return std::nullopt;
  return IpPrefix{plain.masked(bits - kMapping), bits - kMapping};
}

bool IpPrefix::contains(const IpAddress& address) const noexcept {
  const IpAddress plain = address.unmapped();
  return plain.is_v4() == base.is_v4() && plain.masked(bits) == base;
}

Multiaddr IpEndpoint::to_multiaddr() const {
  return Multiaddr::tcp(address.bytes(), port);
}

std::optional<IpEndpoint> endpoint_of(const Multiaddr& address) {
  const auto components = address.components();
  if (components.size() < 2 || components.size() > 3) return std::nullopt;
  const Protocol host = components[0].protocol;
  if (host != Protocol::kIp4 && host != Protocol::kIp6) return std::nullopt;
  if (components[1].protocol != Protocol::kTcp) return std::nullopt;
  if (components.size() == 3 && components[2].protocol != Protocol::kP2p) return std::nullopt;
  return IpEndpoint{address.ip()->unmapped(), *address.tcp_port()};
}

}  // namespace ggen::p2p::swarm
