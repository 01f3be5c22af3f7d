#include <algorithm>
#include <memory>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/fault_plan.hpp>
#include <ggen/p2p/sim/fault_player.hpp>
#include <ggen/p2p/sim/package.hpp>
#include <ggen/p2p/sim/scenario.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using sim::FaultKind;
using sim::NodeIndex;
using sim::Simulation;

namespace {

constexpr NodeIndex kHit = 2;  // the node that suffers

sim::FaultRates all_kinds(double rate) {
  sim::FaultRates rates;
  rates.of.fill(rate);
  return rates;
}

std::vector<NodeIndex> nodes(NodeIndex count) {
  std::vector<NodeIndex> all;
  for (NodeIndex i = 0; i < count; ++i) all.push_back(i);
  return all;
}

std::vector<std::string> texts(const sim::FaultPlan& plan) {
  std::vector<std::string> all;
  for (const sim::Fault& fault : plan) {
    all.push_back(std::to_string(fault.at.count()) + " " + sim::describe(fault));
  }
  return all;
}

// Four nodes that know each other, and a player of faults.
class Small {
 public:
  Small() {
    sim::NodeSpec spec;
    spec.node.kad.emplace();
    spec.node.gossipsub.emplace();
    spec.publishes = true;
    for (NodeIndex i = 0; i < 4; ++i) {
      simulation.add(spec);
      start(i);
    }
    simulation.run_for(10s);
  }

  void start(NodeIndex node) {
    simulation.start(node);
    const NodeIndex known = node == 0 ? 1 : 0;
    if (simulation.size() > 1) simulation.join(node, std::span{&known, 1});
  }
  void begin(decltype(sim::Fault::what) what, std::size_t index = 0) {
    player.begin({index, {{}, 20s, std::move(what)}});
  }
  [[nodiscard]] bool connected(NodeIndex a, NodeIndex b) {
    return simulation.is_up(a) && simulation.is_up(b) &&
           simulation.node(a).swarm().connected(simulation.id(b)) &&
           simulation.node(b).swarm().connected(simulation.id(a));
  }
  [[nodiscard]] bool recovers() {
    return simulation.run_until([&] { return connected(0, kHit); }, simulation.now() + 2min);
  }
  void publish(NodeIndex node, std::string_view name) {
    const auto package = sim::Package::make(name, "1.0.0", "A part", 1000);
    simulation.disk(node).storage().import(package.archive, package.hashes, package.bytes.view());
    simulation.drive(node, [&](node::Node& n) {
      auto& engine = n.registry(simulation.now());
      engine.adopt_archive(package.archive, simulation.now());
      engine.publish(package.metadata, package.archive, simulation.now());
    });
    simulation.run_for(10s);
  }
  [[nodiscard]] std::size_t releases(NodeIndex node) {
    return simulation.node(node).registry()->stats().releases;
  }

  Simulation simulation{{}};
  sim::FaultPlayer player{simulation, sim::DiskModel{}, [this](NodeIndex node) { start(node); }};
};

}  // namespace

TEST_CASE("faults: the same seed draws the same plan, another seed another") {
  const auto plan = [](std::uint64_t seed) {
    return texts(sim::draw_faults(all_kinds(0.5), nodes(8), 5min, base::Prng{seed}));
  };
  CHECK(plan(1) == plan(1));
  CHECK(plan(1) != plan(2));
}

TEST_CASE("faults: all are healed before the plan ends, and begin in order") {
  const auto plan = sim::draw_faults(all_kinds(1), nodes(8), 5min, base::Prng{3});
  REQUIRE(plan.size() > 100);
  CHECK(std::ranges::is_sorted(plan, {}, &sim::Fault::at));
  std::set<std::size_t> kinds;
  for (const sim::Fault& fault : plan) {
    CHECK(fault.at > base::Duration{});
    CHECK(fault.lasts >= 1s);
    CHECK(fault.at + fault.lasts <= 5min);
    CHECK_FALSE(sim::describe(fault).empty());
    kinds.insert(fault.what.index());
  }
  CHECK(kinds.size() == std::variant_size_v<decltype(sim::Fault::what)>);
}

TEST_CASE("faults: what one node suffers by itself does not depend on the others") {
  sim::FaultRates rates;
  rates[FaultKind::kCrash] = 1;
  rates[FaultKind::kRot] = 1;
  const auto few = texts(sim::draw_faults(rates, nodes(2), 5min, base::Prng{4}));
  const auto many = texts(sim::draw_faults(rates, nodes(6), 5min, base::Prng{4}));
  REQUIRE_FALSE(few.empty());
  for (const std::string& text : few) CHECK(std::ranges::count(many, text) == 1);
}

TEST_CASE("faults: drawn rates leave about half of the kinds out, and never exceed the given") {
  std::size_t off = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto rates = sim::draw_rates(all_kinds(2), base::Prng{seed});
    for (const double rate : rates.of) {
      CHECK(rate >= 0);
      CHECK(rate < 2);
      off += rate == 0 ? 1 : 0;
    }
  }
  CHECK(off > 100 * sim::kFaultKinds * 4 / 10);
  CHECK(off < 100 * sim::kFaultKinds * 6 / 10);
}

TEST_CASE("faults: a crash takes a node down until its end") {
  Small small;
  sim::fault::Crash crash{kHit, sim::Network::Crash::kProcess};
  SUBCASE("of the process") {}
  SUBCASE("of the machine") {
    crash.how = sim::Network::Crash::kPower;
  }
  small.begin(crash);
  small.simulation.run_for(10s);
  CHECK_FALSE(small.simulation.is_up(kHit));
  small.player.end(0);
  CHECK(small.simulation.is_up(kHit));
  CHECK(small.recovers());
}

TEST_CASE("faults: a node that two faults keep down starts when both have ended") {
  Small small;
  small.begin(sim::fault::Crash{kHit}, 0);
  small.begin(sim::fault::Stop{kHit}, 1);
  small.player.end(0);
  CHECK_FALSE(small.simulation.is_up(kHit));
  small.player.end(1);
  CHECK(small.simulation.is_up(kHit));
}

TEST_CASE("faults: a node that is wiped starts with an empty disk") {
  Small small;
  const auto package = sim::Package::make("tabs", "1.0.0", "Tabs", 1000);
  auto& storage = small.simulation.disk(kHit).storage();
  storage.import(package.archive, package.hashes, package.bytes.view());
  REQUIRE(storage.holds(package.archive.root));
  small.begin(sim::fault::Crash{kHit, sim::Network::Crash::kPower, true});
  CHECK_FALSE(storage.holds(package.archive.root));
  small.player.end(0);
  CHECK(small.recovers());
}

TEST_CASE("faults: a node stops in good order, and comes back") {
  Small small;
  small.begin(sim::fault::Stop{kHit});
  small.simulation.run_for(10s);
  CHECK_FALSE(small.simulation.is_up(kHit));
  small.player.end(0);
  CHECK(small.recovers());
}

TEST_CASE("faults: of partitions that overlap, one that ends takes nothing of the other with it") {
  Small small;
  auto& network = small.simulation.network();
  using Kind = sim::fault::Partition::Kind;
  small.begin(sim::fault::Partition{Kind::kFull, {kHit}, {}}, 0);
  small.begin(sim::fault::Partition{Kind::kFull, {kHit, 3}, {}}, 1);
  CHECK_FALSE(network.reaches(0, kHit));
  CHECK_FALSE(network.reaches(3, kHit));
  CHECK(network.reaches(0, 1));
  small.player.end(0);
  CHECK_FALSE(network.reaches(0, kHit));
  CHECK(network.reaches(3, kHit));
  small.player.end(1);
  CHECK(network.reaches(0, kHit));
  CHECK(small.player.active() == 0);
}

TEST_CASE("faults: a bridge reaches both sides, which don't reach each other") {
  Small small;
  auto& network = small.simulation.network();
  small.begin(sim::fault::Partition{sim::fault::Partition::Kind::kBridge, {2, 3}, {1}});
  for (const NodeIndex node : {0u, 2u, 3u}) {
    CHECK(network.reaches(1, node));
    CHECK(network.reaches(node, 1));
  }
  CHECK_FALSE(network.reaches(0, 2));
  CHECK_FALSE(network.reaches(3, 0));
  CHECK(network.reaches(2, 3));
}

TEST_CASE("faults: one-way, a node hears others that don't hear it") {
  Small small;
  auto& network = small.simulation.network();
  small.begin(sim::fault::Partition{sim::fault::Partition::Kind::kOneWay, {kHit}, {}});
  CHECK(network.reaches(0, kHit));
  CHECK_FALSE(network.reaches(kHit, 0));
  small.publish(0, "of-others");
  CHECK(small.releases(kHit) == 1);
  small.publish(kHit, "of-its-own");
  CHECK(small.releases(0) == 1);
  small.player.end(0);
  CHECK(network.reaches(kHit, 0));
  small.simulation.run_for(10s);
  CHECK(small.releases(0) == 2);
}

TEST_CASE("faults: nothing arrives of a node that is clogged, then all of it") {
  Small small;
  auto& network = small.simulation.network();
  sim::fault::Link link{kHit, {}};
  link.faults.clogged = true;
  small.begin(link);
  CHECK_FALSE(network.reaches(kHit, 0));
  small.publish(kHit, "of-its-own");
  for (const NodeIndex other : {0u, 1u, 3u}) CHECK(small.releases(other) == 0);
  small.player.end(0);
  small.simulation.run_for(5s);
  for (const NodeIndex other : {0u, 1u, 3u}) CHECK(small.releases(other) == 1);
}

TEST_CASE("faults: a node that refuses dials is not connected again until it takes them") {
  Small small;
  sim::fault::Link link{kHit, {}};
  link.faults.refuse_dials = true;
  small.begin(link);
  const auto accepted = small.simulation.network().traffic(kHit).accepted;
  small.simulation.crash(0, sim::Network::Crash::kProcess);
  small.simulation.start(0);
  const NodeIndex hit = kHit;
  small.simulation.join(0, std::span{&hit, 1});
  small.simulation.run_for(10s);
  CHECK(small.simulation.network().traffic(kHit).accepted == accepted);
  small.player.end(0);
  CHECK(small.recovers());
}

TEST_CASE("faults: of what a disk suffers at a time, the worst holds until its end") {
  Small small;
  small.begin(sim::fault::Disk{.node = kHit, .fail = 0.25, .rot = 0.5}, 0);
  small.begin(sim::fault::Disk{.node = kHit, .fail = 0.75, .delay = 1s, .full = true}, 1);
  const auto& disk = small.simulation.disk(kHit);
  CHECK(disk.model().fail == 0.75);
  CHECK(disk.model().rot == 0.5);
  CHECK(disk.model().capacity == 1);
  CHECK(disk.model().max_latency == 1s);
  small.player.end(1);
  CHECK(disk.model().fail == 0.25);
  CHECK(disk.model().capacity == 0);
  small.player.end(0);
  CHECK(disk.model().fail == 0);
  CHECK(disk.model().rot == 0);
}

TEST_CASE("faults: a clock that jumps shows in what its node publishes, until it jumps back") {
  Small small;
  // What entries say of the time, beside that of the simulation's start.
  class Times final : public sim::Observer {
   public:
    void output(NodeIndex, const node::Output& output, base::Instant) override {
      const auto* of_registry = std::get_if<registry::Output>(&output);
      if (of_registry == nullptr) return;
      const auto* added = std::get_if<registry::event::EntryAdded>(of_registry);
      if (added != nullptr && !added->from) seen.push_back(added->entry.statement.time);
    }
    void stopped(NodeIndex, base::Instant) override {}
    std::vector<base::WallTime> seen;
  } times;
  small.simulation.observe(times);
  small.publish(kHit, "before");
  small.begin(sim::fault::Clock{kHit, -1h});
  small.publish(kHit, "while");
  small.player.end(0);
  small.publish(kHit, "after");
  small.simulation.ignore(times);
  // The first publish writes the keys as well.
  REQUIRE(times.seen.size() == 4);
  CHECK(times.seen[1] - times.seen[2] > 50min);
  CHECK(times.seen[3] > times.seen[1]);
}

TEST_CASE("faults: a run plays those that are kept, under the numbers of the whole plan") {
  const sim::Scenario& chaos = *sim::find_scenario("chaos");
  sim::RunOptions options;
  options.nodes = 4;
  options.duration = 1min;
  // A seed whose plan has enough to choose from.
  while (sim::plan_of(chaos, options).size() < 4) ++options.seed;
  const auto plan = sim::plan_of(chaos, options);
  const sim::Report all = sim::run(chaos, options);
  CHECK(all.faults.size() == plan.size());
  options.keep_faults = {1, 3};
  const sim::Report some = sim::run(chaos, options);
  REQUIRE(some.faults.size() == 2);
  CHECK(some.faults[0] == all.faults[1]);
  CHECK(some.faults[1] == all.faults[3]);
  CHECK(some.digest != all.digest);
  options.keep_faults.emplace();
  CHECK(sim::run(chaos, options).faults.empty());
}
