#include <set>

#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;
using connection::ConnectionId;

namespace {

/// Six inbound connections of eight in all; the two longest here are kept.
Config config() {
  Config config;
  config.limits.max_connections = 8;
  config.limits.max_inbound = 6;
  config.trimming.high_water = 8;
  config.trimming.low_water = 4;
  return config;
}

std::string address(unsigned number) {
  return "/ip4/198.51." + std::to_string(number) + ".1/tcp/1";
}

/// Peers 1 to `count`, a second apart.
std::vector<ConnectionId> fill(World& world, unsigned count) {
  std::vector<ConnectionId> ids;
  for (unsigned i = 1; i <= count; ++i) {
    ids.push_back(world.admit(address(i), peer(i)));
    world.run_for(1s);
  }
  return ids;
}

void use(World& world, std::span<const ConnectionId> ids) {
  world.call([&](Swarm& swarm, Instant now) {
    for (const ConnectionId id : ids) swarm.used(id, now);
  });
}

bool connected(World& world, unsigned number) {
  return world.swarm().connected(peer(number));
}

}  // namespace

TEST_CASE("a full node closes the connection used longest ago for a newcomer") {
  World world(config());
  const auto ids = fill(world, 6);
  world.run_for(10s);
  use(world, std::array{ids[2], ids[4]});
  world.admit(address(7), peer(7));
  REQUIRE(world.closes.size() == 1);
  CHECK(world.closes[0] == std::pair{ids[3], LocalClose::kTrimmed});
  world.run_for(10s);
  CHECK(world.closes.size() == 1);
  CHECK(connected(world, 7));
}

TEST_CASE("a full node refuses newcomers while all others are young or in use") {
  World world(config());
  const auto ids = fill(world, 6);
  world.run_for(10s);
  use(world, ids);
  CHECK(world.accept(address(7)) == std::unexpected(RefuseReason::kTooManyInbound));
  CHECK(world.closes.empty());
  world.run_for(config().trimming.in_use);
  CHECK(world.accept(address(7)));
  CHECK(world.closes.size() == 1);
}

TEST_CASE("a full node that has found no place does not look again at once") {
  World world(config());
  const auto ids = fill(world, 6);
  world.run_for(10s);
  use(world, ids);
  world.run_for(config().trimming.in_use - 100ms);
  CHECK_FALSE(world.accept(address(7)));
  world.run_for(100ms);  // all are idle by now
  CHECK_FALSE(world.accept(address(7)));
  world.run_for(150ms);
  CHECK(world.accept(address(7)));
}

TEST_CASE("a newcomer has the time of a visit") {
  World world(config());
  fill(world, 6);
  std::set<ConnectionId> came;
  for (unsigned i = 0; i < 20; ++i) {
    if (const auto id = world.accept(address(20 + i))) {
      REQUIRE(world.secure(*id, peer(100 + i)));
      came.insert(*id);
    }
    world.run_for(100ms);
    for (const auto& [id, reason] : world.closes) {
      if (!came.contains(id)) continue;
      const ConnectionRecord& record = world.swarm().history().closed.back();
      CHECK(*record.closed_at - *record.secured_at >= config().trimming.visit);
    }
  }
  CHECK(came.size() == 4);  // for all but the two longest here
}

TEST_CASE("however many come, they push out nobody who is worth more") {
  World world(config());
  const auto ids = fill(world, 6);
  world.swarm().protect(peer(4), Purpose::kGossip);
  std::size_t came = 0;
  for (unsigned i = 0; i < 600; ++i) {
    use(world, std::array{ids[4]});  // something is transferred
    if (const auto id = world.accept(address(20 + i % 200))) {
      if (world.secure(*id, peer(100 + i))) ++came;
    }
    CHECK(world.swarm().connections().size() <= 8);
    world.run_for(100ms);
  }
  CHECK(came > 20);            // each had its visit
  CHECK(connected(world, 1));  // the longest here, though never used
  CHECK(connected(world, 2));
  CHECK(connected(world, 4));
  CHECK(connected(world, 5));
  CHECK_FALSE(connected(world, 3));
  CHECK_FALSE(connected(world, 6));
}

TEST_CASE("no connection that this node has made is closed for a newcomer") {
  World world(config());
  for (unsigned i = 1; i <= 8; ++i) {
    world.places[address(i)] = Place::of(peer(i));
    REQUIRE(world.finish(world.dial(peer(i), {addr(address(i))})));
  }
  world.run_for(1min);
  CHECK(world.accept(address(9)) == std::unexpected(RefuseReason::kTooManyConnections));
  CHECK(world.closes.empty());
}

namespace {

/// A full node that has asked eight peers for lookups of its own, the first two of which stay.
std::vector<ConnectionId> full_of_lookups(World& world) {
  std::vector<ConnectionId> asked;
  for (unsigned i = 1; i <= 8; ++i) {
    world.places[address(i)] = Place::of(peer(i));
    asked.push_back(*world.finish(world.dial({peer(i), {addr(address(i))}, Purpose::kDht})));
  }
  world.places[address(9)] = Place::of(peer(9));
  return asked;
}

void set_idle(World& world, ConnectionId id, bool idle) {
  world.call([&](Swarm& swarm, Instant now) { swarm.set_idle(id, idle, now); });
}

}  // namespace

TEST_CASE("a lookup takes the place of one that has had its answer, however lately") {
  World world(config());
  const auto asked = full_of_lookups(world);
  const DialId dial = world.dial({peer(9), {addr(address(9))}, Purpose::kDht});
  world.run_for(100ms);
  CHECK(world.closes.empty());
  use(world, asked);  // the answers come in
  set_idle(world, asked[4], true);
  REQUIRE(world.closes.size() == 1);
  CHECK(world.closes[0] == std::pair{asked[4], LocalClose::kTrimmed});
  world.run_for(50ms);
  CHECK(world.done.at(dial).second);
}

TEST_CASE("so does a newcomer") {
  World world(config());
  const auto asked = full_of_lookups(world);
  CHECK_FALSE(world.accept(address(10)));
  use(world, asked);
  set_idle(world, asked[4], true);
  set_idle(world, asked[5], true);
  set_idle(world, asked[5], false);  // something else has begun
  CHECK(world.accept(address(10)));
  CHECK_FALSE(world.accept(address(11)));
  CHECK(world.closes.size() == 1);
}

TEST_CASE("lookups of its own give no place to more inbound connections than there may be") {
  World world(config());
  fill(world, 6);
  world.places[address(9)] = Place::of(peer(9));
  const auto asked = *world.finish(world.dial({peer(9), {addr(address(9))}, Purpose::kDht}));
  for (unsigned i = 1; i <= 6; ++i) world.swarm().protect(peer(i), Purpose::kGossip);
  set_idle(world, asked, true);
  CHECK(world.accept(address(10)) == std::unexpected(RefuseReason::kTooManyInbound));
  CHECK(world.closes.empty());
}

TEST_CASE("a connection made for anything else is not idle so soon") {
  World world(config());
  std::vector<ConnectionId> ids;
  for (unsigned i = 1; i <= 8; ++i) {
    world.places[address(i)] = Place::of(peer(i));
    ids.push_back(*world.finish(world.dial({peer(i), {addr(address(i))}, Purpose::kTransfer})));
  }
  world.places[address(9)] = Place::of(peer(9));
  world.dial({peer(9), {addr(address(9))}, Purpose::kDht});
  use(world, ids);
  for (const ConnectionId id : ids) set_idle(world, id, true);
  world.run_for(config().trimming.in_use - 200ms);
  CHECK(world.closes.empty());
}

TEST_CASE("the limits by address come before anybody makes place") {
  Config few = config();
  few.limits.max_inbound_per_address = 1;
  World world(few);
  fill(world, 6);
  world.run_for(10s);
  CHECK(world.accept(address(6)) == std::unexpected(RefuseReason::kTooManyFromAddress));
  CHECK(world.closes.empty());
  CHECK(world.accept(address(7)));
}

TEST_CASE("a dial that waits for a place gets that of the connection used longest ago") {
  World world(config());
  for (unsigned i = 1; i <= 8; ++i) {
    world.places[address(i)] = Place::of(peer(i));
    REQUIRE(world.finish(world.dial(peer(i), {addr(address(i))})));
  }
  world.places[address(9)] = Place::of(peer(9));
  const Instant asked = world.now();
  CHECK(world.finish(world.dial(peer(9), {addr(address(9))})));
  CHECK(world.now() - asked < config().trimming.visit + 1s);
  REQUIRE(world.closes.size() == 1);
  CHECK(connected(world, 1));
  CHECK_FALSE(connected(world, 3));
}

TEST_CASE("a dial that may try no address closes nothing") {
  World world(config());
  world.places[address(9)] = Place::failing(DialError::kRefused);
  REQUIRE_FALSE(world.finish(world.dial(peer(9), {addr(address(9))})));
  for (unsigned i = 1; i <= 8; ++i) {
    world.places[address(i)] = Place::of(peer(i));
    REQUIRE(world.finish(world.dial(peer(i), {addr(address(i))})));
  }
  world.run_for(2s);
  // Another peer is said to be there: the address rests, and not the peer.
  CHECK_FALSE(world.finish(world.dial(peer(10), {addr(address(9))})));
  CHECK(world.closes.empty());
}
