#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

TEST_CASE("addresses fall into scopes") {
  const auto check = [](IpScope scope, std::initializer_list<const char*> addresses) {
    for (const char* text : addresses) CHECK_MESSAGE(scope_of(ip(text)) == scope, text);
  };
  check(IpScope::kLoopback, {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"});
  check(IpScope::kPrivate, {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                            "169.254.3.4", "100.64.0.1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"});
  check(IpScope::kPublic, {"8.8.8.8", "172.32.0.1", "198.51.100.7", "2001:db8::1", "128.0.0.1",
                           "223.255.255.255", "::ffff:8.8.8.8"});
  check(IpScope::kUnusable, {"0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255",
                             "::", "ff02::1", "::ffff:0.0.0.0"});
}

TEST_CASE("ranges are read and hold what they should") {
  CHECK(prefix("10.0.0.0/8").contains(ip("10.255.0.1")));
  CHECK_FALSE(prefix("10.0.0.0/8").contains(ip("11.0.0.0")));
  CHECK(prefix("192.0.2.128/25").contains(ip("192.0.2.200")));
  CHECK_FALSE(prefix("192.0.2.128/25").contains(ip("192.0.2.127")));
  CHECK(prefix("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  CHECK_FALSE(prefix("2001:db8::/33").contains(ip("2001:db8:8000::1")));
  CHECK(prefix("0.0.0.0/0").contains(ip("203.0.113.1")));
  CHECK_FALSE(prefix("0.0.0.0/0").contains(ip("::1")));
  CHECK(prefix("192.0.2.1").contains(ip("192.0.2.1")));
  CHECK_FALSE(prefix("192.0.2.1").contains(ip("192.0.2.2")));
  CHECK(prefix("192.0.2.0/24").contains(ip("::ffff:192.0.2.9")));
  CHECK(prefix("::ffff:192.0.2.0/120") == prefix("192.0.2.0/24"));
  CHECK(prefix("192.0.2.77/24") == prefix("192.0.2.0/24"));
  for (const char* bad : {"", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/8x",
                          "10.0.0.0/-1", "::ffff:192.0.2.0/24", "host/8", "10.0.0.0/8/8"}) {
    CHECK_MESSAGE(!IpPrefix::parse(bad), bad);
  }
}

TEST_CASE("an endpoint is IP and TCP and nothing else") {
  const auto endpoint = endpoint_of(addr("/ip4/192.0.2.1/tcp/4001"));
  REQUIRE(endpoint);
  CHECK(endpoint->address == ip("192.0.2.1"));
  CHECK(endpoint->port == 4001);
  CHECK(endpoint->to_multiaddr() == addr("/ip4/192.0.2.1/tcp/4001"));
  CHECK(endpoint_of(addr("/ip6/2001:db8::1/tcp/1").with_peer_id(peer(1)))->port == 1);
  // Two ways of writing one address are one endpoint.
  CHECK(endpoint_of(addr("/ip6/::ffff:192.0.2.1/tcp/4001")) == endpoint);
  for (const char* other :
       {"/ip4/192.0.2.1", "/ip4/192.0.2.1/udp/1/quic-v1", "/tcp/1", "/dns4/a.example/tcp/1",
        "/ip4/192.0.2.1/tcp/1/ws", "/ip6zone/eth0/ip6/fe80::1/tcp/1"}) {
    CHECK_MESSAGE(!endpoint_of(addr(other)), other);
  }
}
