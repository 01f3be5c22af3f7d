#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::sim {

/// Values over virtual time, in a bounded number of points however long the run is.
///
/// Time is cut into steps; the values of one step become one point. When there would be more points
/// than the limit, the steps become twice as long and the points of two neighbours one.
class TimeSeries {
 public:
  static constexpr base::Duration kDefaultStep = std::chrono::milliseconds(100);
  static constexpr std::size_t kDefaultLimit = 512;

  struct Point {
    base::Instant when;  ///< of the first value in the step
    std::uint64_t count;
    double sum;
    double min;
    double max;

    [[nodiscard]] double mean() const noexcept { return sum / static_cast<double>(count); }
    friend bool operator==(const Point&, const Point&) = default;
  };

  /// `step` is the finest resolution, above zero; `limit` is of points, at least two.
  explicit TimeSeries(base::Duration step = kDefaultStep, std::size_t limit = kDefaultLimit);

  /// `when` may not lie before that of the last value. A value that is not finite is left out.
  void add(base::Instant when, double value);

  [[nodiscard]] const std::vector<Point>& points() const noexcept { return points_; }
  /// Of time, as it is now: the first one times a power of two.
  [[nodiscard]] base::Duration step() const noexcept { return step_; }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

  /// One that step(), limit() and points() describe; nothing if no series gives these.
  [[nodiscard]] static std::optional<TimeSeries> restore(base::Duration step, std::size_t limit,
                                                         std::span<const Point> points);

  friend bool operator==(const TimeSeries&, const TimeSeries&) = default;

 private:
  [[nodiscard]] bool same_step(base::Instant a, base::Instant b) const noexcept;
  void halve();

  base::Duration step_;
  std::size_t limit_;
  std::vector<Point> points_;
};

}  // namespace ggen::p2p::sim
