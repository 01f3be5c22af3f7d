#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/yamux/frame.hpp>

#include "wire.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;

TEST_CASE("frame: headers have the bytes that the specification gives them") {
  const auto hex = [](const Header& header) { return base::to_hex(test::encode(header)); };
  CHECK(hex(test::data(1, 5, flag::kSyn)) == "000000010000000100000005");
  CHECK(hex(test::update(2, 262144, flag::kAck)) == "000100020000000200040000");
  CHECK(hex(test::update(0xfffffffe, 0, flag::kFin)) == "00010004fffffffe00000000");
  CHECK(hex(test::update(3, 0, flag::kRst)) == "000100080000000300000000");
  CHECK(hex(test::ping(0xdeadbeef)) == "0002000100000000deadbeef");
  CHECK(hex(test::ping(7, flag::kAck)) == "000200020000000000000007");
  CHECK(hex(test::go_away(1)) == "000300000000000000000001");
}

TEST_CASE("frame: what is encoded is decoded, also flags without a meaning") {
  base::Prng prng{1};
  for (int i = 0; i < 10'000; ++i) {
    Header header;
    header.type = static_cast<FrameType>(prng.below(4));
    header.flags = static_cast<std::uint16_t>(prng.next());
    header.stream.value = static_cast<std::uint32_t>(prng.next());
    header.length = static_cast<std::uint32_t>(prng.next());
    const auto decoded = decode_header(test::encode(header).data());
    REQUIRE(decoded);
    CHECK(*decoded == header);
  }
}

TEST_CASE("frame: other versions and types are refused") {
  base::Bytes bytes = test::encode(test::data(1, 0));
  for (int version = 1; version < 256; ++version) {
    bytes[0] = static_cast<std::uint8_t>(version);
    CHECK(decode_header(bytes.data()).error() == Error::kInvalidVersion);
  }
  bytes[0] = 0;
  for (int type = 4; type < 256; ++type) {
    bytes[1] = static_cast<std::uint8_t>(type);
    CHECK(decode_header(bytes.data()).error() == Error::kInvalidType);
  }
}
