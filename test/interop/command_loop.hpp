#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <ggen/p2p/host/host.hpp>

#include "report.hpp"

namespace interop {

/// Gives the fields of the reply to a command and its words; throws std::runtime_error with the
/// reason when it fails.
using RunCommand = std::function<asio::awaitable<Json>(std::vector<std::string>)>;

/// The life of a peer program that is told what to do: listens on a free port of 127.0.0.1 and says
/// so, with the fields of `about`; answers each line of standard input; when that ends, stops the
/// host. Runs `loop` meanwhile. Gives the exit code.
[[nodiscard]] int answer_commands(std::string_view program, asio::io_context& loop,
                                  ggen::p2p::host::Host& host, Json about, RunCommand run);

/// Connects to the peer at the address, which ends in /p2p/<peer id>.
[[nodiscard]] asio::awaitable<Json> connect(ggen::p2p::host::Host& host, const std::string& text);

}  // namespace interop
