#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/sim/script.hpp>

#include "disturbed.hpp"
#include "run_world.hpp"

namespace ggen::p2p::sim {
namespace {

// Those that are told to newcomers are among the first.
constexpr std::size_t kInTheOpen = 10;

}  // namespace

FaultPlan plan_of(const Script& script, const RunOptions& options) {
  std::vector<NodeIndex> nodes;
  for (NodeIndex i = 0; i < options.nodes.value_or(script.nodes); ++i) nodes.push_back(i);
  return merged(script.faults,
                draw_faults(script.rates, nodes, options.duration.value_or(script.duration),
                            base::Prng{options.seed}.child("faults")));
}

Report run(const Script& script, const RunOptions& options, Hooks hooks) {
  Config config;
  config.seed = options.seed;
  config.fidelity = options.fidelity.value_or(script.fidelity);
  config.network = script.network;
  config.disk = script.disk;
  World::Setup setup{script.name,
                     script.summary,
                     options.nodes.value_or(script.nodes),
                     options.duration.value_or(script.duration),
                     plan_of(script, options),
                     options.keep_faults};
  const auto play = [&](World& world) {
    const base::Prng behind_nat = world.simulation().prng("NAT");
    const auto spec = [&](std::size_t i) {
      NodeSpec one = World::member();
      one.link = script.link;
      base::Prng own = behind_nat.child(std::to_string(i));
      one.link.reachable = i < std::min<std::size_t>(kInTheOpen, (world.nodes() + 1) / 2) ||
                           !own.chance(script.behind_nat);
      return one;
    };
    disturbed(world, spec, script.workload);
  };
  return run_world(std::move(setup), config, script.latency ? script.latency() : nullptr,
                   std::move(hooks), play);
}

}  // namespace ggen::p2p::sim
