#include <set>

#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;
using connection::ConnectionId;

namespace {

Config config() {
  Config config;
  config.trimming.high_water = 10;
  config.trimming.low_water = 6;
  return config;
}

std::string address(unsigned number) {
  return "/ip4/198.51.100." + std::to_string(number) + "/tcp/1";
}

std::vector<ConnectionId> admit(World& world, unsigned first, unsigned count) {
  std::vector<ConnectionId> ids;
  for (unsigned i = first; i < first + count; ++i) {
    ids.push_back(world.admit(address(i), peer(i + 1)));
    world.run_for(100ms);
  }
  return ids;
}

void use(World& world, ConnectionId id) {
  world.call([&](Swarm& swarm, Instant now) { swarm.used(id, now); });
}

std::set<PeerId> left(World& world) {
  const auto peers = world.swarm().connected_peers();
  return {peers.begin(), peers.end()};
}

}  // namespace

TEST_CASE("defaults follow the number of connections") {
  const auto trimming = Config::Trimming::for_connections(50);
  CHECK(trimming.high_water == 37);
  CHECK(trimming.low_water == 30);
}

TEST_CASE("up to the high-water mark nothing is closed") {
  World world(config());
  admit(world, 0, 10);
  world.run_for(10min);
  CHECK(world.closes.empty());
}

TEST_CASE("above it, those used longest ago are closed down to the low-water mark") {
  World world(config());
  const auto ids = admit(world, 0, 10);
  world.run_for(1min);
  use(world, ids[0]);
  use(world, ids[3]);
  world.run_for(20s);
  admit(world, 10, 1);
  CHECK(world.closes.size() == 5);
  for (const auto& [id, reason] : world.closes) CHECK(reason == LocalClose::kTrimmed);
  world.run_for(1s);
  // The first three are here the longest.
  CHECK(left(world) == std::set<PeerId>{peer(1), peer(2), peer(3), peer(4), peer(10), peer(11)});
  CHECK(world.swarm().history().closed[0].cause == CloseCause(LocalClose::kTrimmed));
}

TEST_CASE("protected peers are kept, also by several at once") {
  World world(config());
  for (unsigned i = 0; i < 9; ++i) world.swarm().protect(peer(i + 1), Purpose::kGossip);
  world.swarm().protect(peer(4), Purpose::kUser);
  world.swarm().unprotect(peer(4), Purpose::kGossip);
  world.swarm().unprotect(peer(5), Purpose::kGossip);
  world.swarm().unprotect(peer(5), Purpose::kUser);
  admit(world, 0, 10);
  world.run_for(1min);
  admit(world, 10, 1);
  REQUIRE(world.closes.size() == 2);  // peers 5 and 10: the newest is too young
  world.run_for(1s);
  CHECK_FALSE(world.swarm().connected(peer(5)));
  CHECK_FALSE(world.swarm().connected(peer(10)));
}

TEST_CASE("young and busy connections are spared, but not for ever") {
  World world(config());
  const auto ids = admit(world, 0, 12);
  CHECK(world.closes.empty());
  for (int second = 0; second < 60; ++second) {
    world.run_for(1s);
    for (const ConnectionId id : ids) use(world, id);
  }
  CHECK(world.closes.empty());
  world.run_for(30s);
  CHECK(world.closes.size() == 6);
}
