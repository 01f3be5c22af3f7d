#pragma once

#include <cstdint>
#include <optional>

#include <ggen/p2p/sim/simulation.hpp>

namespace ggen::p2p::sim_cli {

/// About how many bytes a run of so many nodes takes, each so many times as large as usual.
[[nodiscard]] std::uint64_t memory_needed(std::uint64_t nodes, sim::Fidelity fidelity,
                                          double node_size = 1);
/// How many bytes can be had without swapping; nothing where the system does not say.
[[nodiscard]] std::optional<std::uint64_t> memory_available();

}  // namespace ggen::p2p::sim_cli
