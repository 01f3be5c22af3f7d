#include <set>
#include <unordered_set>

#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/multiaddr.hpp>

#include "multiaddr_vectors.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

namespace {

constexpr std::string_view kPeer = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
constexpr std::string_view kOtherPeer = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";

Multiaddr address(std::string_view text) {
  const auto parsed = Multiaddr::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message());
  return *parsed;
}

std::string with(std::string_view prefix, std::string_view peer) {
  return std::string(prefix) + "/p2p/" + std::string(peer);
}

/// A canonical value of each kind.
std::string_view sample_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kIp4:
      return "/192.0.2.1";
    case ValueKind::kIp6:
      return "/2001:db8::1";
    case ValueKind::kIp6Zone:
      return "/eth0";
    case ValueKind::kPrefixLength:
      return "/24";
    case ValueKind::kPort:
      return "/4001";
    case ValueKind::kDnsName:
      return "/example.com";
    case ValueKind::kPeerId:
      return "/12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
    case ValueKind::kOnion:
      return "/timaq4ygg2iegci7:80";
    case ValueKind::kOnion3:
      return "/" GGEN_ONION3 ":80";
    case ValueKind::kGarlic64:
      return "/" GGEN_GARLIC64;
    case ValueKind::kGarlic32:
      return "/" GGEN_GARLIC32;
    case ValueKind::kCerthash:
      return "/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g";
    case ValueKind::kPath:
      return "/a/b";
    case ValueKind::kHttpPath:
      return "/a%2Fb";
    case ValueKind::kUint64:
      return "/18446744073709551615";
  }
  return "";
}

}  // namespace

TEST_CASE("multiaddr: what go-multiaddr accepts survives text and binary") {
  for (const std::string_view text : vectors::kValid) {
    CAPTURE(text);
    const Multiaddr parsed = address(text);
    CHECK(address(parsed.to_string()) == parsed);
    CHECK(Multiaddr::decode(parsed.bytes()) == parsed);
  }
}

TEST_CASE("multiaddr: what go-multiaddr refuses is refused") {
  for (const std::string_view text : vectors::kInvalid) {
    CAPTURE(text);
    CHECK_FALSE(Multiaddr::parse(text));
  }
}

TEST_CASE("multiaddr: go-multiaddr's bytes, both ways") {
  for (const auto& [text, hex] : vectors::kBytes) {
    CAPTURE(text);
    CHECK(base::to_hex(address(text).bytes()) == hex);
    const auto decoded = Multiaddr::decode(*base::from_hex(hex));
    REQUIRE(decoded);
    CHECK(decoded->to_string() == text);
  }
}

TEST_CASE("multiaddr: canonical text comes out as it went in") {
  for (const std::string_view text : vectors::kCanonical) CHECK(address(text).to_string() == text);
}

TEST_CASE("multiaddr: every registered protocol, both ways") {
  for (const ProtocolInfo& info : registered_protocols()) {
    const std::string text = "/" + std::string(info.name) + std::string(sample_of(info.kind));
    CAPTURE(text);
    const Multiaddr parsed = address(text);
    CHECK(parsed.to_string() == text);
    CHECK(Multiaddr::decode(parsed.bytes()) == parsed);
    const auto component = parsed.find(info.code);
    REQUIRE(component);
    CHECK(component->value.empty() == !info.has_value());
  }
}

TEST_CASE("multiaddr: other texts of the same address") {
  const std::string plain = "/ip4/127.0.0.1/tcp/80";
  CHECK(address(plain + "/") == address(plain));
  CHECK(address(plain + "///") == address(plain));
  CHECK(address("/unix/a/b/").to_string() == "/unix/a/b");
  CHECK(address("/unix//a//b").to_string() == "/unix//a//b");
  CHECK(address("/ipfs/" + std::string(kOtherPeer)).to_string() == with("", kOtherPeer));
  CHECK(address(with("", "bafzbeigvf25ytwc3akrijfecaotc74udrhcxzh2cx3we5qqnw5vgrei4bm")) ==
        address(with("", kOtherPeer)));
  CHECK(address("/ip6/2001:DB8:0:0::1").to_string() == "/ip6/2001:db8::1");
  CHECK(address("/onion/TIMAQ4YGG2IEGCI7:80").to_string() == "/onion/timaq4ygg2iegci7:80");
  CHECK(address("/http-path/a+b c").to_string() == "/http-path/a%2Bb%20c");
  CHECK(address("/http-path/a%2fb").to_string() == "/http-path/a%2Fb");
  CHECK(address("/certhash/zQmbWTwYGcmdyK9CYfNBcfs9nhZs17a6FQ4Y8oea278xx41").to_string() ==
        "/certhash/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g");
}

TEST_CASE("multiaddr: components in order, with their values") {
  const Multiaddr parsed =
      address("/ip4/127.0.0.1/utp/tcp/5555/udp/1234/tls/utp/p2p/" + std::string(kOtherPeer));
  const auto components = parsed.components();
  REQUIRE(components.size() == 7);
  CHECK(components[0].protocol == Protocol::kIp4);
  CHECK(components[0].value_text() == "127.0.0.1");
  CHECK(base::to_hex(components[2].value) == "15b3");
  CHECK(components[6].value_text() == kOtherPeer);
  CHECK(parsed.find(Protocol::kUdp)->value_text() == "1234");
  CHECK(parsed.find(Protocol::kUtp)->value_text().empty());
  CHECK_FALSE(parsed.find(Protocol::kIp6));
  const Multiaddr path = address("/ip4/0.0.0.0/unix/a/b/c/d");
  CHECK(path.components()[1].value_text() == "/a/b/c/d");
  const Multiaddr empty;
  CHECK(empty.components().empty());
}

TEST_CASE("multiaddr: made from an address and a port") {
  const base::Bytes v4 = {192, 0, 2, 42};
  CHECK(Multiaddr::tcp(v4, 443).to_string() == "/ip4/192.0.2.42/tcp/443");
  base::Bytes v6(16, 0);
  v6[15] = 1;
  CHECK(Multiaddr::tcp(v6, 65535).to_string() == "/ip6/::1/tcp/65535");
  CHECK(Multiaddr::tcp(v4, 443) == address("/ip4/192.0.2.42/tcp/443"));
}

TEST_CASE("multiaddr: the address at the front") {
  const auto ip_of = [](std::string_view text) -> std::string {
    const auto ip = address(text).ip();
    return ip ? ip->to_string() : "none";
  };
  CHECK(ip_of("/ip4/1.2.3.4/tcp/80") == "1.2.3.4");
  CHECK(ip_of("/ip6/2001:db8::1/udp/1/quic-v1") == "2001:db8::1");
  CHECK(ip_of("/ip6zone/eth0/ip6/fe80::1/tcp/80") == "fe80::1");
  CHECK(ip_of("/ip6/::ffff:1.2.3.4/tcp/80") == "1.2.3.4");
  CHECK(ip_of("/dns/example.com/tcp/80") == "none");
  CHECK(ip_of("/tcp/80/ip4/1.2.3.4") == "none");
  CHECK(ip_of(with("", kPeer) + "/p2p-circuit/ip4/1.2.3.4") == "none");
  CHECK_FALSE(Multiaddr().ip());
}

TEST_CASE("multiaddr: the port at the front") {
  const auto port_of = [](std::string_view text) { return address(text).tcp_port(); };
  CHECK(port_of("/ip4/1.2.3.4/tcp/80") == 80);
  CHECK(port_of("/ip6/::1/tcp/0") == 0);
  CHECK(port_of("/ip6zone/eth0/ip6/fe80::1/tcp/4001/ws") == 4001);
  CHECK(port_of(with("/dns4/example.com/tcp/443", kPeer)) == 443);
  CHECK_FALSE(port_of("/ip4/1.2.3.4/udp/80/tcp/80"));
  CHECK_FALSE(port_of("/ip4/1.2.3.4"));
  CHECK_FALSE(port_of("/tcp/80"));
  CHECK_FALSE(port_of("/tcp/80/tcp/81"));
  CHECK_FALSE(port_of(with("", kPeer) + "/tcp/80"));
  CHECK_FALSE(port_of("/ip4/1.2.3.4/udp/1/quic-v1/p2p-circuit/ip4/1.2.3.4/tcp/80"));
}

TEST_CASE("multiaddr: the peer id at the end") {
  const PeerId peer = *PeerId::parse(kPeer);
  const Multiaddr plain = address("/ip4/1.2.3.4/tcp/80");
  const Multiaddr full = plain.with_peer_id(peer);
  CHECK(full.to_string() == with("/ip4/1.2.3.4/tcp/80", kPeer));
  CHECK(full.peer_id() == peer);
  CHECK(full.without_peer_id() == plain);
  CHECK(full.with_peer_id(peer) == full);
  CHECK(address(with("/ip4/1.2.3.4/tcp/80", kOtherPeer)).with_peer_id(peer) == full);
  CHECK_FALSE(plain.peer_id());
  CHECK(plain.without_peer_id() == plain);
  CHECK(address(with("", kPeer)).without_peer_id().empty());
  CHECK(Multiaddr().with_peer_id(peer) == address(with("", kPeer)));

  const std::string relayed = with(with("/ip4/1.2.3.4/tcp/80", kOtherPeer) + "/p2p-circuit", kPeer);
  CHECK(address(relayed).peer_id() == peer);
  CHECK_FALSE(address(relayed).without_peer_id().peer_id());
  CHECK_FALSE(address(with("", kPeer) + "/p2p-circuit").peer_id());
}

TEST_CASE("multiaddr: a peer id is only appended where that gives a valid address") {
  const PeerId peer = *PeerId::parse(kPeer);
  const Multiaddr path = address("/unix/a");
  CHECK(path.with_peer_id(peer) == path);
  std::string text;
  for (int i = 0; i < 500; ++i) text += "/tls";
  const Multiaddr full = address(text);
  CHECK(full.with_peer_id(peer) == full);
}

TEST_CASE("multiaddr: ordered, and a key of hash tables") {
  const Multiaddr a = address("/ip4/1.2.3.4/tcp/80");
  const Multiaddr b = address("/ip4/1.2.3.4/tcp/81");
  CHECK(a < b);
  CHECK(std::set<Multiaddr>{b, a, b}.size() == 2);
  CHECK(std::unordered_set<Multiaddr>{b, a, b}.size() == 2);
}
