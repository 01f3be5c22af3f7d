#include "swarm/access.hpp"

#include "world.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

namespace {

const char* const kA = "/ip4/192.0.2.1/tcp/1";
const char* const kB = "/ip4/198.51.100.1/tcp/1";

void set_access(World& world, AccessLists access) {
  world.call([&](Swarm& swarm, Instant now) { swarm.set_access(access, now); });
}

DialFailureKind kind_of(World& world, DialId dial) {
  const auto result = world.finish(dial);
  REQUIRE_FALSE(result);
  return result.error().kind;
}

}  // namespace

TEST_CASE("deny wins, and an allow list admits only what it names") {
  AccessLists lists;
  CHECK(judge(lists, ip("192.0.2.1")) == Access::kAdmitted);
  CHECK(judge(lists, peer(1)) == Access::kAdmitted);
  lists.deny_addresses = {prefix("192.0.2.0/24"), prefix("2001:db8::/32")};
  lists.deny_peers = {peer(1)};
  CHECK(judge(lists, ip("192.0.2.1")) == Access::kDenied);
  CHECK(judge(lists, ip("::ffff:192.0.2.1")) == Access::kDenied);
  CHECK(judge(lists, ip("2001:db8::9")) == Access::kDenied);
  CHECK(judge(lists, ip("198.51.100.1")) == Access::kAdmitted);
  CHECK(judge(lists, peer(1)) == Access::kDenied);
  CHECK(judge(lists, peer(2)) == Access::kAdmitted);
  lists.allow_addresses = {prefix("192.0.0.0/8")};
  lists.allow_peers = {peer(1), peer(3)};
  CHECK(judge(lists, ip("192.0.2.1")) == Access::kDenied);
  CHECK(judge(lists, ip("192.9.2.1")) == Access::kAdmitted);
  CHECK(judge(lists, ip("198.51.100.1")) == Access::kNotAllowed);
  CHECK(judge(lists, peer(1)) == Access::kDenied);
  CHECK(judge(lists, peer(2)) == Access::kNotAllowed);
  CHECK(judge(lists, peer(3)) == Access::kAdmitted);
}

TEST_CASE("nobody gets in or is dialled past the deny lists") {
  Config config;
  config.access.deny_addresses = {prefix("192.0.2.0/24")};
  config.access.deny_peers = {peer(1)};
  World world(config);
  CHECK(world.accept(kA) == std::unexpected(RefuseReason::kAddressDenied));
  const auto inbound = world.accept(kB);
  REQUIRE(inbound);
  CHECK(world.secure(*inbound, peer(1)) == std::unexpected(LocalClose::kPeerDenied));
  CHECK(kind_of(world, world.dial(peer(1), {addr(kB)})) == DialFailureKind::kPeerDenied);
  const auto dialled = world.finish(world.dial(peer(2), {addr(kA)}));
  REQUIRE_FALSE(dialled);
  CHECK(dialled.error().addresses[0].reason == AddressFailureReason(NotTried::kAddressDenied));
  // A denied peer is found out also behind an address without a name.
  world.places[kB] = Place::of(peer(1));
  const auto found = world.finish(world.dial({{}, {addr(kB)}, Purpose::kUser, false}));
  REQUIRE_FALSE(found);
  CHECK(found.error().addresses[0].reason == AddressFailureReason(LocalClose::kPeerDenied));
}

TEST_CASE("nobody gets in or is dialled who is not on the allow lists") {
  Config config;
  config.access.allow_addresses = {prefix("198.51.100.0/24")};
  config.access.allow_peers = {peer(1)};
  World world(config);
  CHECK(world.accept(kA) == std::unexpected(RefuseReason::kAddressNotAllowed));
  const auto inbound = world.accept(kB);
  REQUIRE(inbound);
  CHECK(world.secure(*inbound, peer(2)) == std::unexpected(LocalClose::kPeerNotAllowed));
  CHECK(kind_of(world, world.dial(peer(2), {addr(kB)})) == DialFailureKind::kPeerNotAllowed);
  const auto dialled = world.finish(world.dial(peer(1), {addr(kA)}));
  CHECK(dialled.error().addresses[0].reason == AddressFailureReason(NotTried::kAddressNotAllowed));
  world.places[kB] = Place::of(peer(1));
  CHECK(world.finish(world.dial(peer(1), {addr(kB)}, true)));
}

TEST_CASE("new lists close and end what they no longer admit") {
  World world;
  world.admit(kA, peer(1));
  world.admit("/ip4/198.51.100.2/tcp/2", peer(2));
  world.admit("/ip4/203.0.113.9/tcp/2", peer(3));
  const auto half_open = world.accept("/ip4/192.0.2.77/tcp/2");
  const DialId to_denied_peer = world.dial(peer(4), {addr(kB)});
  const DialId to_denied_address = world.dial(peer(5), {addr("/ip4/192.0.2.5/tcp/1")});
  const DialId unharmed = world.dial(peer(6), {addr("/ip4/203.0.113.6/tcp/1")});

  AccessLists lists;
  lists.deny_addresses = {prefix("192.0.2.0/24")};
  lists.deny_peers = {peer(2), peer(4)};
  set_access(world, lists);
  CHECK(world.swarm().access().deny_peers.size() == 2);
  std::map<connection::ConnectionId, LocalClose> closes(world.closes.begin(), world.closes.end());
  CHECK(closes.size() == 3);
  CHECK(closes.at(*half_open) == LocalClose::kAddressDenied);
  CHECK(world.done.at(to_denied_peer).second.error().kind == DialFailureKind::kPeerDenied);
  CHECK(world.done.at(to_denied_address).second.error().kind == DialFailureKind::kNoAddresses);
  CHECK(world.cancelled.size() == 2);
  CHECK_FALSE(world.done.contains(unharmed));
  world.run_for(1s);
  CHECK(world.swarm().connected_peers() == std::vector{peer(3)});
}
