#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/fault_plan.hpp>
#include <ggen/p2p/sim/latency.hpp>
#include <ggen/p2p/sim/scenario.hpp>
#include <ggen/p2p/sim/workload.hpp>

namespace ggen::p2p::sim {

/// A scenario that somebody wrote down: a network, what people do with it, and what goes wrong.
/// What must hold is the same for all of them: once healed, every release reaches every node, every
/// operation has ended, and archives that somebody holds are fetched.
struct Script {
  std::string name;
  std::string summary{};
  std::uint32_t nodes = 10;
  Fidelity fidelity = Fidelity::kWire;
  base::Duration duration = std::chrono::minutes{2};
  NetworkConfig network{};
  /// Null: 20 ms between any two.
  std::function<std::unique_ptr<LatencyModel>()> latency{};
  LinkSpec link{};  ///< of each node
  /// How many stand behind a NAT, 0 to 1 of those that are not told to newcomers.
  double behind_nat = 0;
  DiskModel disk{std::chrono::milliseconds{1}, std::chrono::milliseconds{1}};
  Workload workload{};
  FaultRates rates{};
  FaultPlan faults{};  ///< beside those that are drawn

  static constexpr std::uint32_t kLeastNodes = 2;
};

/// As for a scenario that is built in and endless.
[[nodiscard]] FaultPlan plan_of(const Script& script, const RunOptions& options);
[[nodiscard]] Report run(const Script& script, const RunOptions& options, Hooks hooks = {});

}  // namespace ggen::p2p::sim
