#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/gossipsub/rpc.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/sim/hostile.hpp>
#include <ggen/p2p/sim/simulation.hpp>
#include <ggen/p2p/sim/world.hpp>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using sim::Hostility;
using sim::NodeIndex;
using sim::Simulation;

namespace {

constexpr NodeIndex kHonest = 0;
constexpr NodeIndex kHostile = 1;

// Collects how the queries of the honest node end.
class Queries final : public sim::Observer {
 public:
  void output(NodeIndex node, const node::Output& output, base::Instant) override {
    if (node != kHonest) return;
    if (const auto* query = std::get_if<kad::QueryDone>(&output)) done.push_back(*query);
    if (const auto* hop = std::get_if<kad::QueryHop>(&output)) hops.push_back(*hop);
  }
  void stopped(NodeIndex, base::Instant) override {}

  std::vector<kad::QueryDone> done;
  std::vector<kad::QueryHop> hops;
};

// One honest node and some hostile ones, connected to it.
struct Scene {
  explicit Scene(const Hostility& hostility, std::size_t count = 1,
                 sim::Fidelity fidelity = sim::Fidelity::kMessage)
      : simulation(config(fidelity)) {
    simulation.observe(queries);
    simulation.add(sim::World::member());
    simulation.start(kHonest);
    for (std::size_t i = 0; i < count; ++i) {
      sim::NodeSpec spec = sim::World::member();
      spec.hostility = hostility;
      spec.checked = false;
      const NodeIndex node = simulation.add(std::move(spec));
      simulation.start(node);
      simulation.join(node, std::array{kHonest});
    }
    simulation.run_for(5s);
  }
  ~Scene() { simulation.ignore(queries); }

  static sim::Config config(sim::Fidelity fidelity) {
    sim::Config config;
    config.fidelity = fidelity;
    return config;
  }

  // The honest node asks, and has its answer within a minute.
  template <class Ask>
  kad::QueryDone ask(Ask&& ask) {
    queries.done.clear();
    queries.hops.clear();
    simulation.drive(kHonest, [&](node::Node& n) { ask(n.kad(simulation.now())); });
    REQUIRE(simulation.run_until([&] { return !queries.done.empty(); },
                                 simulation.now() + kad::QueryConfig{}.timeout));
    return queries.done.front();
  }
  kad::QueryDone find_nearest() {
    return ask([&](kad::Engine& kad) {
      REQUIRE(kad.closest(base::as_bytes("some key"), simulation.now()));
    });
  }
  const kad::QueryHop& hop_to_hostile() {
    const auto hop = std::ranges::find(queries.hops, simulation.id(kHostile), &kad::QueryHop::peer);
    REQUIRE(hop != queries.hops.end());
    return *hop;
  }
  gossipsub::Conduct conduct_of_hostile() {
    return *simulation.node(kHonest).gossipsub()->conduct(simulation.id(kHostile));
  }

  Queries queries;
  Simulation simulation;
};

// The hostile node's own public key, under its own id: nobody else can have a better one.
struct Record {
  explicit Record(Simulation& simulation) : key(base::to_bytes(base::as_bytes("/pk/"))) {
    base::append(key, simulation.id(kHonest).bytes());
    value = simulation.node(kHonest).local_info().public_key->encode();
  }
  base::Bytes key;
  base::Bytes value;
};

}  // namespace

TEST_CASE("hostile: the gang names only its own, near every key, in both fidelities") {
  for (const auto fidelity : {sim::Fidelity::kMessage, sim::Fidelity::kWire}) {
    Scene scene{{}, 30, fidelity};
    const auto done = scene.find_nearest();
    const auto& closest = std::get<kad::result::Closest>(done.result).peers;
    CHECK(closest.size() == 20);
    CHECK(scene.queries.hops.size() >= 20);
    for (const auto& hop : scene.queries.hops) {
      CHECK_FALSE(hop.error);
      CHECK(hop.closer == 20);
    }
  }
}

TEST_CASE("hostile: values are taken and forgotten, and forged when asked for") {
  Scene scene{{}, 12};
  const Record record{scene.simulation};
  const auto put = scene.ask([&](kad::Engine& kad) {
    REQUIRE(kad.put_value(record.key, record.value, scene.simulation.now()));
  });
  CHECK(std::get<kad::result::Placed>(put.result).stored == 12);
  for (NodeIndex i = kHostile; i <= 12; ++i) {
    CHECK(scene.simulation.node(i).kad()->values().size() == 0);
  }
  const auto got = scene.ask(
      [&](kad::Engine& kad) { REQUIRE(kad.get_value(record.key, 0, scene.simulation.now())); });
  const auto& found = std::get<kad::result::FoundValue>(got.result);
  CHECK(found.invalid > 0);
  CHECK(found.invalid < 12);
  CHECK(found.same == 0);
  CHECK(found.value == record.value);  // its own
}

TEST_CASE("hostile: every key is provided by the gang, and records of others are forgotten") {
  Scene scene{{}, 12};
  const auto key = base::as_bytes("an archive");
  scene.ask([&](kad::Engine& kad) { REQUIRE(kad.provide(key, scene.simulation.now())); });
  for (NodeIndex i = kHostile; i <= 12; ++i) {
    CHECK(scene.simulation.node(i).kad()->providers().records() == 0);
  }
  const auto got = scene.ask(
      [&](kad::Engine& kad) { REQUIRE(kad.find_providers(key, 0, scene.simulation.now())); });
  CHECK(std::get<kad::result::FoundProviders>(got.result).providers.size() == 12);
}

TEST_CASE("hostile: one that knows only itself") {
  Hostility hostility;
  hostility.dht = Hostility::Dht::kItself;
  Scene scene{hostility};
  const auto done = scene.find_nearest();
  CHECK(scene.hop_to_hostile().closer == 1);
  CHECK(done.stats.asked == 1);
}

TEST_CASE("hostile: peers that do not exist cost a lookup its time, not its end") {
  Hostility hostility;
  hostility.dht = Hostility::Dht::kStrangers;
  Scene scene{hostility};
  const auto done = scene.find_nearest();
  CHECK(scene.hop_to_hostile().closer == 20);
  CHECK(done.stats.answered == 1);
  CHECK(done.stats.failed == done.stats.asked - 1);
  CHECK(done.stats.asked > 1);
}

TEST_CASE("hostile: an answer with ten thousand peers is refused") {
  Hostility hostility;
  hostility.dht = Hostility::Dht::kStrangers;
  hostility.strangers = 10'000;
  for (const auto fidelity : {sim::Fidelity::kMessage, sim::Fidelity::kWire}) {
    Scene scene{hostility, 1, fidelity};
    const auto done = scene.find_nearest();
    CHECK(scene.hop_to_hostile().error == kad::RequestError::kMalformed);
    CHECK(done.stats.answered == 0);
  }
}

TEST_CASE("hostile: answers come late, or never") {
  Hostility hostility;
  hostility.dht = Hostility::Dht::kItself;
  hostility.answers_after = 7s;
  Scene late{hostility};
  CHECK(late.find_nearest().stats.answered == 1);
  CHECK(late.hop_to_hostile().took >= 7s);

  hostility.dht = Hostility::Dht::kNothing;
  Scene never{hostility};
  CHECK(never.find_nearest().stats.answered == 0);
  CHECK(never.hop_to_hostile().error == kad::RequestError::kTimeout);
}

TEST_CASE("hostile: in a mesh, and passing nothing on") {
  for (const bool silent : {false, true}) {
    Hostility hostility;
    hostility.silent = silent;
    hostility.withholds = true;
    // Two honest nodes with a hostile one between them.
    Scene scene{hostility};
    Simulation& simulation = scene.simulation;
    const NodeIndex other = simulation.add(sim::World::member());
    simulation.start(other);
    sim::Partition partition(3);
    partition[kHonest] = {1, 1};
    partition[kHostile] = {3, 3};
    partition[other] = {2, 2};
    simulation.network().part(std::move(partition));
    simulation.join(other, std::array{kHostile});
    simulation.run_for(5s);
    const auto mesh = simulation.node(kHonest).gossipsub()->mesh(registry::kUpdatesTopic);
    CHECK(mesh == std::vector{simulation.id(kHostile)});
    simulation.drive(kHonest, [&](node::Node& n) {
      CHECK(n.gossipsub(simulation.now())
                .publish("news", base::as_bytes("hear, hear"), simulation.now()));
    });
    const auto package = sim::Package::make("tabs", "1.0.0", "Tabs", 2000);
    simulation.disk(kHonest).storage().import(package.archive, package.hashes,
                                              package.bytes.view());
    simulation.drive(kHonest, [&](node::Node& n) {
      n.registry(simulation.now()).adopt_archive(package.archive, simulation.now());
      n.registry(simulation.now()).publish(package.metadata, package.archive, simulation.now());
    });
    simulation.run_for(10s);
    CHECK(simulation.node(kHostile).registry()->stats().releases == 1);
    CHECK(simulation.node(other).registry()->stats().releases == (silent ? 0 : 1));
    CHECK(scene.conduct_of_hostile().broken_promises == 0);
  }
}

TEST_CASE("hostile: what is advertised and never sent is a broken promise") {
  Hostility hostility;
  hostility.promises = 100;
  Scene scene{hostility};
  scene.simulation.run_for(10s);
  CHECK(scene.conduct_of_hostile().broken_promises > 0);
  CHECK(scene.simulation.node(kHonest).gossipsub()->mesh(registry::kUpdatesTopic).empty());
}

TEST_CASE("hostile: until it begins it is a node like any other") {
  Hostility hostility;
  hostility.promises = 100;
  hostility.dht = Hostility::Dht::kNothing;
  hostility.begins = base::Instant{} + 30s;
  Scene scene{hostility};
  CHECK(scene.find_nearest().stats.answered == 1);
  scene.simulation.run_for(20s);
  CHECK(scene.conduct_of_hostile().broken_promises == 0);
  scene.simulation.run_for(20s);
  CHECK(scene.conduct_of_hostile().broken_promises > 0);
  CHECK(scene.find_nearest().stats.answered == 0);
}

TEST_CASE("hostile: it grafts, and begs for the same message, without end") {
  Hostility hostility;
  hostility.silent = false;
  hostility.grafts = 50;
  hostility.begs = 50;
  Scene scene{hostility};
  Simulation& simulation = scene.simulation;
  const auto before = simulation.node(kHonest).gossipsub()->stats();
  const auto package = sim::Package::make("tabs", "1.0.0", "Tabs", 2000);
  simulation.disk(kHostile).storage().import(package.archive, package.hashes, package.bytes.view());
  simulation.drive(kHostile, [&](node::Node& n) {
    n.registry(simulation.now()).adopt_archive(package.archive, simulation.now());
    n.registry(simulation.now()).publish(package.metadata, package.archive, simulation.now());
  });
  simulation.run_for(10s);
  const auto after = simulation.node(kHonest).gossipsub()->stats();
  // Asked five hundred times, it answers as often as it should.
  CHECK(after.sent - before.sent == gossipsub::GossipParameters{}.retransmissions);
}

TEST_CASE("hostile: an identity is ground until it lies near a key") {
  const auto key = kad::Key::of(base::as_bytes("a record"));
  base::Prng prng{7};
  std::set<sim::IdentitySeed> seeds;
  for (int i = 0; i < 5; ++i) {
    const auto seed = sim::identity_near(key, 6, prng);
    const auto id = multiformats::PeerId::of(crypto::KeyPair::from_seed(seed).public_key());
    CHECK(kad::Key::of(id).common_prefix(key) >= 6);
    seeds.insert(seed);
  }
  CHECK(seeds.size() == 5);
  base::Prng again{7};
  CHECK(seeds.contains(sim::identity_near(key, 6, again)));
}

TEST_CASE("hostile: identity and network are as given") {
  Simulation simulation{{}};
  sim::NodeSpec spec;
  spec.identity.emplace().fill(9);
  spec.link.network = (200 << 8) | 5;
  for (int i = 0; i < 3; ++i) {
    const NodeIndex node = simulation.add(spec);
    CHECK(simulation.network().address(node).to_string().starts_with("/ip4/200.5."));
    CHECK(simulation.id(node) ==
          multiformats::PeerId::of(crypto::KeyPair::from_seed(*spec.identity).public_key()));
  }
  CHECK(simulation.network().address(0) != simulation.network().address(1));
  simulation.start(0);
  CHECK(simulation.node(0).id() == simulation.id(0));
}
