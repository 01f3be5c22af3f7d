#pragma once

#include <functional>
#include <memory>

#include <ggen/p2p/sim/latency.hpp>
#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim {

/// Plays from beginning to end, or until a hook says that it is enough.
[[nodiscard]] Report run_world(World::Setup setup, const Config& config,
                               std::unique_ptr<LatencyModel> latency, Hooks hooks,
                               const std::function<void(World&)>& play);

}  // namespace ggen::p2p::sim
