#include <doctest/doctest.h>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/kad/key.hpp>

using namespace ggen::p2p;
using kad::Key;

namespace {

Key at(std::string_view hex) {
  const auto bytes = base::from_hex(hex);
  std::array<std::uint8_t, 32> raw{};
  std::copy(bytes->begin(), bytes->end(), raw.begin());
  return Key::at(raw);
}

}  // namespace

TEST_CASE("a key is the SHA-256 of its bytes") {
  CHECK(Key::of(base::as_bytes("abc")) ==
        at("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

TEST_CASE("distances are compared as numbers, the first byte first") {
  const Key zero = at("00");
  CHECK(zero.distance(at("01")) > zero.distance(at("00ff")));
  CHECK(at("80").distance(at("81")) == zero.distance(at("01")));
  CHECK(zero.distance(at("00000000000000000000000000000000000000000000000000000000000000ff")) <
        zero.distance(at("000000000000000001")));
  CHECK(zero.distance(zero) == kad::Distance{});
}

TEST_CASE("a common prefix is counted in bits, across words") {
  const Key zero = at("00");
  CHECK(zero.common_prefix(at("80")) == 0);
  CHECK(zero.common_prefix(at("01")) == 7);
  CHECK(zero.common_prefix(at("000000000000000001")) == 71);
  CHECK(zero.common_prefix(
            at("0000000000000000000000000000000000000000000000000000000000000001")) == 255);
  CHECK(zero.common_prefix(zero) == Key::kBits);
}
