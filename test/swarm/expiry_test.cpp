#include <array>
#include <chrono>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

#include "../support/peers.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace std::chrono_literals;

TEST_CASE(
    "swarm: an address that has expired leaves no deadline in the past when a new record drops the "
    "others") {
  test::SeededCrypto crypto{1};
  const auto peer = test::peer_id(2);
  Swarm swarm{Config{}, test::peer_id(1), crypto, base::Prng{1}};
  const base::Instant start{1h};
  const std::vector unsigned_one{*multiformats::Multiaddr::parse("/ip4/8.8.8.8/tcp/1")};
  const std::vector signed_one{*multiformats::Multiaddr::parse("/ip4/8.8.4.4/tcp/1")};
  swarm.add_addresses(peer, unsigned_one, AddressSource::kIdentify, 1h, start);
  const auto key = test::key_pair(2);
  REQUIRE(
      swarm.add_signed_record(seal_peer_record(crypto, key, {peer, 1, signed_one}), start + 25min));
  const base::Instant later = start + 70min;  // the unsigned address has expired, the other has not
  base::step(swarm, later, [](Swarm&) {}, [](const Output&) {});
  CHECK(swarm.add_signed_record(seal_peer_record(crypto, key, {peer, 2, {}}), later));
  const auto deadline = swarm.next_deadline();
  CHECK((!deadline || *deadline > later));
}
