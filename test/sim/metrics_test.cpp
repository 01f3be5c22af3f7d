#include <algorithm>
#include <string_view>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/scenario.hpp>

using namespace ggen::p2p;

namespace {

sim::Report run(std::string_view scenario) {
  return sim::run(*sim::find_scenario(scenario), {});
}

template <class Plots>
const auto& named(const Plots& plots, std::string_view name) {
  const auto found =
      std::ranges::find_if(plots, [&](const auto& plot) { return plot.caption.name == name; });
  REQUIRE(found != plots.end());
  return *found;
}

}  // namespace

TEST_CASE("metrics: how a third peer sees a good and a bad one, over time") {
  const sim::Report report = run("peer-reputation");
  const auto& reputation = named(report.series, "reputation");
  REQUIRE(reputation.lines.size() == 2);
  CHECK(reputation.lines[0].name == "good peer");
  CHECK(reputation.lines[1].name == "bad peer");
  const auto& good = reputation.lines[0].values.points();
  const auto& bad = reputation.lines[1].values.points();
  REQUIRE(bad.size() > 1);
  CHECK(good.size() == bad.size());
  CHECK(good.back().mean() >= 0.9);
  CHECK(bad.back().mean() < 0.5);
}

TEST_CASE("metrics: duplicates over time, of the messages since the last look") {
  const sim::Report report = run("peer-reputation");
  const auto& duplicates = named(report.series, "duplicates-over-time");
  REQUIRE(duplicates.lines.size() == 1);
  CHECK_FALSE(duplicates.lines[0].values.points().empty());
}

TEST_CASE("metrics: hops of lookups") {
  const sim::Report report = run("dht-put-get");
  const auto& hops = named(report.distributions, "hops");
  CHECK(hops.lines[0].values.count() == 2);
  CHECK(hops.lines[0].values.min() >= 1);
}
