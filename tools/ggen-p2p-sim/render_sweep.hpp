#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "render.hpp"
#include "sweep.hpp"

namespace ggen::p2p::sim_cli {

/// What a sweep came to. The last line is `N passed, N failed`.
[[nodiscard]] std::string render(const Sweep& sweep);
[[nodiscard]] Json to_json(const Sweep& sweep);

/// Lines for while it runs: the first with `seeds` of them, `wall` after the beginning.
[[nodiscard]] std::string seeds_text(const SeedTally& tally, std::uint64_t seeds,
                                     base::Duration wall);
[[nodiscard]] std::string shrinking_text(const Trial& trial, std::size_t runs);

}  // namespace ggen::p2p::sim_cli
