#pragma once

#include <optional>
#include <vector>

#include <asio/ip/tcp.hpp>

#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace ggen::p2p::host {

/// The endpoint of an address that starts with /ip4 or /ip6 and /tcp; nothing for any other.
[[nodiscard]] std::optional<asio::ip::tcp::endpoint> to_endpoint(
    const multiformats::Multiaddr& address);

/// An IPv4 address in IPv6 clothes comes out as /ip4.
[[nodiscard]] multiformats::Multiaddr to_multiaddr(const asio::ip::tcp::endpoint& endpoint);

/// The addresses under which a socket bound to `bound` can be reached: one for each interface when
/// it is the wildcard.
[[nodiscard]] std::vector<multiformats::Multiaddr> reachable_at(
    const asio::ip::tcp::endpoint& bound);

}  // namespace ggen::p2p::host
