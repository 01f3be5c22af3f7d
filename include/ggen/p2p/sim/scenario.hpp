#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/fault_plan.hpp>
#include <ggen/p2p/sim/report.hpp>
#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim {

enum class Latency : std::uint8_t { kConstant, kGeographic };

/// What happens to a network, and what must come of it.
struct Scenario {
  std::string_view name;
  std::string_view summary;  ///< a sentence: what must be seen
  std::uint32_t nodes = 0;   ///< unless told otherwise
  Fidelity fidelity = Fidelity::kWire;
  Latency latency = Latency::kConstant;
  base::Duration duration{};  ///< of virtual time, about; see endless
  /// Runs it, and checks what must hold.
  void (*play)(World& world) = nullptr;
  std::uint32_t least_nodes = 2;  ///< it cannot be played with fewer
  /// It goes on for as long as it is told to, `duration` by itself, and has some more time to heal.
  bool endless = false;
  /// What goes wrong in it. Null: nothing.
  FaultPlan (*faults)(const base::Prng& prng, std::uint32_t nodes,
                      base::Duration duration) = nullptr;
  /// How much memory one of its nodes takes, compared with those of others.
  double node_size = 1;
};

/// All that are built in, in the order in which they are listed.
[[nodiscard]] std::span<const Scenario> scenarios();
/// Null when there is none of that name.
[[nodiscard]] const Scenario* find_scenario(std::string_view name);

/// What may be chosen for one run.
struct RunOptions {
  std::uint64_t seed = 1;
  std::optional<std::uint32_t> nodes{};
  std::optional<Fidelity> fidelity{};
  /// Only of a scenario that is endless.
  std::optional<base::Duration> duration{};
  /// Which faults of the plan are played, by their places in it; nothing: all.
  std::optional<std::vector<std::size_t>> keep_faults{};
};

/// What goes wrong in such a run when no fault is left out. Follows from the scenario, the seed,
/// and the numbers of nodes and minutes.
[[nodiscard]] FaultPlan plan_of(const Scenario& scenario, const RunOptions& options);

/// Runs it from beginning to end, or until a hook says that it is enough. The report has all but
/// what only the program knows: version, build, wall time.
[[nodiscard]] Report run(const Scenario& scenario, const RunOptions& options, Hooks hooks = {});

}  // namespace ggen::p2p::sim
