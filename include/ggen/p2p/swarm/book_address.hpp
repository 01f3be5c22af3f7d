#pragma once

#include <cstdint>
#include <optional>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>

namespace ggen::p2p::swarm {

/// Who told us of an address, the most trusted first.
enum class AddressSource : std::uint8_t {
  kUser,      ///< configuration or the command line
  kRecord,    ///< certified: signed by the peer itself
  kDialed,    ///< this node has reached the peer there
  kIdentify,  ///< the peer itself, over a secured connection
  kDiscovery,
  kDht,
  kExchange,  ///< another peer, by gossipsub or rendezvous
};

/// An address of a peer, without /p2p, and what became of it.
struct BookAddress {
  multiformats::Multiaddr address;
  AddressSource source{};
  base::Instant expires;
  std::optional<base::Instant> last_success;
  std::optional<base::Instant> last_failure;
};

}  // namespace ggen::p2p::swarm
