#pragma once

#include <functional>

#include "error.hpp"
#include "json.hpp"
#include "settings.hpp"

namespace ggen::p2p::cli {

struct NodeOptions {
  /// Log to node.log in the home rather than to standard error.
  bool log_to_file = false;
  /// Called once, when the node listens and takes commands: {"peer_id", "publisher_id",
  /// "addresses", "home", "pid"}.
  std::function<void(const Json&)> on_ready;
};

/// Runs a node until SIGINT, SIGTERM, SIGHUP or the command `stop`: then it says goodbye to its
/// peers and returns. A second signal ends the process at once. An error means that it never ran.
[[nodiscard]] Result<void> run_node(const Settings& settings, const NodeOptions& options);

}  // namespace ggen::p2p::cli
