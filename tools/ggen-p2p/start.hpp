#pragma once

#include <string>

#include "error.hpp"
#include "json.hpp"
#include "settings.hpp"

namespace ggen::p2p::cli {

/// What on_ready of NodeOptions reports, for people.
[[nodiscard]] std::string render_started(const Json& started);

/// Starts a node in a process of its own, with its log in node.log, and waits until it is ready.
/// Gives what it reports then, or why it ended. Call it before there is any other thread.
[[nodiscard]] Result<Json> start_detached(const Settings& settings);

}  // namespace ggen::p2p::cli
