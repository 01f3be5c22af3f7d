#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>

using namespace ggen::p2p::base;

TEST_CASE("prng: one seed, one sequence; a child does not depend on how far the parent has come") {
  Prng a{7};
  Prng b{7};
  const Prng early = a.child("kad");
  for (int i = 0; i < 100; ++i) CHECK(a.next() == b.next());
  Prng late = a.child("kad");
  Prng first = early;
  CHECK(first.next() == late.next());
  Prng other = a.child("gossipsub");
  CHECK(other.next() != first.next());
}

TEST_CASE("prng: the published algorithm, so that a trace outlives a rewrite") {
  // splitmix64(0) seeds xoshiro256++: the first three values of the reference implementation.
  Prng prng{0};
  CHECK(prng.next() == 0x53175d61490b23df);
  CHECK(prng.next() == 0x61da6f3dc380d507);
  CHECK(prng.next() == 0x5c0fdf91ec9a7bfc);
}

TEST_CASE("prng: below() stays in range and reaches every value") {
  Prng prng{1};
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen.at(prng.below(7));
  for (const int count : seen) CHECK(count > 800);
}

TEST_CASE("prng: shuffle keeps the elements") {
  Prng prng{3};
  std::vector<int> values(50);
  std::iota(values.begin(), values.end(), 0);
  auto shuffled = values;
  prng.shuffle(shuffled);
  CHECK(shuffled != values);
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == values);
}
