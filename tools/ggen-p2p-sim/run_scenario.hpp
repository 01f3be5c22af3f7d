#pragma once

#include <string>

#include <ggen/p2p/sim/scenario.hpp>

#include "error.hpp"

namespace ggen::p2p::sim_cli {

struct RunRequest {
  std::string scenario;
  sim::RunOptions options;
  std::string report;  ///< a folder for a report that is to be written; may be empty
  std::string trace;   ///< a file for spans; may be empty
  /// Of a scenario file: refused when it has another. Empty: any.
  std::string sha256{};
};

/// Runs it, with progress for people, until its end or an interrupt. The report is whole, and is
/// written if a folder is given.
///
/// What can be known to be wrong before, is: an error of Exit::kUsage means that nothing ran.
[[nodiscard]] Result<sim::Report> run_scenario(const RunRequest& request);

}  // namespace ggen::p2p::sim_cli
