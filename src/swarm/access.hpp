#pragma once

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/config.hpp>

namespace ggen::p2p::swarm {

/// What the access lists say about an address or a peer.
enum class Access : std::uint8_t { kAdmitted, kDenied, kNotAllowed };

[[nodiscard]] Access judge(const AccessLists& lists, const IpAddress& address);
[[nodiscard]] Access judge(const AccessLists& lists, const multiformats::PeerId& peer);

}  // namespace ggen::p2p::swarm
