#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ggen/p2p/base/time.hpp>

#include "child_process.hpp"

namespace ggen::p2p::sim_cli {

/// What differs between the runs of a sweep.
struct Trial {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 0;
  /// Which faults are played, by their places in the plan that seed and nodes give; nothing: all.
  std::optional<std::vector<std::size_t>> keep_faults{};

  friend auto operator<=>(const Trial&, const Trial&) = default;
};

/// How a run went.
struct Outcome {
  /// Half a sentence, such as the names of the checks that failed; empty: all is well. Two runs
  /// with the same text failed in the same way.
  std::string failure;
  std::string detail;  ///< lines of what was seen: by the checks, or last on standard error
  base::Duration wall{};
  bool finished = false;  ///< it came to its end and told of its checks

  [[nodiscard]] bool failed() const noexcept { return !failure.empty(); }
};

/// What the end of a child that was `ggen-p2p-sim run ... --json` says.
[[nodiscard]] Outcome outcome_of(const ChildEnd& end);

}  // namespace ggen::p2p::sim_cli
