#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;
using connection::CloseReason;
using connection::Direction;

namespace {

const char* const kA = "/ip4/192.0.2.1/tcp/1";
const char* const kB = "/ip4/192.0.2.2/tcp/1";
const char* const kC = "/ip4/192.0.2.3/tcp/1";
const char* const kA6 = "/ip6/2001:db8::1/tcp/1";
const char* const kLan = "/ip4/10.0.0.1/tcp/1";

AddressFailureReason reason_for(const DialFailure& failure, std::string_view address) {
  for (const AddressFailure& entry : failure.addresses) {
    if (entry.address.without_peer_id() == addr(address).without_peer_id()) return entry.reason;
  }
  FAIL("no failure of " << address);
  return NotTried::kNoTime;
}

}  // namespace

TEST_CASE("a dial connects, and its story is told") {
  World world;
  world.places[kA] = Place::of(peer(1));
  const DialId id = world.dial(peer(1), {addr(kA)});
  CHECK(world.done.empty());
  const auto result = world.finish(id);
  REQUIRE(result);
  CHECK(world.done.at(id).first == 30ms);
  const ConnectionRecord record = *world.swarm().connection(*result);
  CHECK(record.direction == Direction::kOutbound);
  CHECK(record.remote == addr(kA));
  CHECK(record.peer == peer(1));
  CHECK(record.expected_peer == peer(1));
  CHECK(record.purpose == Purpose::kUser);
  CHECK(record.opened_at == kStart + 10ms);
  CHECK(record.secured_at == kStart + 30ms);
  CHECK(world.all<event::PeerConnected>().size() == 1);
  CHECK(world.all<event::ConnectionOpened>().size() == 1);
  CHECK(world.swarm().connected(peer(1)));
  // The address has proven itself.
  const auto known = world.swarm().addresses(peer(1), world.now());
  REQUIRE(known.size() == 1);
  CHECK(known[0].last_success == kStart + 30ms);

  world.close(*result, CloseReason::kRemoteClosed);
  const auto gone = world.all<event::PeerDisconnected>();
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].cause == CloseCause(CloseReason::kRemoteClosed));
  REQUIRE(world.swarm().history().closed.size() == 1);
  CHECK(world.swarm().history().closed[0].closed_at == world.now());
}

TEST_CASE("a connected peer is answered at once, with the connection in use") {
  World world;
  const auto connection = world.admit("/ip4/192.0.2.9/tcp/5", peer(1));
  const DialId id = world.dial(peer(1), {addr(kA)});
  REQUIRE(world.done.contains(id));
  CHECK(world.done.at(id).second == connection);
  CHECK(world.dialled.empty());
}

TEST_CASE("attempts start a quarter of a second apart, IPv6 first") {
  World world;
  const DialId id = world.dial(peer(1), {addr(kA), addr(kB), addr(kA6)});
  world.run_for(600ms);
  CHECK(world.dialled == std::vector<World::Dialled>{{0ms, kA6}, {250ms, kA}, {500ms, kB}});
  CHECK_FALSE(world.done.contains(id));
}

TEST_CASE("private addresses do not wait for public ones") {
  World world;
  world.dial(peer(1), {addr(kA), addr(kLan), addr("/ip4/10.0.0.2/tcp/1"), addr(kB)});
  world.run_for(300ms);
  CHECK(world.dialled == std::vector<World::Dialled>{
                             {0ms, kLan}, {0ms, kA}, {30ms, "/ip4/10.0.0.2/tcp/1"}, {250ms, kB}});
}

TEST_CASE("a failure starts the next attempt at once") {
  World world;
  world.places[kA6] = Place::failing(DialError::kRefused, 40ms);
  world.places[kA] = Place::of(peer(1));
  const auto result = world.finish(world.dial(peer(1), {addr(kA), addr(kA6)}));
  CHECK(result);
  CHECK(world.dialled == std::vector<World::Dialled>{{0ms, kA6}, {40ms, kA}});
}

TEST_CASE("the first to be secured wins, and the others are given up") {
  World world;
  world.places[kA6] = Place::mute();                    // does not even connect
  world.places[kA] = Place::without_handshake({}, 1h);  // connects and says nothing
  world.places[kB] = Place::of(peer(1));
  const auto result = world.finish(world.dial(peer(1), {addr(kA), addr(kB), addr(kA6)}));
  REQUIRE(result);
  CHECK(world.swarm().connection(*result)->remote == addr(kB));
  CHECK(world.cancelled.size() == 1);
  REQUIRE(world.closes.size() == 1);
  CHECK(world.closes[0].second == LocalClose::kNotNeeded);
  world.run_for(1s);
  CHECK(world.swarm().connections().size() == 1);
}

TEST_CASE("an attempt that connects late is dropped") {
  World world;
  world.places[kA6] = Place::of(peer(1), 400ms);
  world.places[kA] = Place::of(peer(1));
  REQUIRE(world.finish(world.dial(peer(1), {addr(kA), addr(kA6)})));
  world.run_for(5s);
  CHECK(world.swarm().connections().size() == 1);
}

TEST_CASE("an address that never answers times out, and then the dial fails") {
  World world;
  const auto result = world.finish(world.dial(peer(1), {addr(kA)}));
  REQUIRE_FALSE(result);
  CHECK(world.elapsed() == 5s);
  CHECK(result.error().kind == DialFailureKind::kAllFailed);
  CHECK(reason_for(result.error(), kA) == AddressFailureReason(DialError::kTimedOut));
  CHECK(world.cancelled.size() == 1);
  REQUIRE(world.swarm().history().failed_dials.size() == 1);
  CHECK(world.swarm().history().failed_dials[0].peer == peer(1));
}

TEST_CASE("a handshake that fails moves on to the next address") {
  World world;
  world.places[kA] = Place::without_handshake(CloseReason::kSecurityFailed, 100ms);
  world.places[kB] = Place::of(peer(1));
  const auto result = world.finish(world.dial(peer(1), {addr(kA), addr(kB)}));
  REQUIRE(result);
  CHECK(world.dialled == std::vector<World::Dialled>{{0ms, kA}, {110ms, kB}});
  // What was never secured still has its place in the history.
  REQUIRE(world.swarm().history().closed.size() == 1);
  CHECK(world.swarm().history().closed[0].cause == CloseCause(CloseReason::kSecurityFailed));
  CHECK_FALSE(world.swarm().history().closed[0].secured_at);
}

TEST_CASE("a dial ends at its deadline, whatever is still under way") {
  World world;
  world.answer_resolves = false;
  world.places[kA] = Place::without_handshake({}, 1h);
  const DialId id = world.dial(peer(1), {addr(kA), addr("/dns4/slow.example/tcp/1")});
  const auto result = world.finish(id);
  REQUIRE_FALSE(result);
  CHECK(world.done.at(id).first == 15s);
  CHECK(result.error().kind == DialFailureKind::kDeadline);
  CHECK(reason_for(result.error(), kA) == AddressFailureReason(LocalClose::kDialDeadline));
  CHECK(reason_for(result.error(), "/dns4/slow.example/tcp/1") ==
        AddressFailureReason(ResolveError::kTimedOut));
  world.run_for(1s);
  CHECK(world.swarm().connections().empty());
}

TEST_CASE("another peer at the address is reported as that, and not found there again") {
  World world;
  world.places[kA] = Place::of(peer(2));
  world.call([](Swarm& swarm, Instant now) {
    return swarm.add_addresses(peer(1), {{addr(kA)}}, AddressSource::kDht, 1h, now);
  });
  const auto result = world.finish(world.dial(peer(1)));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == DialFailureKind::kWrongPeer);
  CHECK(reason_for(result.error(), kA) == AddressFailureReason(CloseReason::kWrongPeer));
  CHECK(world.swarm().addresses(peer(1), world.now()).empty());
  // The address is good for the one who is there.
  CHECK(world.finish(world.dial(peer(2), {addr(kA)})));
}

TEST_CASE("an owner that lets a wrong peer through is corrected") {
  World world;
  world.places[kA] = Place::without_handshake({}, 1h);
  const DialId id = world.dial(peer(1), {addr(kA)});
  world.run_for(20ms);
  const auto connection = world.swarm().connections().at(0).id;
  CHECK(world.secure(connection, peer(2)) == std::unexpected(LocalClose::kWrongPeer));
  CHECK(world.finish(id).error().kind == DialFailureKind::kWrongPeer);
  CHECK_FALSE(world.swarm().connected(peer(2)));
  world.close(connection, CloseReason::kLocal);
  CHECK(world.swarm().history().closed[0].cause == CloseCause(LocalClose::kWrongPeer));
}

TEST_CASE("an address without a peer takes whoever is there") {
  World world;
  world.places[kA] = Place::of(peer(5));
  const auto result = world.finish(world.dial({{}, {addr(kA)}, Purpose::kBootstrap, false}));
  REQUIRE(result);
  CHECK(world.swarm().connection(*result)->peer == peer(5));
  CHECK_FALSE(world.swarm().connection(*result)->expected_peer);
}

TEST_CASE("addresses that name their peer are as good as the peer") {
  World world;
  world.places[kA] = Place::of(peer(1));
  const DialId first = world.dial({{}, {addr(kA).with_peer_id(peer(1))}, Purpose::kUser, false});
  const DialId second = world.dial(peer(1));
  CHECK(world.finish(first));
  CHECK(world.done.at(first).second == world.done.at(second).second);
  CHECK(world.dialled.size() == 1);
}

TEST_CASE("addresses of several peers may each lead to their own") {
  World world;
  world.places[kA] = Place::failing(DialError::kRefused);
  world.places[kB] = Place::of(peer(2));
  const auto result =
      world.finish(world.dial({{},
                               {addr(kA).with_peer_id(peer(1)), addr(kB).with_peer_id(peer(2))},
                               Purpose::kBootstrap,
                               false}));
  REQUIRE(result);
  CHECK(world.swarm().connection(*result)->peer == peer(2));
}

TEST_CASE("requests for one peer share the dial and its end") {
  World world;
  world.places[kB] = Place::of(peer(1));
  const DialId first = world.dial(peer(1), {addr(kA)});
  world.run_for(50ms);
  const DialId second = world.dial(peer(1), {addr(kB)});
  REQUIRE(world.finish(first));
  REQUIRE(world.done.contains(second));
  CHECK(world.done.at(first).second == world.done.at(second).second);
  // The address that came later waited its turn.
  CHECK(world.dialled == std::vector<World::Dialled>{{0ms, kA}, {250ms, kB}});
}

TEST_CASE("a request may be withdrawn, and the last one takes the dial with it") {
  World world;
  world.places[kB] = Place::without_handshake({}, 1h);
  const DialId first = world.dial(peer(1), {addr(kA), addr(kB)});
  const DialId second = world.dial(peer(1));
  world.run_for(300ms);
  const auto cancel = [&](DialId id) {
    world.call([&](Swarm& swarm, Instant now) { swarm.cancel(id, now); });
  };
  cancel(first);
  CHECK(world.cancelled.empty());
  cancel(second);
  CHECK(world.cancelled.size() == 1);
  CHECK(world.closes.size() == 1);
  cancel(second);
  world.run_for(1min);
  CHECK(world.done.empty());
  CHECK(world.swarm().connections().empty());
  CHECK(world.swarm().history().failed_dials.empty());
}

TEST_CASE("an inbound connection ends the dial, but not the handshake that is under way") {
  World world;
  world.places[kA] = Place::of(peer(1));
  world.places[kA].secured_after = 200ms;
  const DialId id = world.dial(peer(1), {addr(kA), addr(kB)});
  world.run_for(100ms);
  const auto inbound = world.admit("/ip4/192.0.2.1/tcp/7777", peer(1));
  REQUIRE(world.done.contains(id));
  CHECK(world.done.at(id).second == inbound);
  world.run_for(1s);
  // Both sides may have dialled at once: if each closed its own, nothing would be left.
  CHECK(world.swarm().connections_to(peer(1)).size() == 2);
  CHECK(world.swarm().connections_to(peer(1)).front() == inbound);
  CHECK(world.dialled.size() == 1);
  CHECK(world.all<event::PeerConnected>().size() == 1);
}

TEST_CASE("this node dials neither itself nor its own addresses") {
  World world;
  const ListenId listener = world.call(
      [](Swarm& swarm, Instant now) { return swarm.listen(addr("/ip4/0.0.0.0/tcp/1"), now); });
  world.call([&](Swarm& swarm, Instant now) {
    swarm.listening(listener, std::vector{addr("/ip4/127.0.0.1/tcp/1"), addr(kA)}, now);
  });
  CHECK(world.finish(world.dial(peer(0), {addr(kB)})).error().kind == DialFailureKind::kSelf);
  const auto own = world.finish(world.dial(peer(1), {addr(kA)}));
  CHECK(own.error().kind == DialFailureKind::kNoAddresses);
  CHECK(reason_for(own.error(), kA) == AddressFailureReason(NotTried::kOwnAddress));
  CHECK(world.dialled.empty());
  // Through an address that it does not know to be its own, it finds out in the handshake.
  world.places[kC] = Place::of(peer(0));
  const auto around = world.finish(world.dial({{}, {addr(kC)}, Purpose::kUser, false}));
  REQUIRE_FALSE(around);
  CHECK(reason_for(around.error(), kC) == AddressFailureReason(LocalClose::kSelf));
}

TEST_CASE("what cannot be dialled is not, and each address says why") {
  World world;
  const auto other = addr(kB).with_peer_id(peer(2));
  const auto result = world.finish(
      world.dial(peer(1), {addr("/ip4/192.0.2.1/udp/1/quic-v1"), addr("/ip4/0.0.0.0/tcp/1"),
                           addr("/ip4/192.0.2.1/tcp/0"), other, addr("/unix/tmp/socket")}));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == DialFailureKind::kNoAddresses);
  CHECK(reason_for(result.error(), "/ip4/192.0.2.1/udp/1/quic-v1") ==
        AddressFailureReason(NotTried::kUnsupported));
  CHECK(reason_for(result.error(), "/ip4/0.0.0.0/tcp/1") ==
        AddressFailureReason(NotTried::kUnusable));
  CHECK(reason_for(result.error(), "/ip4/192.0.2.1/tcp/0") ==
        AddressFailureReason(NotTried::kUnusable));
  CHECK(reason_for(result.error(), kB) == AddressFailureReason(NotTried::kNamesOtherPeer));
  CHECK(world.finish(world.dial(peer(3))).error().kind == DialFailureKind::kNoAddresses);
  CHECK(world.dialled.empty());
}

TEST_CASE("what failed rests, longer each time, unless somebody insists") {
  World world;
  world.places[kA] = Place::failing(DialError::kRefused);
  REQUIRE_FALSE(world.finish(world.dial(peer(1), {addr(kA)})));
  const auto resting = world.finish(world.dial(peer(1), {addr(kA)}));
  REQUIRE_FALSE(resting);
  CHECK(resting.error().kind == DialFailureKind::kBackoff);
  REQUIRE(resting.error().retry_at);
  CHECK(*resting.error().retry_at > world.now());
  CHECK(*resting.error().retry_at <= world.now() + 5s);
  CHECK(world.dialled.size() == 1);

  REQUIRE_FALSE(world.finish(world.dial(peer(1), {addr(kA)}, true)));
  CHECK(world.dialled.size() == 2);
  const auto longer = world.finish(world.dial(peer(1), {addr(kA)}));
  CHECK(*longer.error().retry_at > world.now() + 4s);

  world.places[kA] = Place::of(peer(1));
  world.run_for(11s);
  const auto connected = world.finish(world.dial(peer(1), {addr(kA)}));
  REQUIRE(connected);
  world.close(*connected, CloseReason::kRemoteClosed);
  CHECK(world.finish(world.dial(peer(1), {addr(kA)})));  // success wiped the slate
}

TEST_CASE("an address rests for whoever is said to be there") {
  World world;
  world.places[kA] = Place::failing(DialError::kRefused);
  REQUIRE_FALSE(world.finish(world.dial(peer(1), {addr(kA)})));
  for (std::uint32_t made_up = 100; made_up < 120; ++made_up) {
    const auto result = world.finish(world.dial(peer(made_up), {addr(kA)}));
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == DialFailureKind::kBackoff);
    CHECK(reason_for(result.error(), kA) == AddressFailureReason(NotTried::kBackoff));
    CHECK(result.error().retry_at);
  }
  CHECK(world.dialled.size() == 1);
}

TEST_CASE("insisting on a dial that is under way wakes what rests") {
  World world;
  world.places[kA] = Place::failing(DialError::kRefused);
  REQUIRE_FALSE(world.finish(world.dial(peer(9), {addr(kA)})));
  const DialId patient = world.dial(peer(1), {addr(kA), addr(kB)});
  world.run_for(300ms);
  CHECK(world.dialled.size() == 2);
  world.places[kA] = Place::of(peer(1));
  const DialId urgent = world.dial(peer(1), {addr(kA)}, true);
  CHECK(world.finish(urgent));
  CHECK(world.done.contains(patient));
}

TEST_CASE("this machine's own trouble is not held against an address") {
  World world;
  world.places[kA] = Place::failing(DialError::kOutOfResources);
  REQUIRE_FALSE(world.finish(world.dial(peer(1), {addr(kA)})));
  REQUIRE_FALSE(world.finish(world.dial(peer(2), {addr(kA)})));
  CHECK(world.dialled.size() == 2);
}

TEST_CASE("attempts of one dial and of all are limited, and go on as others end") {
  Config config;
  config.dialing.max_attempts_per_dial = 2;
  config.dialing.max_attempts = 3;
  World world(config);
  world.dial(peer(1), {addr(kA), addr(kB), addr(kC)});
  world.run_for(1s);
  CHECK(world.dialled.size() == 2);
  world.dial(peer(2), {addr("/ip4/192.0.2.4/tcp/1")});
  world.dial(peer(3), {addr("/ip4/192.0.2.5/tcp/1")});
  world.dial(peer(4), {addr("/ip4/192.0.2.6/tcp/1")});
  world.run_for(1s);
  CHECK(world.dialled.size() == 3);
  world.run_for(15s);
  CHECK(world.dialled.size() == 6);
}

TEST_CASE("dials and requests beyond the limits are refused") {
  Config config;
  config.dialing.max_dials = 3;
  config.dialing.max_requests_per_dial = 4;
  World world(config);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    CHECK_FALSE(world.done.contains(world.dial(peer(i), {addr(kA)})));
  }
  const DialId fourth = world.dial(peer(4), {addr(kA)});
  REQUIRE(world.done.contains(fourth));
  CHECK(world.done.at(fourth).second.error().kind == DialFailureKind::kTooManyDials);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(world.done.contains(world.dial(peer(1))));
  const DialId fifth = world.dial(peer(1));
  REQUIRE(world.done.contains(fifth));
  CHECK(world.done.at(fifth).second.error().kind == DialFailureKind::kTooManyDials);
}

TEST_CASE("addresses without end are not all tried") {
  World world;
  std::vector<Multiaddr> many;
  for (int i = 1; i <= 200; ++i) many.push_back(addr("/ip4/192.0.2.1/tcp/" + std::to_string(i)));
  for (const Multiaddr& address : many) {
    world.places[address.to_string()] = Place::failing(DialError::kRefused, 1ms);
  }
  const auto result = world.finish(world.dial(peer(1), many));
  REQUIRE_FALSE(result);
  CHECK(world.dialled.size() == Config::Dialing{}.max_addresses);
  CHECK(result.error().addresses.size() == Config::Dialing{}.max_addresses + 1);
  CHECK(reason_for(result.error(), "/ip4/192.0.2.1/tcp/33") ==
        AddressFailureReason(NotTried::kTooMany));
}

TEST_CASE("a node that is full waits for room, and says so when there is none") {
  Config config;
  config.limits.max_connections = 2;
  config.limits.max_inbound = 2;
  World world(config);
  world.places[kA] = Place::of(peer(1));
  const auto first = world.admit("/ip4/192.0.2.50/tcp/1", peer(50));
  world.admit("/ip4/192.0.2.51/tcp/1", peer(51));
  const auto full = world.finish(world.dial(peer(1), {addr(kA)}));
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == DialFailureKind::kTooManyConnections);
  CHECK(world.dialled.empty());
  const DialId waiting = world.dial(peer(1), {addr(kA)});
  world.run_for(1s);
  world.close(first, CloseReason::kRemoteClosed);
  CHECK(world.finish(waiting));
}

TEST_CASE("after stop nothing is begun, and everything ends") {
  World world;
  world.places[kA] = Place::without_handshake({}, 1h);
  const auto open = world.admit("/ip4/192.0.2.50/tcp/1", peer(50));
  const DialId dial = world.dial(peer(1), {addr(kA), addr(kB)});
  world.run_for(300ms);
  world.call([](Swarm& swarm, Instant now) { swarm.stop(now); });
  REQUIRE(world.done.contains(dial));
  CHECK(world.done.at(dial).second.error().kind == DialFailureKind::kStopping);
  CHECK(world.closes.size() == 2);
  for (const auto& [id, reason] : world.closes) CHECK(reason == LocalClose::kStopping);
  CHECK(world.accept("/ip4/192.0.2.60/tcp/1") == std::unexpected(RefuseReason::kStopping));
  CHECK(world.done.at(world.dial(peer(50))).second.error().kind == DialFailureKind::kStopping);
  world.run_for(1s);
  CHECK(world.swarm().connections().empty());
  CHECK(world.swarm().connection(open) == nullptr);
}
