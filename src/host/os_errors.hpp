#pragma once

#include <system_error>

#include <ggen/p2p/swarm/reasons.hpp>

/// The operating system's errors in the swarm's words.
namespace ggen::p2p::host {

[[nodiscard]] swarm::DialError dial_error(std::error_code error);
[[nodiscard]] swarm::ListenError listen_error(std::error_code error);
[[nodiscard]] swarm::ResolveError resolve_error(std::error_code error);

}  // namespace ggen::p2p::host
