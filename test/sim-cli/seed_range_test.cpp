#include "seed_range.hpp"

#include <doctest/doctest.h>

using namespace ggen::p2p::sim_cli;

TEST_CASE("seed range: both ends are included") {
  CHECK(parse_seed_range("1..100") == SeedRange{1, 100});
  CHECK(parse_seed_range("7..7")->size() == 1);
  CHECK(parse_seed_range("18446744073709551615..18446744073709551615")->size() == 1);
  CHECK(parse_seed_range("1..1000000")->size() == kMostSeeds);
}

TEST_CASE("seed range: what is none is refused") {
  for (const char* text :
       {"", "x", "7", "..", "1..", "..7", "1..x", "-1..3", "1...3", "1.. 3",
        "1..18446744073709551616", "5..1", "0..1000000", "0..18446744073709551615"}) {
    CAPTURE(text);
    const auto range = parse_seed_range(text);
    REQUIRE_FALSE(range);
    CHECK(range.error().code == Exit::kUsage);
  }
  CHECK(parse_seed_range("5..1").error().hint.find("1..5") != std::string::npos);
}
