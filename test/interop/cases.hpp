#pragma once

#include <map>
#include <string>

#include <asio/awaitable.hpp>

#include <ggen/p2p/host/host.hpp>

#include "report.hpp"

namespace interop {

using Parameters = std::map<std::string, std::uint64_t>;

/// Each case with its parameters and their defaults; README.md says what they do.
[[nodiscard]] const std::map<std::string, Parameters>& cases();

/// Runs one case against the peer at `address`. Returns the facts to report; throws
/// std::runtime_error with the reason when the remote does not do what it should.
[[nodiscard]] asio::awaitable<Json> run_case(ggen::p2p::host::Host& host,
                                             ggen::p2p::multiformats::Multiaddr address,
                                             std::string name, Parameters parameters);

}  // namespace interop
