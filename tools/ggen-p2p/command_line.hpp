#pragma once

#include <optional>
#include <string>
#include <variant>

#include "config.hpp"
#include "control_protocol.hpp"

namespace ggen::p2p::cli {

namespace command {

struct Start {
  bool detach = false;
};
struct Id {};
struct ShowConfig {};
/// What a running node carries out.
struct Ask {
  Request request;
  bool history = false;      ///< of `peers`: show past connections too
  bool reads_input = false;  ///< of `pubsub publish`: the data are what standard input holds
};

}  // namespace command

/// What was typed.
struct CommandLine {
  ConfigFlags flags;
  bool json = false;
  std::variant<command::Start, command::Id, command::ShowConfig, command::Ask> command;
};

/// What to print instead of doing anything: help, the version, or what is wrong.
struct EarlyExit {
  Exit code = Exit::kOk;
  std::string text;  ///< for standard output
  std::optional<Error> error;
  bool json = false;  ///< how to show the error
};

[[nodiscard]] std::variant<CommandLine, EarlyExit> parse_command_line(int argc,
                                                                      const char* const* argv);

}  // namespace ggen::p2p::cli
