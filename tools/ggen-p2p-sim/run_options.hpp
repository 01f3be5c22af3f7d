#pragma once

#include <string_view>
#include <vector>

#include <ggen/p2p/sim/report.hpp>
#include <ggen/p2p/sim/scenario.hpp>

#include "error.hpp"

/// The options of a run as they are written on the command line and in reports.
namespace ggen::p2p::sim_cli {

/// Sets the option of that name, `duration` or `keep-faults`. What is wrong is Exit::kUsage.
[[nodiscard]] Result<void> set_option(sim::RunOptions& options, std::string_view name,
                                      std::string_view value);
/// Those that are set: set_option() reads them back.
[[nodiscard]] std::vector<sim::RunOption> written_options(const sim::RunOptions& options);

}  // namespace ggen::p2p::sim_cli
