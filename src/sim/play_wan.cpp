#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/sim/oracle.hpp>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kLookups = 200;
// A node's own lookups would wait for each other, and many at once would load the network.
constexpr std::size_t kAtOnce = 20;
// How much longer a lookup may take than an all-knowing one, by the medians.
constexpr double kLookupAim = 1.5;

double milliseconds(base::Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// The smallest value that `share` of all do not exceed; 0 when there are none.
base::Duration at_share(std::vector<base::Duration> values, double share) {
  if (values.empty()) return {};
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

void news(World& world) {
  world.step("publish");
  const auto publisher = static_cast<NodeIndex>(world.prng().below(world.nodes()));
  std::vector<base::Duration> flooded;
  for (const auto& time : Oracle{world.simulation()}.flood(publisher)) {
    if (time) flooded.push_back(*time);
  }
  const auto package = Package::make("tabs", "1.0.0", "Tabs for everybody", 64 * 1024);
  const auto entry = world.publish(publisher, package);
  const base::Instant published = world.now();
  const auto reached = [&](std::size_t percent) {
    return entry && world.reached(*entry) * 100 >= world.nodes() * percent;
  };
  const bool most = world.wait([&] { return reached(99); }, 1min);
  const base::Duration took = world.now() - published;
  world.check(
      "a release reaches 99 % of all nodes within a second", most && took <= 1s,
      fmt::format("after {:.0f} ms; flooding over the same connections would take {:.0f} ms",
                  milliseconds(took), milliseconds(at_share(std::move(flooded), 0.99))));
  const bool all = world.wait([&] { return reached(100); }, 1min);
  world.check("and all of them", all,
              fmt::format("{} of {}, after {:.1f} s", entry ? world.reached(*entry) : 0,
                          world.nodes(), milliseconds(world.now() - published) / 1000));
}

struct Looking {
  NodeIndex node;
  kad::QueryId query;
  base::Duration bound;
};

void lookups(World& world) {
  world.step("look up");
  std::vector<base::Duration> took;
  std::vector<base::Duration> bounds;
  std::map<std::string_view, std::size_t> ends;
  std::size_t unbounded = 0;
  for (std::size_t begun = 0; begun < kLookups; begun += kAtOnce) {
    const Oracle oracle{world.simulation()};
    std::vector<Looking> under_way;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const auto node = static_cast<NodeIndex>(world.prng().below(world.nodes()));
      std::array<std::uint8_t, 32> key{};
      world.prng().fill(key);
      const auto bound = oracle.lookup(node, kad::Key::of(key));
      const auto query = world.start_closest(node, key);
      unbounded += bound ? 0 : 1;
      if (bound && query) under_way.push_back({node, *query, bound->took});
    }
    world.wait(
        [&] {
          return std::ranges::all_of(under_way, [&](const Looking& l) {
            return world.looked_up(l.node, l.query) != nullptr;
          });
        },
        2min);
    for (const Looking& lookup : under_way) {
      const kad::QueryDone* done = world.looked_up(lookup.node, lookup.query);
      if (done == nullptr) continue;
      ++ends[to_string(done->stats.end)];
      took.push_back(done->stats.took);
      bounds.push_back(lookup.bound);
    }
  }
  std::string seen = fmt::format("{} beyond what the tables know", unbounded);
  for (const auto& [end, count] : ends) seen += fmt::format("; {}: {}", end, count);
  const std::size_t sure = ends[to_string(kad::QueryEnd::kConverged)];
  world.check("every lookup ends with the nearest nodes", sure == kLookups, std::move(seen));
  const double ratio =
      milliseconds(at_share(took, 0.5)) / std::max(1.0, milliseconds(at_share(bounds, 0.5)));
  world.check(fmt::format("a lookup takes at most {} times what an oracle needs", kLookupAim),
              !took.empty() && ratio <= kLookupAim,
              fmt::format("p50 {:.0f} ms against {:.0f} ms, {:.2f} times; p99 {:.0f} ms",
                          milliseconds(at_share(took, 0.5)), milliseconds(at_share(bounds, 0.5)),
                          ratio, milliseconds(at_share(took, 0.99))));
}

}  // namespace

void wan(World& world) {
  world.populate(world.nodes());
  world.step("the network settles");
  world.run_for(1min);
  const std::size_t links = world.simulation().network().links();
  world.check("every node has at least eight connections on average", links >= 4 * world.nodes(),
              fmt::format("{:.1f}", 2.0 * static_cast<double>(links) / world.nodes()));
  news(world);
  lookups(world);
}

}  // namespace ggen::p2p::sim::play
