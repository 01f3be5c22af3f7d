#pragma once

#include <string>

#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::kad {

/// The time in UTC with nanoseconds, as go-libp2p writes it: 2006-01-02T15:04:05.999999999Z.
[[nodiscard]] std::string to_rfc3339(base::WallTime time);

}  // namespace ggen::p2p::kad
