#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include <doctest/doctest.h>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/ip.hpp>

namespace ggen::p2p::swarm::test {

using namespace std::chrono_literals;
using base::Duration;
using base::Instant;
using multiformats::Multiaddr;
using multiformats::PeerId;

inline constexpr Instant kStart{1h};

inline Multiaddr addr(std::string_view text) {
  const auto address = Multiaddr::parse(text);
  REQUIRE_MESSAGE(address.has_value(), text);
  return *address;
}

inline IpAddress ip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  REQUIRE_MESSAGE(address.has_value(), text);
  return *address;
}

inline IpPrefix prefix(std::string_view text) {
  const auto parsed = IpPrefix::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

inline crypto::KeyPair key(std::uint32_t number) {
  std::array<std::uint8_t, 32> seed{};
  base::store_big_endian(seed.data(), number);
  return crypto::KeyPair::from_seed(seed);
}

/// The peer id of a made-up key: cheap, where nothing is signed.
inline PeerId peer(std::uint32_t number) {
  std::array<std::uint8_t, 32> point{};
  base::store_big_endian(point.data(), number);
  return PeerId::of(crypto::PublicKey::ed25519(point));
}

}  // namespace ggen::p2p::swarm::test
