#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

std::size_t knowing(World& world, std::string_view name) {
  std::size_t nodes = 0;
  for (const NodeIndex node : world.up()) nodes += world.resolve(node, name) ? 1 : 0;
  return nodes;
}

}  // namespace

void network_partition(World& world) {
  constexpr NodeIndex kCutOff = 3;
  world.populate(world.nodes());
  Network& network = world.simulation().network();
  world.step("three nodes are cut off");
  const auto first = static_cast<NodeIndex>(world.nodes() - kCutOff);
  Partition partition(world.nodes());
  std::fill(partition.begin() + first, partition.end(), Groups{2, 2});
  const PartitionId cut = network.part(std::move(partition));
  world.run_for(10s);

  const auto here = Package::make("here", "1.0.0", "Published by the many", 2000);
  const auto there = Package::make("there", "1.0.0", "Published by the few", 2000);
  const auto entry_here = world.publish(0, here);
  const auto entry_there = world.publish(first, there);
  // Long enough for connections to be given up.
  world.run_for(2min);
  world.check("each side has its own only",
              entry_here && entry_there && world.reached(*entry_here) == first &&
                  world.reached(*entry_there) == kCutOff,
              fmt::format("{} and {} nodes", entry_here ? world.reached(*entry_here) : 0,
                          entry_there ? world.reached(*entry_there) : 0));

  world.step("the network is whole again");
  network.heal(cut);
  const base::Instant healed = world.now();
  const bool caught_up = entry_here && entry_there && world.spread(*entry_here, 5min) &&
                         world.spread(*entry_there, 5min) && world.settled(1min);
  world.check("everybody catches up", caught_up,
              fmt::format("after {:.1f} s; {} and {} of {} nodes",
                          std::chrono::duration<double>(world.now() - healed).count(),
                          knowing(world, "here"), knowing(world, "there"), world.nodes()));
}

void peer_failure_recovery(World& world) {
  Simulation& simulation = world.simulation();
  for (NodeIndex i = 0; i < world.nodes(); ++i) {
    const NodeIndex before = i == 0 ? 0 : i - 1;
    world.start(World::member(), std::span{&before, i == 0 ? 0u : 1u});
  }
  world.connect(world.nodes() - 1, 0);
  world.run_for(5s);
  world.step("publish, and one other node fetches");
  const auto package = Package::make("tabs", "1.0.0", "Tabs", 3 * 256 * 1024 + 17);
  const auto entry = world.publish(0, package);
  world.check("the release reaches every node", entry && world.spread(*entry, 30s), "");
  const auto copy = world.fetch(2, package);
  world.check("a second node holds it", copy && copy->result.has_value(), "");
  world.run_for(5s);

  world.step("the publisher crashes");
  simulation.crash(0, Network::Crash::kPower);
  const auto found = world.search(4, {"tabs"}, 3s);
  world.check("the package is still found", found && found->hits.size() == 1, "");
  const auto fetched = world.fetch(4, package);
  world.check("and fetched from the other", fetched && fetched->result.has_value(),
              fetched
                  ? fmt::format("{:.2f} s", std::chrono::duration<double>(fetched->took).count())
                  : "no end");
}

}  // namespace ggen::p2p::sim::play
