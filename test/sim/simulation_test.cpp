#include <algorithm>
#include <ranges>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/simulation.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using sim::NodeIndex;
using sim::Simulation;

namespace {

sim::NodeSpec member() {
  sim::NodeSpec spec;
  spec.node.kad.emplace();
  spec.node.gossipsub.emplace();
  return spec;
}

// Nodes that know only the first one.
void populate(Simulation& simulation, std::size_t count, const sim::NodeSpec& spec = member()) {
  const NodeIndex first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const NodeIndex node = simulation.add(spec);
    simulation.start(node);
    if (node != first) simulation.join(node, std::span{&first, 1});
  }
}

bool knows_all(const Simulation& simulation, std::size_t peers) {
  for (NodeIndex i = 0; i < simulation.size(); ++i) {
    if (simulation.is_up(i) && simulation.node(i).kad()->table().size() < peers) return false;
  }
  return true;
}

crypto::Sha256Digest run(std::uint64_t seed) {
  sim::Config config;
  config.seed = seed;
  config.network.jitter = 3ms;
  config.network.loss = 0.01;
  Simulation simulation{config, sim::geographic_latency()};
  populate(simulation, 12);
  simulation.run_for(1min);
  CHECK(knows_all(simulation, 11));
  return simulation.digest();
}

}  // namespace

TEST_CASE("simulation: nodes that know one address find each other") {
  Simulation simulation{{}};
  populate(simulation, 20);
  CHECK(simulation.run_until([&] { return knows_all(simulation, 19); }, base::Instant{} + 1min));
}

TEST_CASE("simulation: one seed gives one trace, another seed another") {
  const auto first = run(7);
  CHECK(first == run(7));
  CHECK(first != run(8));
}

TEST_CASE("simulation: a node that stops leaves no link, and can start again") {
  Simulation simulation{{}};
  populate(simulation, 5);
  simulation.run_for(10s);
  REQUIRE(simulation.network().links() > 0);
  simulation.stop(3);
  simulation.run_for(10s);
  CHECK_FALSE(simulation.is_up(3));
  for (NodeIndex i : {0u, 1u, 2u, 4u})
    CHECK_FALSE(simulation.node(i).swarm().connected(simulation.id(3)));
  simulation.start(3);
  const NodeIndex first = 0;
  simulation.join(3, std::span{&first, 1});
  CHECK(simulation.run_until([&] { return simulation.node(3).kad()->table().size() == 4; },
                             simulation.now() + 1min));
  for (NodeIndex i = 0; i < 5; ++i) simulation.stop(i);
  simulation.run_for(1min);
  for (NodeIndex i = 0; i < 5; ++i) CHECK_FALSE(simulation.is_up(i));
  CHECK(simulation.network().links() == 0);
}

TEST_CASE("simulation: peers notice a killed process at once, a lost power by silence") {
  Simulation simulation{{}};
  populate(simulation, 4);
  simulation.run_for(10s);
  simulation.crash(2, sim::Network::Crash::kProcess);
  simulation.run_for(1s);
  CHECK_FALSE(simulation.node(1).swarm().connected(simulation.id(2)));
  simulation.crash(3, sim::Network::Crash::kPower);
  simulation.run_for(1s);
  CHECK(simulation.node(1).swarm().connected(simulation.id(3)));
  CHECK(
      simulation.run_until([&] { return !simulation.node(1).swarm().connected(simulation.id(3)); },
                           simulation.now() + 5min));
}

TEST_CASE("simulation: what a partition holds up arrives when it is over") {
  Simulation simulation{{}};
  populate(simulation, 4);
  simulation.run_for(10s);
  const auto cut = simulation.network().part({{}, {}, {}, {2, 2}});
  const auto before = simulation.network().traffic(3).received;
  simulation.run_for(5s);
  CHECK(simulation.network().traffic(3).received == before);
  simulation.network().heal(cut);
  simulation.run_for(30s);
  CHECK(simulation.network().traffic(3).received > before);
  CHECK(simulation.node(3).swarm().connected(simulation.id(0)));
}
