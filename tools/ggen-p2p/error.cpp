#include "error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace ggen::p2p::cli {
namespace {

constexpr std::array kCodes = {
    ExitInfo{Exit::kOk, "ok", "done"},
    ExitInfo{Exit::kFailed, "failed", "something unforeseen: the message says what"},
    ExitInfo{Exit::kUsage, "usage", "the command line makes no sense: see --help"},
    ExitInfo{Exit::kNoNode, "no_node", "no node is running in this home"},
    ExitInfo{Exit::kNotFound, "not_found",
             "no such package, release, topic or peer, or nothing found in the DHT"},
    ExitInfo{Exit::kAmbiguous, "ambiguous", "several publishers have a package of this name"},
    ExitInfo{Exit::kConfig, "config", "the configuration file is wrong"},
    ExitInfo{Exit::kHome, "home", "the home cannot be used, or a key in it"},
    ExitInfo{Exit::kListen, "listen", "cannot listen, most often because the port is in use"},
    ExitInfo{Exit::kRefused, "refused", "the package or its manifest was refused"},
    ExitInfo{Exit::kTimeout, "timeout", "no answer in time"},
    ExitInfo{Exit::kUnavailable, "unavailable",
             "nobody could deliver it, or what came was not what was signed"},
    ExitInfo{Exit::kHomeInUse, "home_in_use", "another node runs in this home"},
    ExitInfo{Exit::kOutput, "output", "the result cannot be written where it should go"},
    ExitInfo{Exit::kNodeGone, "node_gone", "the node went away before it had answered"},
    ExitInfo{Exit::kInterrupted, "interrupted", "interrupted by Ctrl-C, or cancelled"},
};

}  // namespace

std::span<const ExitInfo> exit_codes() {
  return kCodes;
}

std::string_view name_of(Exit code) {
  const auto found = std::ranges::find(kCodes, code, &ExitInfo::code);
  return found == kCodes.end() ? "failed" : found->name;
}

const ExitInfo* find_exit(std::string_view name) {
  const auto found = std::ranges::find(kCodes, name, &ExitInfo::name);
  return found == kCodes.end() ? nullptr : &*found;
}

std::string with_errno(std::string_view message) {
  return fmt::format("{}: {}", message, std::generic_category().message(errno));
}

}  // namespace ggen::p2p::cli
