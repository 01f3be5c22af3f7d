#pragma once

#include <cstdint>
#include <functional>
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

/// What can be run: a scenario that is built in, or of a file.
struct Runnable {
  std::string name;  ///< of a file: its path
  std::uint32_t nodes = 0;
  std::uint32_t least_nodes = 0;
  sim::Fidelity fidelity{};
  base::Duration duration{};
  bool endless = false;
  std::string sha256;  ///< of a file
  std::function<sim::FaultPlan(const sim::RunOptions&)> plan;
  std::function<sim::Report(const sim::RunOptions&, sim::Hooks)> run;
  double node_size = 1;  ///< as sim::Scenario has it
};

/// The scenario with these options, if such a run can be; what can be known to be wrong before is
/// an error. With `sha256`, a file must have that.
[[nodiscard]] Result<Runnable> runnable(const std::string& scenario, const sim::RunOptions& options,
                                        const std::string& sha256 = {});

/// What the report of such a run says that is known before it runs.
[[nodiscard]] sim::Report report_before(const Runnable& run, const sim::RunOptions& options);

/// Runs it, with progress for people, until its end or an interrupt. The report is whole, and is
/// written if a folder is given.
///
/// What can be known to be wrong before, is: an error of Exit::kUsage means that nothing ran.
[[nodiscard]] Result<sim::Report> run_scenario(const RunRequest& request);

}  // namespace ggen::p2p::sim_cli
