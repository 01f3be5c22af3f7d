#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/sim/distribution.hpp>

namespace ggen::p2p::sim {
namespace {

// Over many sizes, as latencies are: each power of two is as likely as another.
std::vector<std::uint64_t> many_sizes(base::Prng& prng, std::size_t count) {
  std::vector<std::uint64_t> values;
  while (values.size() < count) {
    const auto shift = static_cast<int>(prng.below(64));
    values.push_back(prng.next() >> shift);
  }
  return values;
}

Distribution of(const std::vector<std::uint64_t>& values) {
  Distribution made;
  for (const std::uint64_t value : values) made.add(value);
  return made;
}

TEST_CASE("quantiles are within 0.4 % of the exact ones") {
  base::Prng prng(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::uint64_t> values = many_sizes(prng, 1 + prng.below(3000));
    const Distribution recorded = of(values);
    std::ranges::sort(values);
    CHECK(recorded.count() == values.size());
    CHECK(recorded.min() == values.front());
    CHECK(recorded.max() == values.back());
    for (const double q : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
      const auto exact = static_cast<double>(values[std::max<std::size_t>(rank, 1) - 1]);
      const auto found = static_cast<double>(recorded.quantile(q));
      CAPTURE(q);
      CHECK(std::abs(found - exact) <= exact * 0.004);
    }
  }
}

TEST_CASE("small counts are exact") {
  Distribution hops;
  hops.add(2, 6);
  hops.add(3, 3);
  hops.add(255);
  CHECK(hops.quantile(0.6) == 2);
  CHECK(hops.quantile(0.61) == 3);
  CHECK(hops.quantile(0.9) == 3);
  CHECK(hops.quantile(0.91) == 255);
  CHECK(hops.mean() == doctest::Approx(27.6));
}

TEST_CASE("an empty distribution has no values") {
  Distribution empty;
  empty.add(5, 0);
  CHECK(empty == Distribution());
  CHECK(empty.count() == 0);
  CHECK(empty.quantile(0.5) == 0);
  CHECK(empty.mean() == 0.0);
  CHECK(empty.cdf().empty());
}

TEST_CASE("merging is recording everything in one, in any order") {
  base::Prng prng(11);
  const auto first = many_sizes(prng, 500);
  const auto second = many_sizes(prng, 300);
  std::vector<std::uint64_t> both = second;
  both.insert(both.end(), first.begin(), first.end());

  Distribution merged = of(first);
  merged.merge(of(second));
  CHECK(merged == of(both));

  Distribution other_way = of(second);
  other_way.merge(of(first));
  CHECK(other_way == merged);

  merged.merge(Distribution());
  CHECK(merged == other_way);
  Distribution from_empty;
  from_empty.merge(merged);
  CHECK(from_empty == merged);
}

TEST_CASE("the greatest value and an overflowing sum are held") {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  Distribution values;
  values.add(kMost, 3);
  CHECK(values.quantile(0.5) == kMost);
  CHECK(values.sum() == kMost);
  CHECK(values.buckets().size() == 1);
  CHECK(values.buckets().front().highest == kMost);
}

TEST_CASE("the steps of the cumulative distribution end with all values at the greatest") {
  base::Prng prng(13);
  const auto values = many_sizes(prng, 1000);
  const auto points = of(values).cdf();
  for (std::size_t i = 1; i < points.size(); ++i) {
    CHECK(points[i - 1].value < points[i].value);
    CHECK(points[i - 1].at_most < points[i].at_most);
  }
  for (const auto& point : points) {
    CHECK(point.at_most == static_cast<std::uint64_t>(std::ranges::count_if(
                               values, [&](std::uint64_t v) { return v <= point.value; })));
  }
  CHECK(points.back().value == std::ranges::max(values));
  CHECK(points.back().at_most == values.size());
}

TEST_CASE("a distribution is restored from what describes it, and from nothing else") {
  base::Prng prng(17);
  const Distribution recorded = of(many_sizes(prng, 1000));
  auto buckets = recorded.buckets();
  const auto restore = [&] {
    return Distribution::restore(buckets, recorded.min(), recorded.max(), recorded.sum());
  };
  CHECK(restore() == recorded);
  CHECK(Distribution::restore({}, 0, 0, 0) == Distribution());
  CHECK_FALSE(Distribution::restore({}, 1, 2, 3));
  CHECK_FALSE(Distribution::restore(buckets, recorded.min(), recorded.max(), 0));
  CHECK_FALSE(Distribution::restore(buckets, recorded.max(), recorded.max(), recorded.sum()));

  SUBCASE("a bucket twice") {
    buckets.insert(buckets.begin(), buckets.front());
  }
  SUBCASE("out of order") {
    std::swap(buckets.front(), buckets.back());
  }
  SUBCASE("no such bucket") {
    ++buckets.back().lowest;
  }
  SUBCASE("another end") {
    --buckets.back().highest;
  }
  SUBCASE("an empty bucket") {
    buckets.front().times = 0;
  }
  SUBCASE("more values than can be counted") {
    buckets.back().times = std::numeric_limits<std::uint64_t>::max();
  }
  SUBCASE("the greatest is missing") {
    buckets.pop_back();
  }
  CHECK_FALSE(restore());
}

}  // namespace
}  // namespace ggen::p2p::sim
