#include <algorithm>
#include <utility>

#include <ggen/p2p/sim/scenario.hpp>

#include "run_world.hpp"
#include "scenarios.hpp"

namespace ggen::p2p::sim {

const Scenario* find_scenario(std::string_view name) {
  const auto all = scenarios();
  const auto found = std::ranges::find(all, name, &Scenario::name);
  return found == all.end() ? nullptr : &*found;
}

FaultPlan plan_of(const Scenario& scenario, const RunOptions& options) {
  if (scenario.faults == nullptr) return {};
  return scenario.faults(base::Prng{options.seed}.child("faults"),
                         options.nodes.value_or(scenario.nodes),
                         options.duration.value_or(scenario.duration));
}

Report run(const Scenario& scenario, const RunOptions& options, Hooks hooks) {
  Config config;
  config.seed = options.seed;
  config.fidelity = options.fidelity.value_or(scenario.fidelity);
  std::unique_ptr<LatencyModel> latency;
  if (scenario.latency == Latency::kGeographic) {
    latency = geographic_latency();
    config.network.jitter = std::chrono::milliseconds{3};
  }
  World::Setup setup{std::string{scenario.name},
                     std::string{scenario.summary},
                     options.nodes.value_or(scenario.nodes),
                     options.duration.value_or(scenario.duration),
                     plan_of(scenario, options),
                     options.keep_faults};
  return run_world(std::move(setup), config, std::move(latency), std::move(hooks), scenario.play);
}

Report run_world(World::Setup setup, const Config& config, std::unique_ptr<LatencyModel> latency,
                 Hooks hooks, const std::function<void(World&)>& play) {
  World world{std::move(setup), config, std::move(latency), std::move(hooks)};
  bool interrupted = false;
  try {
    play(world);
  } catch (const Interrupted&) {
    interrupted = true;
  }
  return world.finish(interrupted);
}

}  // namespace ggen::p2p::sim
