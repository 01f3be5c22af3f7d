#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

/// IP addresses as limits, access lists and dial ranking see them.
namespace ggen::p2p::swarm {

/// Where an address can be reached from.
enum class IpScope : std::uint8_t {
  kLoopback,
  kPrivate,   ///< RFC 1918 and 6598, link-local, IPv6 unique local
  kPublic,    ///< everything else, documentation and benchmark ranges included
  kUnusable,  ///< unspecified, multicast, broadcast and reserved: nothing to connect to
};

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) becomes the IPv4 address
/// it stands for, so that no limit can be passed twice by writing one address in two ways.
class IpAddress {
 public:
  /// 4 or 16 bytes in network order; nothing for any other size.
  [[nodiscard]] static std::optional<IpAddress> from(base::BytesView bytes);
  /// Dotted or colon form, without port or zone.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const noexcept { return size_ == 4; }
  [[nodiscard]] base::BytesView bytes() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] IpScope scope() const noexcept;
  /// The address with all but its first `bits` bits cleared.
  [[nodiscard]] IpAddress masked(unsigned bits) const noexcept;

  auto operator<=>(const IpAddress&) const = default;

 private:
  IpAddress() = default;

  std::uint8_t size_ = 0;
  std::array<std::uint8_t, 16> bytes_{};
};

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
struct std::hash<ggen::p2p::swarm::IpAddress> {
  std::size_t operator()(const ggen::p2p::swarm::IpAddress& address) const noexcept {
    return std::hash<std::string_view>{}(ggen::p2p::base::as_text(address.bytes()));
  }
};
