#include "swarm/dial_target.hpp"
#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

namespace {

std::vector<std::string> dialled(const World& world) {
  std::vector<std::string> result;
  for (const auto& dial : world.dialled) result.push_back(dial.address);
  return result;
}

std::string record(std::string_view address) {
  return "dnsaddr=" + std::string(address);
}

std::string record(std::string_view address, std::uint32_t of) {
  return record(addr(address).with_peer_id(peer(of)).to_string());
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a host name leads to its addresses, of the family asked for") {
  World world;
  world.hosts["both.example"] = {ip("192.0.2.1"), ip("2001:db8::1"), ip("::ffff:192.0.2.2")};
  SUBCASE("any") {
    world.dial(peer(1), {addr("/dns/both.example/tcp/4001")});
    world.run_for(1s);
    CHECK(dialled(world) ==
          Names{"/ip6/2001:db8::1/tcp/4001", "/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.2/tcp/4001"});
  }
  SUBCASE("IPv4") {
    world.dial(peer(1), {addr("/dns4/both.example/tcp/4001")});
    world.run_for(1s);
    CHECK(dialled(world) == Names{"/ip4/192.0.2.1/tcp/4001", "/ip4/192.0.2.2/tcp/4001"});
  }
  SUBCASE("IPv6") {
    world.dial(peer(1), {addr("/dns6/both.example/tcp/4001")});
    world.run_for(1s);
    CHECK(dialled(world) == Names{"/ip6/2001:db8::1/tcp/4001"});
  }
  CHECK(world.resolved == Names{"both.example"});
}

TEST_CASE("addresses are tried while names are looked up") {
  World world;
  world.resolves_after = 100ms;
  world.hosts["a.example"] = {ip("192.0.2.9")};
  world.places["/ip4/192.0.2.9/tcp/1"] = Place::of(peer(1));
  const auto result = world.finish(
      world.dial(peer(1), {addr("/dns4/a.example/tcp/1"), addr("/ip4/192.0.2.1/tcp/1")}));
  REQUIRE(result);
  // The address that came in the meantime takes its turn after the one under way.
  CHECK(world.dialled == std::vector<World::Dialled>{{0ms, "/ip4/192.0.2.1/tcp/1"},
                                                     {250ms, "/ip4/192.0.2.9/tcp/1"}});
}

TEST_CASE("names that lead nowhere say so") {
  World world;
  world.hosts["empty.example"] = {};
  const auto result = world.finish(
      world.dial(peer(1), {addr("/dns4/none.example/tcp/1"), addr("/dns4/empty.example/tcp/1")}));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == DialFailureKind::kAllFailed);
  REQUIRE(result.error().addresses.size() == 2);
  CHECK(result.error().addresses[0].reason == AddressFailureReason(ResolveError::kNotFound));
  CHECK(result.error().addresses[1].reason == AddressFailureReason(NotTried::kNoRecords));
}

TEST_CASE("dnsaddr records lead on, to the peer that was asked for") {
  World world;
  world.texts["_dnsaddr.boot.example"] = {record("/dnsaddr/one.example/tcp/4001", 1),
                                          record("/dnsaddr/two.example/tcp/4001", 2), "v=spf1 -all",
                                          "dnsaddr=", record("/ip4/192.0.2.66/tcp/4001")};
  world.texts["_dnsaddr.one.example"] = {
      record("/ip6/2001:db8::1/tcp/4001", 1), record("/ip4/192.0.2.1/tcp/4001", 1),
      record("/ip4/192.0.2.1/tcp/4002", 1), record("/ip4/192.0.2.7/tcp/4001", 7)};
  world.places["/ip4/192.0.2.1/tcp/4001"] = Place::of(peer(1));
  const auto result = world.finish(
      world.dial({{}, {addr("/dnsaddr/boot.example").with_peer_id(peer(1))}, {}, false}));
  REQUIRE(result);
  // Only records that end as the name did are followed: those of peer 1, and then its port too.
  CHECK(world.resolved == Names{"_dnsaddr.boot.example", "_dnsaddr.one.example"});
  CHECK(dialled(world) == Names{"/ip6/2001:db8::1/tcp/4001", "/ip4/192.0.2.1/tcp/4001"});
}

TEST_CASE("a bare dnsaddr leads to any of its peers") {
  World world;
  world.texts["_dnsaddr.boot.example"] = {record("/ip4/192.0.2.1/tcp/1", 1),
                                          record("/ip4/192.0.2.2/tcp/1", 2)};
  world.places["/ip4/192.0.2.1/tcp/1"] = Place::of(peer(3));  // not who the record says
  world.places["/ip4/192.0.2.2/tcp/1"] = Place::of(peer(2));
  const auto result =
      world.finish(world.dial({{}, {addr("/dnsaddr/boot.example")}, Purpose::kBootstrap, false}));
  REQUIRE(result);
  CHECK(world.swarm().connection(*result)->peer == peer(2));
}

TEST_CASE("a peer asked for takes its own of a bare dnsaddr") {
  World world;
  world.texts["_dnsaddr.boot.example"] = {record("/ip4/192.0.2.1/tcp/1", 1),
                                          record("/ip4/192.0.2.2/tcp/1", 2)};
  world.places["/ip4/192.0.2.2/tcp/1"] = Place::of(peer(2));
  CHECK(world.finish(world.dial(peer(2), {addr("/dnsaddr/boot.example")})));
  CHECK(dialled(world) == Names{"/ip4/192.0.2.2/tcp/1"});
}

TEST_CASE("records are followed that end as the name did, in whole components") {
  const auto target = target_of(addr("/dnsaddr/s.example/tcp/4001"));
  REQUIRE(target);
  const Names records{record("/ip4/192.0.2.1/tcp/4001"), record("/ip4/192.0.2.1/tcp/4002"),
                      record("/ip6/2001:db8::6:fa1"),  // its last bytes are those of /tcp/4001
                      record("/tcp/4001"), "/ip4/192.0.2.2/tcp/4001"};
  const auto& suffix = std::get<RecordTarget>(*target).suffix;
  CHECK(dnsaddr_records(records, suffix, 10) == std::vector{addr("/ip4/192.0.2.1/tcp/4001")});
  CHECK(dnsaddr_records(records, {}, 10).size() == 4);
  CHECK(dnsaddr_records(records, {}, 2).size() == 2);
}

TEST_CASE("dnsaddr loops and chains come to an end") {
  World world;
  world.texts["_dnsaddr.loop.example"] = {record("/dnsaddr/loop.example")};
  const auto loop = world.finish(world.dial({{}, {addr("/dnsaddr/loop.example")}, {}, false}));
  REQUIRE_FALSE(loop);
  CHECK(world.resolved.size() == 1);

  for (int i = 0; i < 100; ++i) {
    world.texts["_dnsaddr.n" + std::to_string(i) + ".example"] = {
        record("/dnsaddr/n" + std::to_string(i + 1) + ".example")};
  }
  const auto chain = world.finish(world.dial({{}, {addr("/dnsaddr/n0.example")}, {}, false}));
  REQUIRE_FALSE(chain);
  CHECK(world.resolved.size() == 1 + 1 + Config::Dialing{}.max_dnsaddr_depth);
  CHECK(chain.error().addresses.back().reason == AddressFailureReason(NotTried::kTooMany));
}

TEST_CASE("one name cannot make a dial look up names, or try addresses, without end") {
  World world;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "m" + std::to_string(i) + ".example";
    world.texts["_dnsaddr.many.example"].push_back(record("/dns4/" + name + "/tcp/1"));
    world.hosts["big.example"].push_back(ip("198.51.100." + std::to_string(i)));
  }
  REQUIRE_FALSE(world.finish(world.dial({{}, {addr("/dnsaddr/many.example")}, {}, false})));
  CHECK(world.resolved.size() == Config::Dialing{}.max_resolves_per_dial);
  world.dialled.clear();
  world.dial({{}, {addr("/dns4/big.example/tcp/1")}, {}, false});
  world.run_for(20s);
  CHECK(world.dialled.size() <= Config::Dialing{}.max_resolved);
}

TEST_CASE("look-ups that the driver still owes count, also when nobody waits for them") {
  Config config;
  config.dialing.max_resolves = 2;
  World world(config);
  world.resolves_after = 20s;
  world.hosts["a.example"] = {ip("192.0.2.1")};
  for (std::uint32_t i = 1; i <= 4; ++i) world.dial(peer(i), {addr("/dns4/a.example/tcp/1")});
  world.run_for(15s);
  CHECK(world.done.size() == 4);  // all at their deadline
  CHECK(world.resolved.size() == 2);
  const DialId waiting = world.dial(peer(9), {addr("/dns4/a.example/tcp/1")});
  world.run_for(1s);
  CHECK(world.resolved.size() == 2);
  world.run_for(5s);
  CHECK(world.resolved.size() == 3);
  CHECK_FALSE(world.done.contains(waiting));
}
