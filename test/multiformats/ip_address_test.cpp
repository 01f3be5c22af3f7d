#include <unordered_set>

#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/ip_address.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

namespace {

IpAddress ip(std::string_view text) {
  CAPTURE(text);
  const auto address = IpAddress::parse(text);
  REQUIRE(address);
  return *address;
}

}  // namespace

TEST_CASE("ip address: canonical text (RFC 5952)") {
  const struct {
    std::string_view text;
    std::string_view canonical;
  } examples[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0000:0000:0000:0000:0000:0000:0000:0001", "::1"},
      {"2001:db8::0:1", "2001:db8::1"},
      {"2001:DB8::AbCd", "2001:db8::abcd"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group is not shortened
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},        // the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},  // the first of equals
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
      {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
      {"2601:9:4f81:9700:803e:ca65:66e8:c21", "2601:9:4f81:9700:803e:ca65:66e8:c21"},
      {"::ffff:127.0.0.1", "::ffff:127.0.0.1"},
      {"::ffff:7f00:1", "::ffff:127.0.0.1"},
      {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"::1.2.3.4", "::102:304"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
  };
  for (const auto& example : examples) {
    CHECK(ip(example.text).to_string() == example.canonical);
    CHECK(ip(example.canonical) == ip(example.text));
  }
}

TEST_CASE("ip address: what is none") {
  for (const std::string_view text : {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.",
                                      ".1.2.3",
                                      "1..2.3",
                                      "256.1.1.1",
                                      "01.2.3.4",
                                      "1.2.3.4 ",
                                      "0x1.2.3.4",
                                      "-1.2.3.4",
                                      ":",
                                      ":::",
                                      "1:",
                                      ":1",
                                      "1:2:3:4:5:6:7",
                                      "::1::",
                                      "1::2::3",
                                      "12345::",
                                      "g::",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7::8",  // "::" has no group to stand for
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1.2.3.4::",
                                      "::1.2.3.4:1",
                                      "::1.2.3",
                                      "::1.2.3.400",
                                      "fe80::1%eth0",
                                      "[::1]",
                                      "::1 ",
                                      " ::1",
                                      "1:::2",
                                      "::ffff:1.2.3.4.5",
                                      "::+1",
                                      "::-1"}) {
    CAPTURE(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
  CHECK_FALSE(IpAddress::parse("1:2:3:4:5:6:7:8::"));
  CHECK_FALSE(IpAddress::parse(std::string(100'000, ':')));
  CHECK_FALSE(IpAddress::parse_v4("::1"));
  CHECK_FALSE(IpAddress::parse_v6("1.2.3.4"));
  CHECK_FALSE(IpAddress::from_bytes(base::Bytes(5)));
}

TEST_CASE("ip address: ranges, at their edges") {
  for (const std::string_view text : {"127.0.0.0", "127.255.255.255", "::1", "::ffff:127.0.0.1"}) {
    CHECK_MESSAGE(ip(text).is_loopback(), text);
  }
  for (const std::string_view text : {"126.255.255.255", "128.0.0.0", "::", "::2", "1::1"}) {
    CHECK_FALSE_MESSAGE(ip(text).is_loopback(), text);
  }
  for (const std::string_view text :
       {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
        "192.168.255.255", "100.64.0.0", "100.127.255.255", "169.254.0.1", "fc00::", "fdff:ffff::1",
        "fe80::1", "febf::1", "::ffff:10.1.2.3"}) {
    CHECK_MESSAGE(ip(text).is_private(), text);
  }
  for (const std::string_view text :
       {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
        "192.169.0.0", "100.63.255.255", "100.128.0.0", "169.253.0.0", "169.255.0.0", "fbff::1",
        "fe00::1", "fe7f::1", "fec0::1", "2001:db8::1", "::1", "127.0.0.1", "::ffff:1.2.3.4"}) {
    CHECK_FALSE_MESSAGE(ip(text).is_private(), text);
  }
  for (const std::string_view text : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    CHECK_MESSAGE(ip(text).is_unspecified(), text);
  }
  CHECK_FALSE(ip("0.0.0.1").is_unspecified());
  CHECK_FALSE(ip("::1").is_unspecified());
}

TEST_CASE("ip address: one host is one host, however it is written") {
  CHECK(ip("::ffff:1.2.3.4").unmapped() == ip("1.2.3.4"));
  CHECK(ip("::ffff:1.2.3.4") != ip("1.2.3.4"));
  CHECK(ip("::1.2.3.4").unmapped() == ip("::1.2.3.4"));
  CHECK(ip("1.2.3.4").unmapped() == ip("1.2.3.4"));
}

TEST_CASE("ip address: networks and groups") {
  CHECK(ip("1.2.3.4").masked(32) == ip("1.2.3.4"));
  CHECK(ip("1.2.3.255").masked(25) == ip("1.2.3.128"));
  CHECK(ip("1.2.3.4").masked(0) == ip("0.0.0.0"));
  CHECK(ip("2001:db8:aabb:ccdd::1").masked(56) == ip("2001:db8:aabb:cc00::"));
  CHECK(ip("1.2.3.4").group() == ip("1.2.0.0"));
  CHECK(ip("::ffff:1.2.3.4").group() == ip("1.2.9.9").group());
  CHECK(ip("2001:db8:aabb::1").group() == ip("2001:db8::"));
  CHECK(ip("2001:db9::1").group() != ip("2001:db8::1").group());
}

TEST_CASE("ip address: IPv4 sorts first, and both are keys of hash tables") {
  CHECK(ip("255.0.0.0") < ip("::"));
  CHECK(ip("1.2.3.4") < ip("1.2.4.0"));
  const std::unordered_set<IpAddress> set{ip("1.2.3.4"), ip("1.2.3.4"), ip("::1")};
  CHECK(set.size() == 2);
}
