#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/network_map.hpp>
#include <ggen/p2p/sim/time_series.hpp>

namespace ggen::p2p::sim {
namespace {

using namespace std::chrono_literals;

base::Instant at(base::Duration since) {
  return base::Instant(since);
}

TEST_CASE("the values of one step become one point") {
  TimeSeries series(100ms, 8);
  series.add(at(10ms), 4);
  series.add(at(90ms), 2);
  series.add(at(100ms), 7);
  REQUIRE(series.points().size() == 2);
  const TimeSeries::Point& first = series.points().front();
  CHECK(first.when == at(10ms));
  CHECK(first.mean() == 3);
  CHECK(first.min == 2);
  CHECK(first.max == 4);
  CHECK(series.points().back().count == 1);
}

TEST_CASE("a long run halves the resolution, keeps the limit and loses no value") {
  TimeSeries series(10ms, 16);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    series.add(at(i * 10ms), i);
    sum += i;
    REQUIRE(series.points().size() <= 16);
  }
  CHECK(series.step() == 10ms * 1024);
  CHECK(series.points().size() >= 8);
  double kept = 0;
  std::uint64_t count = 0;
  for (const TimeSeries::Point& point : series.points()) {
    kept += point.sum;
    count += point.count;
  }
  CHECK(kept == sum);
  CHECK(count == 10'000);
  CHECK(series.points().front().min == 0);
  CHECK(series.points().back().max == 9'999);
}

TEST_CASE("a series that is full of gaps keeps its limit too") {
  TimeSeries series(1ns, 2);
  for (const base::Duration when :
       {base::Duration(0ns), base::Duration(1s), base::Duration(100h)}) {
    series.add(at(when), 1);
  }
  CHECK(series.points().size() == 2);
}

TEST_CASE("values that are not finite are left out") {
  TimeSeries series;
  series.add(at(1s), std::numeric_limits<double>::quiet_NaN());
  series.add(at(2s), std::numeric_limits<double>::infinity());
  CHECK(series == TimeSeries());
}

TEST_CASE("a series is restored from what describes it, and from nothing else") {
  TimeSeries series(10ms, 16);
  for (int i = 0; i < 100; ++i) series.add(at(i * 10ms), i);
  auto points = series.points();
  std::size_t limit = series.limit();
  CHECK(TimeSeries::restore(series.step(), limit, points) == series);
  CHECK_FALSE(TimeSeries::restore(0ms, limit, points));
  CHECK_FALSE(TimeSeries::restore(10min, limit, points));

  SUBCASE("more points than the limit") {
    limit = points.size() - 1;
  }
  SUBCASE("back in time") {
    std::swap(points[0], points[1]);
  }
  SUBCASE("a point of no value") {
    points[0].count = 0;
  }
  SUBCASE("least above greatest") {
    points[0].min = points[0].max + 1;
  }
  SUBCASE("not a number") {
    points[0].sum = std::numeric_limits<double>::quiet_NaN();
  }
  CHECK_FALSE(TimeSeries::restore(series.step(), limit, points));
}

TEST_CASE("a map keeps its first and its last frame, and no more than its limit between them") {
  NetworkMap map;
  REQUIRE(map.add_node({.id = 0, .x = 0.5, .y = 0.5, .label = ""}));
  const std::vector<NetworkMap::State> up{NetworkMap::State::kUp};
  for (int i = 0; i < 5'000; ++i) {
    map.add_frame(at(i * 1s), up);
    REQUIRE(map.frames().size() <= NetworkMap::kMaxFrames);
    REQUIRE(map.frames().front().when == at(0s));
    REQUIRE(map.frames().back().when == at(i * 1s));
  }
  CHECK(map.frames().size() >= NetworkMap::kMaxFrames / 2);
  const base::Duration between = map.frames()[1].when - map.frames()[0].when;
  CHECK(between == 32s);
  for (std::size_t i = 1; i + 1 < map.frames().size(); ++i) {
    CHECK(map.frames()[i].when - map.frames()[i - 1].when == between);
  }
}

TEST_CASE("a map takes no more nodes and edges than its limits") {
  NetworkMap map;
  for (std::uint32_t i = 0; i < NetworkMap::kMaxNodes; ++i) {
    REQUIRE(map.add_node({.id = i, .x = 0, .y = 0, .label = ""}) == i);
  }
  CHECK_FALSE(map.add_node({.id = 0, .x = 0, .y = 0, .label = ""}));
  const std::vector<NetworkMap::State> states(NetworkMap::kMaxNodes, NetworkMap::State::kDown);
  const std::vector<NetworkMap::Edge> edges(NetworkMap::kMaxEdges + 1, {.from = 1, .to = 2});
  map.add_frame(at(0s), states, edges);
  CHECK(map.frames().front().edges.size() == NetworkMap::kMaxEdges);
}

}  // namespace
}  // namespace ggen::p2p::sim
