#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ggen/p2p/multiformats/ip_address.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

/// IP addresses as limits, access lists and dial ranking see them.
namespace ggen::p2p::swarm {

using multiformats::IpAddress;

/// Where an address can be reached from.
enum class IpScope : std::uint8_t {
  kLoopback,
  kPrivate,   ///< private, shared, unique local and link-local ranges
  kPublic,    ///< everything else, documentation and benchmark ranges included
  kUnusable,  ///< unspecified, multicast, broadcast and reserved: nothing to connect to
};
[[nodiscard]] IpScope scope_of(const IpAddress& address) noexcept;

/// An address range such as 10.0.0.0/8.
struct IpPrefix {
  IpAddress base;
  unsigned bits = 0;

  /// "10.0.0.0/8", "2001:db8::/32", or a lone address, which is a range of one.
  [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;

  auto operator<=>(const IpPrefix&) const = default;
};

struct IpEndpoint {
  /// Never IPv4-mapped, so that no limit can be passed twice by writing one address in two ways.
  IpAddress address;
  std::uint16_t port = 0;

  [[nodiscard]] multiformats::Multiaddr to_multiaddr() const;
  auto operator<=>(const IpEndpoint&) const = default;
};

/// The endpoint that a multiaddr names when it is exactly /ip4 or /ip6, then /tcp, then at most
/// /p2p: what this stack's transport can dial.
[[nodiscard]] std::optional<IpEndpoint> endpoint_of(const multiformats::Multiaddr& address);

}  // namespace ggen::p2p::swarm

template <>
struct std::hash<ggen::p2p::swarm::IpEndpoint> {
  std::size_t operator()(const ggen::p2p::swarm::IpEndpoint& endpoint) const noexcept {
    return std::hash<ggen::p2p::multiformats::IpAddress>{}(endpoint.address) * 31 + endpoint.port;
  }
};
