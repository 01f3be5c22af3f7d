#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;
using connection::ConnectionId;

namespace {

const auto kSeen = "/ip4/203.0.113.99/tcp/4001";

ListenId listen(World& world, std::string_view address) {
  return world.call([&](Swarm& swarm, Instant now) { return swarm.listen(addr(address), now); });
}

void listening(World& world, ListenId id,
               std::expected<std::vector<Multiaddr>, ListenError> result) {
  world.call([&](Swarm& swarm, Instant now) { swarm.listening(id, result, now); });
}

void observe(World& world, ConnectionId by, std::string_view address) {
  world.call([&](Swarm& swarm, Instant now) { swarm.observed(addr(address), by, now); });
}

std::vector<std::string> own(World& world) {
  std::vector<std::string> result;
  for (const Multiaddr& address : world.swarm().own_addresses())
    result.push_back(address.to_string());
  return result;
}

ConnectionId observer(World& world, unsigned network, std::uint32_t number) {
  return world.admit(
      "/ip4/198." + std::to_string(network) + ".1." + std::to_string(number % 256) + "/tcp/1",
      peer(number));
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a listener is bound, changes and ends") {
  World world;
  const ListenId id = listen(world, "/ip4/0.0.0.0/tcp/0");
  REQUIRE(world.all<output::Listen>().size() == 1);
  CHECK(world.all<output::Listen>()[0].id == id);
  CHECK(own(world).empty());
  listening(world, id,
            std::vector{addr("/ip4/127.0.0.1/tcp/4001"), addr("/ip4/10.0.0.5/tcp/4001")});
  CHECK(own(world) == Names{"/ip4/127.0.0.1/tcp/4001", "/ip4/10.0.0.5/tcp/4001"});
  CHECK(world.all<event::Listening>().size() == 1);
  CHECK(world.all<event::ListenAddressesChanged>().size() == 1);
  listening(world, id,
            std::vector{addr("/ip4/127.0.0.1/tcp/4001"), addr("/ip4/10.0.0.5/tcp/4001")});
  CHECK(world.all<event::ListenAddressesChanged>().size() == 1);
  listening(world, id, std::vector{addr("/ip4/127.0.0.1/tcp/4001")});
  CHECK(world.all<event::ListenAddressesChanged>().size() == 2);
  world.call([&](Swarm& swarm, Instant now) { swarm.stop_listening(id, now); });
  CHECK(world.all<output::StopListening>().size() == 1);
  CHECK(own(world).empty());
  CHECK(world.all<event::ListenAddressesChanged>().back().addresses.empty());
  listening(world, id, std::vector{addr("/ip4/127.0.0.1/tcp/4001")});  // a dead id
  CHECK(own(world).empty());
}

TEST_CASE("a listener that fails or dies says why") {
  World world;
  const ListenId taken = listen(world, "/ip4/127.0.0.1/tcp/80");
  listening(world, taken, std::unexpected(ListenError::kPermissionDenied));
  REQUIRE(world.all<event::ListenFailed>().size() == 1);
  CHECK(world.all<event::ListenFailed>()[0].error == ListenError::kPermissionDenied);
  CHECK(world.all<event::ListenFailed>()[0].address == addr("/ip4/127.0.0.1/tcp/80"));
  const ListenId other = listen(world, "/dns4/a.example/tcp/80");
  CHECK(world.all<event::ListenFailed>().back().id == other);
  CHECK(world.all<event::ListenFailed>().back().error == ListenError::kUnsupported);
  for (std::size_t i = 0; i < Config{}.max_listeners; ++i) listen(world, "/ip4/127.0.0.1/tcp/0");
  listen(world, "/ip4/127.0.0.1/tcp/0");
  CHECK(world.all<event::ListenFailed>().back().error == ListenError::kOutOfResources);
  world.call([](Swarm& swarm, Instant now) { swarm.stop(now); });
  CHECK(world.all<output::StopListening>().size() == Config{}.max_listeners);
  listen(world, "/ip4/127.0.0.1/tcp/0");
  CHECK(world.all<event::ListenFailed>().back().error == ListenError::kStopping);
}

TEST_CASE("an external address is believed when enough strangers agree") {
  World world;
  observe(world, observer(world, 1, 1), kSeen);
  observe(world, observer(world, 2, 2), kSeen);
  CHECK(own(world).empty());
  observe(world, observer(world, 3, 3), "/ip4/203.0.113.100/tcp/4001");
  CHECK(own(world).empty());
  observe(world, observer(world, 4, 4), kSeen);
  CHECK(own(world) == Names{kSeen});
  CHECK(world.all<event::ExternalAddressConfirmed>().size() == 1);
  CHECK(world.all<event::ListenAddressesChanged>().size() == 1);
  // It is forgotten when nobody says so any more.
  world.run_for(31min);
  CHECK(own(world).empty());
  CHECK(world.all<event::ExternalAddressExpired>().size() == 1);
  CHECK(world.all<event::ListenAddressesChanged>().size() == 2);
}

TEST_CASE("one network, and one peer, has one voice") {
  World world;
  for (std::uint32_t i = 1; i <= 20; ++i) observe(world, observer(world, 1, i), kSeen);
  const auto other = observer(world, 2, 100);
  for (int i = 0; i < 10; ++i) observe(world, other, kSeen);
  CHECK(own(world).empty());
  // Nor does it count twice for having reached two listeners.
  const auto id = world.call([](Swarm& swarm, Instant now) {
    return swarm.accept(addr("/ip4/203.0.113.1/tcp/4002"), addr("/ip4/198.2.9.9/tcp/1"), now);
  });
  REQUIRE(world.secure(*id, peer(101)));
  observe(world, *id, kSeen);
  CHECK(own(world).empty());
  observe(world, observer(world, 3, 102), kSeen);
  CHECK(own(world) == Names{kSeen});
}

TEST_CASE("who changes his mind takes his word back") {
  World world;
  std::vector<ConnectionId> observers;
  for (std::uint32_t i = 1; i <= 3; ++i) observers.push_back(observer(world, i, i));
  for (const ConnectionId id : observers) observe(world, id, kSeen);
  CHECK(own(world) == Names{kSeen});
  observe(world, observers[0], "/ip4/203.0.113.100/tcp/4001");
  CHECK(own(world).empty());
}

TEST_CASE("private observers are told apart by who they are") {
  World world;
  for (std::uint32_t i = 1; i <= 3; ++i) {
    CHECK(own(world).empty());
    observe(world, world.admit("/ip4/10.0.0.1/tcp/" + std::to_string(i), peer(i)), kSeen);
  }
  CHECK(own(world) == Names{kSeen});
}

TEST_CASE("the port of an outbound connection says nothing, unless it is a listener's") {
  World world;  // its dials come from 203.0.113.1:50000
  std::vector<ConnectionId> outbound;
  for (std::uint32_t i = 1; i <= 3; ++i) {
    const std::string there = "/ip4/198." + std::to_string(i) + ".0.1/tcp/1";
    world.places[there] = Place::of(peer(i));
    outbound.push_back(*world.finish(world.dial(peer(i), {addr(there)})));
  }
  for (const ConnectionId id : outbound) observe(world, id, kSeen);
  CHECK(own(world).empty());
  const ListenId listener = listen(world, "/ip4/203.0.113.1/tcp/50000");
  listening(world, listener, std::vector{addr("/ip4/203.0.113.1/tcp/50000")});
  for (const ConnectionId id : outbound) observe(world, id, kSeen);
  CHECK(own(world).size() == 2);
}

TEST_CASE("nonsense is not observed") {
  World world;
  const ListenId listener = listen(world, "/ip4/203.0.113.1/tcp/4001");
  listening(world, listener, std::vector{addr("/ip4/203.0.113.1/tcp/4001")});
  for (std::uint32_t i = 1; i <= 5; ++i) {
    const auto id = observer(world, i, i);
    for (const char* odd : {"/ip4/0.0.0.0/tcp/1", "/ip4/224.0.0.1/tcp/1", "/dns4/a.example/tcp/1",
                            "/ip4/203.0.113.9/udp/4001", "/ip4/203.0.113.1/tcp/4001"}) {
      observe(world, id, odd);
    }
  }
  CHECK(own(world).size() == 1);
  CHECK(world.all<event::ExternalAddressConfirmed>().empty());
  const auto half_open = world.accept("/ip4/198.51.100.1/tcp/1");
  observe(world, *half_open, kSeen);
  CHECK_FALSE(world.swarm().next_deadline());
}

TEST_CASE("addresses without end do not push out a confirmed one") {
  World world;
  for (std::uint32_t i = 1; i <= 3; ++i) observe(world, observer(world, i, i), kSeen);
  for (std::uint32_t i = 10; i < 100; ++i) {
    observe(world, observer(world, i, i), "/ip4/203.0.113.100/tcp/" + std::to_string(i));
  }
  CHECK(own(world) == Names{kSeen});
}
