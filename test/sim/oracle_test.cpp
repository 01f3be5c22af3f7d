#include <array>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/oracle.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using sim::NodeIndex;
using sim::Oracle;
using sim::Simulation;

namespace {

constexpr base::Duration kOneWay = 20ms;

sim::NodeSpec member() {
  sim::NodeSpec spec;
  spec.node.kad.emplace();
  return spec;
}

void connect(Simulation& simulation, NodeIndex from, NodeIndex to) {
  swarm::DialRequest request{
      simulation.id(to), {simulation.network().address(to)}, swarm::Purpose::kUser, true};
  simulation.drive(from, [&](node::Node& n) {
    n.swarm(simulation.now()).dial(std::move(request), simulation.now());
  });
}

struct Lookups final : sim::Observer {
  std::optional<kad::QueryStats> ended;
  void output(NodeIndex, const node::Output& output, base::Instant) override {
    if (const auto* done = std::get_if<kad::QueryDone>(&output)) ended = done->stats;
  }
  void stopped(NodeIndex, base::Instant) override {}
};

// How long a lookup by `node` really takes.
base::Duration look_up(Simulation& simulation, NodeIndex node, base::BytesView key) {
  Lookups lookups;
  simulation.observe(lookups);
  std::expected<kad::QueryId, kad::InputError> query;
  simulation.drive(
      node, [&](node::Node& n) { query = n.kad(simulation.now()).closest(key, simulation.now()); });
  REQUIRE(query);
  const bool ended =
      simulation.run_until([&] { return lookups.ended.has_value(); }, simulation.now() + 1min);
  simulation.ignore(lookups);
  REQUIRE(ended);
  CHECK(lookups.ended->end != kad::QueryEnd::kTimeout);
  return lookups.ended->took;
}

}  // namespace

TEST_CASE("oracle: news take the shortest way over the connections that there are") {
  Simulation simulation{{}, sim::constant_latency(kOneWay)};
  for (NodeIndex i = 0; i < 6; ++i) simulation.start(simulation.add({}));
  for (NodeIndex i = 0; i < 4; ++i) connect(simulation, i, i + 1);
  connect(simulation, 0, 3);
  simulation.run_for(5s);
  const auto reached = Oracle{simulation}.flood(0);
  CHECK(reached[0] == base::Duration{});
  CHECK(reached[1] == kOneWay);
  CHECK(reached[2] == 2 * kOneWay);
  CHECK(reached[3] == kOneWay);
  CHECK(reached[4] == 2 * kOneWay);
  CHECK_FALSE(reached[5]);
}

TEST_CASE("oracle: no lookup is faster, and one that has nothing to guess is as fast") {
  for (const auto fidelity : {sim::Fidelity::kWire, sim::Fidelity::kMessage}) {
    sim::Config config;
    config.fidelity = fidelity;
    Simulation simulation{config, sim::constant_latency(kOneWay)};
    for (NodeIndex i = 0; i < 3; ++i) simulation.start(simulation.add(member()));
    connect(simulation, 1, 2);
    connect(simulation, 0, 1);
    simulation.run_for(5s);
    // It knows both others now, and is connected with one of them.
    simulation.drive(0, [&](node::Node& n) {
      n.swarm(simulation.now()).disconnect(simulation.id(2), simulation.now());
    });
    simulation.run_for(1s);
    REQUIRE_FALSE(simulation.node(0).swarm().connected(simulation.id(2)));
    REQUIRE(simulation.node(0).kad()->table().size() == 2);
    const std::array<std::uint8_t, 32> key{1, 2, 3};
    const auto bound = Oracle{simulation}.lookup(0, kad::Key::of(key));
    REQUIRE(bound);
    CHECK(bound->asked == 2);
    CHECK(bound->dials == 1);
    CHECK(bound->took == 2 * (1 + Oracle::kDialRoundTrips) * kOneWay);
    CHECK(look_up(simulation, 0, key) == bound->took);
  }
}

TEST_CASE("oracle: a bound is a bound") {
  Simulation simulation{{}, sim::geographic_latency()};
  const NodeIndex first = 0;
  for (NodeIndex i = 0; i < 40; ++i) {
    simulation.start(simulation.add(member()));
    if (i > 0) simulation.join(i, std::span{&first, 1});
  }
  simulation.run_for(2min);
  base::Prng prng{7};
  for (int i = 0; i < 20; ++i) {
    std::array<std::uint8_t, 32> key{};
    prng.fill(key);
    const auto node = static_cast<NodeIndex>(prng.below(simulation.size()));
    const auto bound = Oracle{simulation}.lookup(node, kad::Key::of(key));
    REQUIRE(bound);
    CHECK(look_up(simulation, node, key) >= bound->took);
  }
}
