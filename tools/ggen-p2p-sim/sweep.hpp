#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/sim/scenario.hpp>

#include "command_line.hpp"
#include "error.hpp"
#include "seed_runs.hpp"
#include "shrink.hpp"

namespace ggen::p2p::sim_cli {

/// The smallest run that was found to fail like one of the seeds did.
struct SmallestFailure {
  Shrunk shrunk;
  std::string replay;  ///< the command that runs it
  /// What is played in it; times are since the faults begin.
  std::vector<sim::ReportedFault> faults{};
  /// Where it was to be written, and why it was not. Both empty: nowhere.
  std::string report;
  std::optional<Error> not_written{};
};

/// What a sweep came to.
struct Sweep {
  sim::Report common;  ///< what all its runs have: scenario, nodes, options, version, and no more
  SeedRange seeds;
  SeedResults results;
  std::vector<std::string> replays{};  ///< for each failure, the command that runs it again
  std::optional<SmallestFailure> smallest{};
  bool interrupted = false;

  [[nodiscard]] Exit exit() const;
};

/// Runs a scenario with many seeds, each in a process of its own: what breaks an invariant ends
/// with its process. Makes the fastest of those that failed smaller. With progress for people,
/// until its end or an interrupt.
///
/// What can be known to be wrong before, is: an error of Exit::kUsage means that nothing ran.
[[nodiscard]] Result<Sweep> sweep(const command::Sweep& command);

}  // namespace ggen::p2p::sim_cli
