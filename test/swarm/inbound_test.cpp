#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;
using connection::CloseReason;
using connection::ConnectionId;

namespace {

/// A public address of its own network for each number.
std::string stranger(unsigned number) {
  return "/ip4/198." + std::to_string(18 + number / 256) + "." + std::to_string(number % 256) +
         ".1/tcp/1000";
}

std::string from(std::string_view host, unsigned port) {
  return std::string(host) + "/tcp/" + std::to_string(port);
}

}  // namespace

TEST_CASE("an inbound connection lives, and its story is told") {
  World world;
  const auto id = world.accept("/ip4/192.0.2.1/tcp/5");
  REQUIRE(id);
  CHECK_FALSE(world.swarm().connection(*id)->peer);
  CHECK(world.all<event::ConnectionOpened>().empty());
  world.run_for(1s);
  REQUIRE(world.secure(*id, peer(1)));
  const auto opened = world.all<event::ConnectionOpened>();
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].record.direction == connection::Direction::kInbound);
  CHECK(opened[0].record.remote == addr("/ip4/192.0.2.1/tcp/5"));
  CHECK(opened[0].record.local == addr(World::kListen));
  CHECK_FALSE(opened[0].record.purpose);
  CHECK(opened[0].record.secured_at == kStart + 1s);
  world.close(*id, CloseReason::kKeepAliveTimeout);
  world.close(*id, CloseReason::kLocal);  // a dead id does nothing
  CHECK(world.all<event::ConnectionClosed>().size() == 1);
  CHECK(world.all<event::PeerDisconnected>().size() == 1);
  CHECK(world.secure(*id, peer(1)) == std::unexpected(LocalClose::kNotNeeded));
}

TEST_CASE("connections are limited in all") {
  Config config;
  config.limits = Config::Limits::for_connections(50);
  CHECK(config.limits.max_inbound == 40);
  CHECK(config.limits.max_inbound_half_open == 8);
  config.limits.max_inbound = 50;
  config.limits.max_connections = 40;
  World world(config);
  for (unsigned i = 0; i < 40; ++i) world.admit(stranger(i), peer(i + 1));
  CHECK(world.accept(stranger(99)) == std::unexpected(RefuseReason::kTooManyConnections));
}

TEST_CASE("inbound connections leave room for outbound ones") {
  Config config;
  config.limits.max_connections = 10;
  config.limits.max_inbound = 6;
  World world(config);
  std::vector<ConnectionId> open;
  for (unsigned i = 0; i < 6; ++i) open.push_back(world.admit(stranger(i), peer(i + 1)));
  CHECK(world.accept(stranger(9)) == std::unexpected(RefuseReason::kTooManyInbound));
  world.places["/ip4/192.0.2.1/tcp/1"] = Place::of(peer(100));
  CHECK(world.finish(world.dial(peer(100), {addr("/ip4/192.0.2.1/tcp/1")})));
  world.close(open[0], CloseReason::kRemoteClosed);
  CHECK(world.accept(stranger(9)));
}

TEST_CASE("attempts to dial count as connections") {
  Config config;
  config.limits.max_connections = 2;
  config.limits.max_inbound = 2;
  World world(config);
  world.dial(peer(1), {addr("/ip4/192.0.2.1/tcp/1")});
  CHECK(world.accept(stranger(1)));
  CHECK(world.accept(stranger(2)) == std::unexpected(RefuseReason::kTooManyConnections));
}

TEST_CASE("half-open connections are limited, and secured ones make room") {
  Config config;
  config.limits.max_inbound_half_open = 3;
  World world(config);
  const auto first = world.accept(stranger(0));
  const auto second = world.accept(stranger(1));
  world.accept(stranger(2));
  CHECK(world.accept(stranger(3)) == std::unexpected(RefuseReason::kTooManyHalfOpen));
  REQUIRE(world.secure(*first, peer(1)));
  CHECK(world.accept(stranger(3)));
  CHECK(world.accept(stranger(4)) == std::unexpected(RefuseReason::kTooManyHalfOpen));
  world.close(*second, CloseReason::kHandshakeTimeout);
  CHECK(world.accept(stranger(4)));
}

TEST_CASE("connections from one address are limited") {
  World world;
  const std::size_t limit = Config::Limits{}.max_inbound_per_address;
  std::optional<ConnectionId> last;
  for (unsigned i = 0; i < limit; ++i)
    last = world.admit(from("/ip4/192.0.2.1", 1000 + i), peer(i + 1));
  const auto refused = std::unexpected(RefuseReason::kTooManyFromAddress);
  CHECK(world.accept("/ip4/192.0.2.1/tcp/9") == refused);
  CHECK(world.accept("/ip6/::ffff:192.0.2.1/tcp/9") == refused);  // the same, written otherwise
  CHECK(world.accept("/ip4/192.0.2.2/tcp/9"));
  world.close(*last, CloseReason::kRemoteClosed);
  CHECK(world.accept("/ip4/192.0.2.1/tcp/9"));
}

TEST_CASE("an IPv6 user's addresses count as one") {
  World world;
  const std::size_t limit = Config::Limits{}.max_inbound_per_address;
  for (unsigned i = 1; i <= limit; ++i) {
    REQUIRE(world.accept("/ip6/2001:db8:1:2::" + std::to_string(i) + "/tcp/1"));
  }
  CHECK(world.accept("/ip6/2001:db8:1:2:ffff::1/tcp/1") ==
        std::unexpected(RefuseReason::kTooManyFromAddress));
  CHECK(world.accept("/ip6/2001:db8:1:3::1/tcp/1"));
}

TEST_CASE("private addresses are exempt from limits by address, unless configured") {
  Config config;
  for (const std::string_view host : {"/ip4/127.0.0.1", "/ip4/10.0.0.1", "/ip6/fd00::1"}) {
    World world(config);
    for (unsigned i = 0; i < 30; ++i)
      REQUIRE(world.secure(*world.accept(from(host, i + 1)), peer(i + 1)));
  }
  config.limits.limit_private_addresses = true;
  World world(config);
  for (unsigned i = 0; i < 8; ++i) REQUIRE(world.accept(from("/ip4/127.0.0.1", i + 1)));
  CHECK_FALSE(world.accept("/ip4/127.0.0.1/tcp/100"));
}

TEST_CASE("a client that comes and goes too fast is refused for a while") {
  World world;
  const std::size_t rate = Config::Limits{}.max_inbound_rate;
  for (unsigned i = 0; i < rate; ++i) {
    const auto id = world.accept(from("/ip4/192.0.2.1", 1000 + i));
    REQUIRE(id);
    world.close(*id, CloseReason::kTransportLost);
  }
  CHECK(world.accept("/ip4/192.0.2.1/tcp/9") == std::unexpected(RefuseReason::kTooFast));
  CHECK(world.accept("/ip4/192.0.2.2/tcp/9"));
  world.run_for(10s);
  CHECK(world.accept("/ip4/192.0.2.1/tcp/9"));
}

TEST_CASE("addresses without end cannot fill the memory of rates") {
  Config config;
  config.limits.max_rate_addresses = 16;
  World world(config);
  for (unsigned i = 0; i < 16; ++i) {
    const auto id = world.accept(stranger(i));
    REQUIRE(id);
    world.close(*id, CloseReason::kTransportLost);
  }
  CHECK(world.accept(stranger(20)) == std::unexpected(RefuseReason::kTooFast));
  CHECK(world.accept(stranger(3)));  // who is known is judged by its own rate
  world.run_for(10s);
  CHECK(world.accept(stranger(20)));
}

TEST_CASE("connections to one peer are limited, whoever made them") {
  World world;
  const std::size_t limit = Config::Limits{}.max_per_peer;
  for (unsigned i = 0; i < limit; ++i) world.admit(stranger(i), peer(1));
  const auto one_more = world.accept(stranger(10));
  REQUIRE(one_more);
  CHECK(world.secure(*one_more, peer(1)) == std::unexpected(LocalClose::kTooManyForPeer));
  CHECK(world.swarm().connections_to(peer(1)).size() == limit);
  CHECK(world.secure(*one_more, peer(1)) == std::unexpected(LocalClose::kTooManyForPeer));
  world.close(*one_more, CloseReason::kLocal);
  CHECK(world.swarm().history().closed.back().cause == CloseCause(LocalClose::kTooManyForPeer));
  CHECK(world.all<event::PeerDisconnected>().empty());
}

TEST_CASE("what is not TCP over IP is not accepted") {
  World world;
  CHECK(world.accept("/ip4/192.0.2.1/udp/1") == std::unexpected(RefuseReason::kUnsupportedAddress));
}

TEST_CASE("a peer is gone with its last connection") {
  World world;
  const auto first = world.admit(stranger(1), peer(1));
  const auto second = world.admit(stranger(2), peer(1));
  CHECK(world.swarm().connected_peers() == std::vector{peer(1)});
  world.close(first, CloseReason::kRemoteClosed);
  CHECK(world.all<event::PeerDisconnected>().empty());
  CHECK(world.swarm().connections_to(peer(1)) == std::vector{second});
  world.close(second, CloseReason::kProtocolViolation);
  REQUIRE(world.all<event::PeerDisconnected>().size() == 1);
  CHECK(world.all<event::PeerDisconnected>()[0].cause ==
        CloseCause(CloseReason::kProtocolViolation));
  CHECK(world.all<event::PeerConnected>().size() == 1);
}

TEST_CASE("a peer is disconnected on request") {
  World world;
  world.admit(stranger(1), peer(1));
  world.admit(stranger(2), peer(1));
  world.admit(stranger(3), peer(2));
  world.call([](Swarm& swarm, Instant now) { swarm.disconnect(peer(1), now); });
  CHECK_FALSE(world.swarm().connected(peer(1)));  // nothing new is begun on what is closing
  CHECK(world.closes.size() == 2);
  world.call([](Swarm& swarm, Instant now) { swarm.disconnect(peer(1), now); });
  CHECK(world.closes.size() == 2);
  world.run_for(1s);
  CHECK(world.swarm().connections().size() == 1);
  CHECK(world.swarm().history().closed[0].cause == CloseCause(LocalClose::kRequested));
}
