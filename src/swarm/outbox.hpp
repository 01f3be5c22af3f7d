#pragma once

#include <deque>

#include <ggen/p2p/swarm/output.hpp>

namespace ggen::p2p::swarm {

/// Outputs that have not been polled yet, in order. Each input adds a bounded number, and owners
/// drain after each input.
using Outbox = std::deque<Output>;

}  // namespace ggen::p2p::swarm
