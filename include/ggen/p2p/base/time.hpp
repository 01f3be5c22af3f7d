#pragma once

#include <chrono>
#include <optional>

namespace ggen::p2p::base {

/// A length of time.
using Duration = std::chrono::nanoseconds;

/// Tag of the monotonic time that drivers pass to engines. It has no now(): engines are told the
/// time.
struct MonotonicTime {};

/// A point on the driver's monotonic clock. Only differences carry meaning: the epoch is the
/// driver's choice.
using Instant = std::chrono::time_point<MonotonicTime, Duration>;

/// Calendar time (Unix epoch, UTC). What records claim; never used to measure a delay.
using WallTime = std::chrono::sys_time<Duration>;

/// The earlier of two deadlines, where "none" means never.
[[nodiscard]] constexpr std::optional<Instant> earlier(std::optional<Instant> a,
                                                       std::optional<Instant> b) noexcept {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

}  // namespace ggen::p2p::base
