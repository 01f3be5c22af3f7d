#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "disturbed.hpp"
#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

// A time in [from, to), in whole seconds.
base::Duration seconds_between(base::Prng& prng, std::uint64_t from, std::uint64_t to) {
  return std::chrono::seconds{static_cast<std::int64_t>(from + prng.below(to - from))};
}

// Records that live for a minute or three, so that they expire and are put again within the run.
NodeSpec short_lived(base::Prng prng) {
  NodeSpec spec = World::member();
  kad::Config& kad = *spec.node.kad;
  kad.values.lifetime = seconds_between(prng, 60, 180);
  kad.providers.lifetime = seconds_between(prng, 60, 180);
  kad.providers.address_lifetime = kad.providers.lifetime / 2;
  kad.maintenance.republish_interval = std::min(kad.values.lifetime, kad.providers.lifetime) / 3;
  kad.maintenance.refresh_interval = 30s;
  kad.maintenance.expiry_interval = seconds_between(prng, 10, 60);
  spec.registry.sync.interval = seconds_between(prng, 10, 60);
  return spec;
}

}  // namespace

FaultPlan chaos_faults(const base::Prng& prng, std::uint32_t nodes, base::Duration duration) {
  using enum FaultKind;
  FaultRates most;
  most.of.fill(0.15);
  for (const FaultKind kind : {kCut, kOneWay, kBridge}) most[kind] = 0.05;
  most.lasts = 15s;
  FaultRates rates = draw_rates(most, prng.child("rates"));
  // These make a node forget what it signed: half of the nodes are spared, and publish.
  FaultRates forgetting;
  forgetting.lasts = rates.lasts;
  for (const FaultKind kind : {kWipe, kLoseWrite}) std::swap(forgetting[kind], rates[kind]);
  std::vector<NodeIndex> all;
  for (NodeIndex node = 0; node < nodes; ++node) all.push_back(node);
  const std::span<const NodeIndex> upper = std::span{all}.subspan(nodes / 2);
  return merged(draw_faults(rates, all, duration, prng),
                draw_faults(forgetting, upper, duration, prng));
}

void chaos(World& world) {
  const Workload workload{.publishes = 12,
                          .fetches = 30,
                          .searches = 20,
                          .puts = 20,
                          .gets = 40,
                          .package_size = 600'000};
  const NodeSpec spec = short_lived(world.simulation().prng("lives"));
  // One means harm: whoever fetches from it must notice, and go elsewhere.
  const std::size_t spoiler = world.nodes() - 1;
  const auto spec_of = [&](std::size_t i) {
    if (i != spoiler) return spec;
    NodeSpec hostile = spec;
    hostile.publishes = false;
    hostile.checked = false;
    hostile.hostility = Hostility{
        .dht = Hostility::Dht::kHonest, .silent = false, .withholds = false, .spoils = true};
    return hostile;
  };
  disturbed(world, spec_of, workload);
}

}  // namespace ggen::p2p::sim::play
