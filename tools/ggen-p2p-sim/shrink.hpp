#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "trial.hpp"

namespace ggen::p2p::sim_cli {

/// How many runs a search may take, so that it ends also where each run takes long.
inline constexpr std::size_t kMostShrinkingRuns = 200;

/// What the search for a smaller run needs. It knows nothing of processes.
struct Shrinking {
  std::uint32_t least_nodes = 1;
  std::size_t most_runs = kMostShrinkingRuns;
  /// How many faults are planned for such a run.
  std::function<std::size_t(const Trial& trial)> planned;
  /// Runs it. Nothing: it is enough, go on with what was found.
  std::function<std::optional<Outcome>(const Trial& trial)> run;
};

struct Shrunk {
  Trial trial;
  Outcome outcome;
  std::size_t runs = 0;
  bool whole = true;  ///< false: there were too many runs, or it was enough
};

/// Looks for a run with fewer nodes and faults that fails in the same way as `trial` did with
/// `outcome`: first fewer nodes, as their number decides which faults are drawn, then fewer faults
/// by delta debugging, then both again as long as one of them helps. In the end, if it was whole,
/// neither one node less nor one fault less fails in the same way. The same outcomes lead to the
/// same run.
[[nodiscard]] Shrunk shrink(const Trial& trial, const Outcome& outcome, const Shrinking& shrinking);

}  // namespace ggen::p2p::sim_cli
