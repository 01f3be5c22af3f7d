#pragma once

#include <string>

#include <ggen/p2p/sim/script.hpp>

#include "error.hpp"

namespace ggen::p2p::sim_cli {

/// A scenario that was read from a TOML file; docs/simulator.md lists its keys.
struct ScenarioFile {
  sim::Script script;  ///< its name is that of the file, as given
  /// Of the text, and of the matrix that it names, in hexadecimal: another digest, another run.
  std::string sha256;
};

/// Whether the SCENARIO of the command line is a file.
[[nodiscard]] bool names_a_file(const std::string& scenario);

/// What is wrong is Exit::kUsage, in one sentence that names file, line and key. Blocks on the
/// disk.
[[nodiscard]] Result<ScenarioFile> read_scenario_file(const std::string& path);

}  // namespace ggen::p2p::sim_cli
