#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/multiaddr.hpp>

#include "multiaddr_vectors.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;
using Kind = MultiaddrError::Kind;

namespace {

Multiaddr address(std::string_view text) {
  CAPTURE(text);
  const auto parsed = Multiaddr::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message());
  return *parsed;
}

}  // namespace

TEST_CASE("multiaddr: what go-multiaddr accepts survives text and binary") {
  for (const std::string_view text : vectors::kValid) {
    CAPTURE(text);
    const Multiaddr parsed = address(text);
    CHECK(address(parsed.to_string()) == parsed);
    const auto decoded = Multiaddr::decode(parsed.bytes());
    REQUIRE(decoded);
    CHECK(*decoded == parsed);
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
