#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/protocols.hpp>

using namespace ggen::p2p::multiformats;

TEST_CASE("protocols: the registry's rows") {
  constexpr int kV = ProtocolInfo::kVariable;
  const struct {
    unsigned code;
    int size_bits;
    std::string_view name;
  } rows[] = {
      {4, 32, "ip4"},
      {6, 16, "tcp"},
      {273, 16, "udp"},
      {33, 16, "dccp"},
      {41, 128, "ip6"},
      {42, kV, "ip6zone"},
      {43, 8, "ipcidr"},
      {53, kV, "dns"},
      {54, kV, "dns4"},
      {55, kV, "dns6"},
      {56, kV, "dnsaddr"},
      {132, 16, "sctp"},
      {301, 0, "udt"},
      {302, 0, "utp"},
      {400, kV, "unix"},
      {421, kV, "p2p"},
      {421, kV, "ipfs"},
      {444, 96, "onion"},
      {445, 296, "onion3"},
      {446, kV, "garlic64"},
      {447, kV, "garlic32"},
      {448, 0, "tls"},
      {449, kV, "sni"},
      {454, 0, "noise"},
      {460, 0, "quic"},
      {461, 0, "quic-v1"},
      {465, 0, "webtransport"},
      {466, kV, "certhash"},
      {480, 0, "http"},
      {481, kV, "http-path"},
      {443, 0, "https"},
      {477, 0, "ws"},
      {478, 0, "wss"},
      {479, 0, "p2p-websocket-star"},
      {277, 0, "p2p-stardust"},
      {275, 0, "p2p-webrtc-star"},
      {276, 0, "p2p-webrtc-direct"},
      {280, 0, "webrtc-direct"},
      {281, 0, "webrtc"},
      {290, 0, "p2p-circuit"},
      {777, 64, "memory"},
      {7367777, 0, "plaintextv2"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const ProtocolInfo* const info = find_protocol(row.name);
    REQUIRE(info != nullptr);
    CHECK(static_cast<unsigned>(info->code) == row.code);
    CHECK(info->size_bits == row.size_bits);
    CHECK(info->has_value() == (row.size_bits != 0));
    CHECK(info->is_path() == (row.name == "unix"));
    CHECK(find_protocol(static_cast<Protocol>(row.code)) == info);
  }
  CHECK(registered_protocols().size() == std::size(rows) - 1);  // ipfs is no row of its own
}

TEST_CASE("protocols: what is not registered is not found") {
  CHECK(find_protocol("") == nullptr);
  CHECK(find_protocol("TCP") == nullptr);
  CHECK(find_protocol("tcp ") == nullptr);
  CHECK(find_protocol(static_cast<Protocol>(0)) == nullptr);
  CHECK(find_protocol(static_cast<Protocol>(0xffffffff)) == nullptr);
}

TEST_CASE("protocols: the nearest name") {
  CHECK(nearest_protocol_name("tpc") == "tcp");
  CHECK(nearest_protocol_name("TCP") == "tcp");
  CHECK(nearest_protocol_name("ipv4") == "ip4");
  CHECK(nearest_protocol_name("quicv1") == "quic-v1");
  CHECK(nearest_protocol_name("p2p-webcrt-direct") == "p2p-webrtc-direct");
  CHECK(nearest_protocol_name("").empty());
  CHECK(nearest_protocol_name("4001").empty());
  CHECK(nearest_protocol_name("example.com").empty());
  CHECK(nearest_protocol_name(std::string(100'000, 'x')).empty());
}
