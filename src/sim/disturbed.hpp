#pragma once

#include <cstddef>
#include <functional>

#include <ggen/p2p/sim/workload.hpp>
#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim {

/// Work goes on while the run's faults disturb it, for World::duration(). Then all is healed, and
/// what must hold of every network after that is checked.
void disturbed(World& world, const std::function<NodeSpec(std::size_t)>& spec,
               const Workload& workload);

}  // namespace ggen::p2p::sim
