#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <ggen/p2p/sim/scenario.hpp>

#include "error.hpp"
#include "seed_range.hpp"

namespace ggen::p2p::sim_cli {

namespace command {
struct List {};
struct Run {
  std::string scenario;
  sim::RunOptions options;
  std::string report;  ///< a folder; empty: none is written
  std::string trace;   ///< a file; empty: no spans are made
  std::string sha256;  ///< that a scenario file must have; empty: any
};
struct Sweep {
  std::string scenario;
  sim::RunOptions options;  ///< but for the seed
  SeedRange seeds;
  std::optional<std::uint64_t> jobs;  ///< at a time; nothing: one for each processor
  base::Duration timeout = std::chrono::minutes{10};  ///< of the clock, for each run
  std::optional<std::uint64_t> stop_after;            ///< failing seeds; nothing: all run
  std::string report;                                 ///< a folder; empty: none is written
};
struct Compare {
  std::string a;
  std::string b;
  std::string output;
};
struct Replay {
  std::string report;
};
}  // namespace command

struct CommandLine {
  bool json = false;
  std::variant<command::List, command::Run, command::Sweep, command::Compare, command::Replay>
      command;
};

/// Help or a version was asked for.
struct Shown {
  std::string text;
};

struct Refused {
  Error error;
  bool json = false;
};

[[nodiscard]] std::variant<CommandLine, Shown, Refused> parse_command_line(int argc,
                                                                           const char* const* argv);

}  // namespace ggen::p2p::sim_cli
