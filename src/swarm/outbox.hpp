#pragma once

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/swarm/output.hpp>

namespace ggen::p2p::swarm {

/// Outputs that have not been polled yet. Each input adds a bounded number, and owners drain after
/// each input.
using Outbox = base::Fifo<Output>;

}  // namespace ggen::p2p::swarm
