#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include <ggen/p2p/base/time.hpp>

#include "control_protocol.hpp"
#include "error.hpp"

namespace ggen::p2p::cli {

/// Has the node of a home carry a request out, and waits for its last word; for a Stop, until the
/// node has ended. Ctrl-C and SIGTERM cancel it at the node: Exit::kInterrupted, except for a
/// PubsubSubscribe, which ends well by that.
///
/// `patience`: how long the whole may take; nothing: as long as it does. Runs a loop of its own.
[[nodiscard]] Result<Json> call_node(const std::filesystem::path& home, const Request& request,
                                     std::function<void(const Json&)> on_progress,
                                     std::optional<base::Duration> patience);

}  // namespace ggen::p2p::cli
