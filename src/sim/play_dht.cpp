#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/registry/archive.hpp>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

void dht_put_get(World& world) {
  world.populate(world.nodes());
  const NodeIndex writer = 1;
  const NodeIndex reader = world.nodes() - 1;
  // A value that every libp2p node can check: a public key under its peer id.
  const auto& info = world.simulation().node(writer).local_info();
  base::Bytes key = base::to_bytes(base::as_bytes("/pk/"));
  const auto id = world.simulation().id(writer).bytes();
  key.insert(key.end(), id.begin(), id.end());
  const base::Bytes value = info.public_key->encode();

  world.step("put");
  const auto put = world.put_value(writer, key, value);
  const auto* placed = put ? std::get_if<kad::result::Placed>(&put->result) : nullptr;
  const std::size_t others = world.nodes() - 1;
  world.check("the closest nodes take the value",
              placed != nullptr && placed->stored == std::min<std::size_t>(others, 20),
              placed != nullptr
                  ? fmt::format("{} took it, {} did not", placed->stored, placed->failed)
                  : "no answer");
  world.step("get");
  const auto got = world.get_value(reader, key);
  const auto* found = got ? std::get_if<kad::result::FoundValue>(&got->result) : nullptr;
  world.check("another node gets it", found != nullptr && found->value == value,
              found != nullptr
                  ? fmt::format("{} had it, {} were asked", found->same, got->stats.asked)
                  : "no answer");
}

void dht_key_distribution(World& world) {
  constexpr std::size_t kClosest = 20;
  constexpr std::size_t kConnections = 300;
  Simulation& simulation = world.simulation();
  // A node that is full is passed over for the next closest one: here nobody is.
  world.populate(world.nodes(), World::member(kConnections));
  // Tables of a young network are completed by lookups of the own id.
  world.run_for(1min);
  world.step("publish");
  std::vector<Package> packages;
  std::vector<NodeIndex> publishers;
  const std::size_t count = 2 * std::size_t{world.nodes()};
  // Each record takes some fifty requests: at this pace every node gets about one a second.
  const base::Duration pause = base::Duration{100s} / static_cast<std::int64_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    packages.push_back(Package::make(fmt::format("part-{}", i), "1.0.0", "A part", 100));
    publishers.push_back(static_cast<NodeIndex>(world.prng().below(world.nodes())));
    world.start_publish(publishers.back(), packages.back());
    world.run_for(pause);
  }
  world.run_for(2min);

  world.step("compare with the oracle");
  std::vector<std::pair<kad::Key, NodeIndex>> nodes;
  for (const NodeIndex node : world.up()) {
    nodes.emplace_back(kad::Key::of(simulation.id(node)), node);
  }
  base::Prng prng = simulation.prng("oracle");
  std::vector<std::uint64_t> held(simulation.size());
  std::size_t exact = 0;
  std::size_t missing = 0;
  std::size_t misplaced = 0;
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const kad::Key key = kad::Key::of(registry::provider_key(packages[i].archive.root));
    std::ranges::sort(nodes, {}, [&](const auto& node) { return key.distance(node.first); });
    std::size_t wanted = 0;
    bool right = true;
    for (const auto& [at, node] : nodes) {
      if (node == publishers[i]) continue;  // it needs no record of itself
      const auto records =
          simulation.node(node).kad()->providers().find(key, kClosest, prng, world.now());
      const bool holds = std::ranges::any_of(
          records, [&](const auto& r) { return r.peer == simulation.id(publishers[i]); });
      const bool should = wanted++ < kClosest;
      held[node] += holds ? 1 : 0;
      missing += should && !holds ? 1 : 0;
      misplaced += holds && !should ? 1 : 0;
      right = right && holds == should;
    }
    exact += right ? 1 : 0;
  }
  world.check("each record is held by exactly the closest nodes", exact == packages.size(),
              fmt::format("{} of {} records; {} missing, {} elsewhere", exact, packages.size(),
                          missing, misplaced));
  const auto [least, most] = std::ranges::minmax(held);
  NodeValues load(held.begin(), held.end());
  world.metrics().add_load("records", "Provider records that a node holds", "records",
                           std::move(load));
  world.check("every node holds a share", least > 0 || kClosest < world.nodes(),
              fmt::format("from {} to {} records a node", least, most));
}

}  // namespace ggen::p2p::sim::play
