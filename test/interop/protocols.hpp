#pragma once

#include <string>

#include <ggen/p2p/host/host.hpp>

namespace interop {

inline const std::string kEcho = "/ggen-interop/echo/1.0.0";
inline const std::string kHalfClose = "/ggen-interop/half-close/1.0.0";
inline const std::string kUnknown = "/ggen-interop/unknown/1.0.0";

/// Serves the protocols of README.md. Perf is the node's own: the host's configuration turns it on.
void serve(ggen::p2p::host::Host& host);

}  // namespace interop
