#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/multiaddr.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;
using Kind = MultiaddrError::Kind;

namespace {

MultiaddrError text_error(std::string_view text) {
  const auto parsed = Multiaddr::parse(text);
  REQUIRE_FALSE_MESSAGE(parsed.has_value(), text);
  return parsed.error();
}

MultiaddrError binary_error(std::string_view hex) {
  const auto decoded = Multiaddr::decode(*base::from_hex(hex));
  REQUIRE_FALSE_MESSAGE(decoded.has_value(), hex);
  return decoded.error();
}

}  // namespace

TEST_CASE("multiaddr error: text errors name the component and where it starts") {
  const struct {
    std::string_view text;
    Kind kind;
    std::size_t position;
    std::string_view component;
    std::string_view message;
  } examples[] = {
      {"", Kind::kEmpty, 0, "",
       "the multiaddr is empty; it should look like /ip4/192.0.2.1/tcp/4001"},
      {"///", Kind::kEmpty, 0, "",
       "the multiaddr is empty; it should look like /ip4/192.0.2.1/tcp/4001"},
      {"192.0.2.1:4001", Kind::kNoLeadingSlash, 0, "192.0.2.1:4001",
       "a multiaddr starts with a slash, not with \"192.0.2.1:4001\"; it should look like "
       "/ip4/192.0.2.1/tcp/4001"},
      {"ip4/127.0.0.1", Kind::kNoLeadingSlash, 0, "ip4",
       "a multiaddr starts with a slash, not with \"ip4\"; it should look like "
       "/ip4/192.0.2.1/tcp/4001"},
      {"/ip4/127.0.0.1/tpc/80", Kind::kUnknownProtocol, 14, "tpc",
       "unknown protocol \"tpc\" at position 14; did you mean \"tcp\"?"},
      {"/carrier-pigeon/2", Kind::kUnknownProtocol, 0, "carrier-pigeon",
       "unknown protocol \"carrier-pigeon\" at position 0; it should be a registered one like "
       "ip4, dns, tcp or p2p"},
      {"/ip4/127.0.0.1//tcp/80", Kind::kUnknownProtocol, 14, "",
       "a protocol name is missing at position 14"},
      {"/ip4/127.0.0.1/tcp", Kind::kMissingValue, 14, "tcp",
       "\"tcp\" at position 14 has no value; it takes a port from 0 to 65535"},
      {"/ip6zone//ip6/fe80::1", Kind::kMissingValue, 0, "ip6zone",
       "\"ip6zone\" at position 0 has no value; it takes the name of a network interface like "
       "eth0"},
      {"/ip4/127.0.0.1/udp/1/quic-v1/4001", Kind::kUnexpectedValue, 28, "4001",
       "\"quic-v1\" takes no value, but \"4001\" follows it at position 28"},
      {"/ip4/127.0.0.1/tcp/65536", Kind::kInvalidValue, 14, "65536",
       "\"tcp\" at position 14 does not take \"65536\"; it takes a port from 0 to 65535"},
      {"/ip4/127.0.0.1/p2p/Qmx", Kind::kInvalidValue, 14, "Qmx",
       "\"p2p\" at position 14 does not take \"Qmx\"; it takes a peer id like 12D3KooW... or "
       "Qm..., or its CID bafz..."},
      {"/ip4/127.0.0.1/ipfs/Qmx", Kind::kInvalidValue, 14, "Qmx",
       "\"p2p\" at position 14 does not take \"Qmx\"; it takes a peer id like 12D3KooW... or "
       "Qm..., or its CID bafz..."},
  };
  for (const auto& example : examples) {
    CAPTURE(example.text);
    const MultiaddrError error = text_error(example.text);
    CHECK(error.kind == example.kind);
    CHECK(error.position == example.position);
    CHECK(error.component == example.component);
    CHECK(error.message() == example.message);
  }
}

TEST_CASE("multiaddr error: binary errors name the component and where it starts") {
  const struct {
    std::string_view hex;
    Kind kind;
    std::size_t position;
    std::string_view component;
  } examples[] = {
      {"", Kind::kEmpty, 0, ""},
      {"047f00000107", Kind::kUnknownProtocol, 5, "7"},
      {"ffffffffffffffff7f", Kind::kUnknownProtocol, 0, "9223372036854775807"},
      {"85808080808001", Kind::kUnknownProtocol, 0, "4398046511109"},  // 4 above 2^42: not ip4
      {"047f0000", Kind::kTruncated, 0, "ip4"},
      {"047f000001061f", Kind::kTruncated, 5, "tcp"},
      {"047f00000180", Kind::kTruncated, 5, "protocol code"},
      {"35", Kind::kTruncated, 0, "dns"},
      {"350361", Kind::kTruncated, 0, "dns"},
      {"35ffffffffffffffff7f61", Kind::kTruncated, 0, "dns"},  // a length nobody believes
      {"84007f000001", Kind::kNonMinimalVarint, 0, "protocol code"},
      {"35810061", Kind::kNonMinimalVarint, 0, "dns"},
      {"ffffffffffffffffffff01", Kind::kNonMinimalVarint, 0, "protocol code"},
      {"3500", Kind::kInvalidValue, 0, "0x"},
      {"047f000001a503021200", Kind::kInvalidValue, 5, "0x1200"},
      {"a503221221c05877cbae039d70a5e600ea02c6f9f2942439285c9e344e26f8d280c850fad6",
       Kind::kInvalidValue, 0, "0x1221c05877cbae039d70a5e600ea02c6f9f2942439285c9e344e26f8d280c8"},
      {"9003022f610601bb", Kind::kAfterPath, 5, "unix"},
  };
  for (const auto& example : examples) {
    CAPTURE(example.hex);
    const MultiaddrError error = binary_error(example.hex);
    CHECK(error.kind == example.kind);
    CHECK(error.position == example.position);
    CHECK(error.component == example.component);
    CHECK_FALSE(error.message().empty());
  }
}

TEST_CASE("multiaddr error: what is kept of a component is short and printable") {
  const MultiaddrError error = text_error("/dns4/\x1b[31m" + std::string(100'00, 'x') + "/tcp/1");
  CHECK(error.kind == Kind::kInvalidValue);
  CHECK(error.component == "?[31m" + std::string(59, 'x'));
}

TEST_CASE("multiaddr error: values that no protocol takes") {
  for (const std::string_view text : {"/tcp/080",
                                      "/tcp/+80",
                                      "/tcp/ 80",
                                      "/tcp/80 ",
                                      "/tcp/0x50",
                                      "/ip4/::ffff:1.2.3.4",
                                      "/ip4/127.0.0.01",
                                      "/ip6/1.2.3.4",
                                      "/ip6/fe80::1%eth0",
                                      "/ip6zone/a b/ip6/::1",
                                      "/ipcidr/-1",
                                      "/dns/a b",
                                      "/dns/a\nb",
                                      "/dns/\x7f",
                                      "/dns/\xff",
                                      "/dns/\xc0\xaf",
                                      "/dns/\xed\xa0\x80",
                                      "/dns/\xf4\x90\x80\x80",
                                      "/dns/\xc2\x9b",
                                      "/dns/\xe2\x82",
                                      "/unix/a\nb",
                                      "/onion/timaq4ygg2iegci7:80:80",
                                      "/onion/timaq4ygg2iegci7:",
                                      "/onion/timaq4ygg2iegci7aaaaaaaa:80",
                                      "/garlic64/AAAA",
                                      "/garlic32/AAAA",
                                      "/certhash/uEiDDq4",
                                      "/certhash/u",
                                      "/certhash/EiDDq4",
                                      "/http-path/%",
                                      "/http-path/%2",
                                      "/http-path/%zz",
                                      "/memory/18446744073709551616",
                                      "/memory/-1",
                                      "/memory/",
                                      "/p2p/11111111111111111111111111111111111111111111111111"}) {
    CAPTURE(text);
    CHECK_FALSE(Multiaddr::parse(text));
  }
  CHECK_FALSE(Multiaddr::parse("/dns/" + std::string(255, 'a')));
  CHECK(Multiaddr::parse("/dns/" + std::string(254, 'a')));
  CHECK(Multiaddr::parse("/dns4/\xe4\xbe\x8b\xe3\x81\x88.example"));
}

TEST_CASE("multiaddr error: the limit of 1,024 bytes") {
  std::string text;
  base::Bytes bytes;
  for (int i = 0; i < 512; ++i) {
    text += "/p2p-websocket-star";
    bytes.insert(bytes.end(), {0xdf, 0x03});
  }
  const auto most = Multiaddr::parse(text);
  REQUIRE(most);
  CHECK(base::equal(most->bytes(), bytes));
  CHECK(most->to_string() == text);
  CHECK(Multiaddr::decode(bytes) == *most);

  CHECK(text_error(text + "/tls").kind == Kind::kTooLong);
  CHECK(text_error(std::string(1'000'000, '/')).kind == Kind::kTooLong);
  bytes.insert(bytes.end(), {0xc0, 0x03});
  CHECK(Multiaddr::decode(bytes).error().kind == Kind::kTooLong);
  CHECK(text_error("/unix/" + std::string(2000, 'a')).message() ==
        "the multiaddr is longer than 1024 bytes");
}
