#include <algorithm>

#include <fmt/format.h>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

void peer_discovery(World& world) {
  Simulation& simulation = world.simulation();
  const std::size_t others = world.nodes() - 1;
  world.populate(others);
  world.step("one more node joins");
  const NodeIndex first = 0;
  const base::Instant started = world.now();
  const NodeIndex newcomer = world.start(World::member(), std::span{&first, 1});
  const auto known = [&] { return simulation.node(newcomer).kad()->table().size(); };
  const bool found = world.wait([&] { return known() == others; }, 30s);
  const auto took = std::chrono::duration<double>(world.now() - started).count();
  world.check("the newcomer knows every node", found,
              fmt::format("{} of {} after {:.2f} s", known(), others, took));
  world.run_for(2s);
  const auto connected = simulation.node(newcomer).swarm().connected_peer_count();
  world.check("it is connected to others than the bootstrap node", connected > 1,
              fmt::format("{} peers", connected));
}

void multi_peer_connectivity(World& world) {
  Simulation& simulation = world.simulation();
  const std::size_t count = world.nodes();
  world.populate(count);
  world.step("everybody connects to everybody");
  for (NodeIndex from = 0; from < count; ++from) {
    for (NodeIndex to = from + 1; to < count; ++to) world.connect(from, to);
  }
  const auto peers = [&](NodeIndex node) {
    return simulation.node(node).swarm().connected_peer_count();
  };
  const auto fewest = [&] {
    std::size_t least = count;
    for (NodeIndex node = 0; node < count; ++node) least = std::min(least, peers(node));
    return least;
  };
  const bool full = world.wait([&] { return fewest() == count - 1; }, 10s);
  world.check("each node is connected to each other", full,
              fmt::format("the fewest peers of a node: {}", fewest()));
  world.run_for(10s);
  world.check("and stays so",
              fewest() == count - 1 && simulation.network().links() >= count * (count - 1) / 2,
              fmt::format("{} connections", simulation.network().links()));
}

}  // namespace ggen::p2p::sim::play
