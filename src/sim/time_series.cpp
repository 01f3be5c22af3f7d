#include <algorithm>
#include <cmath>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/sim/time_series.hpp>

namespace ggen::p2p::sim {

namespace {

void join(TimeSeries::Point& point, const TimeSeries::Point& later) {
  point.count += later.count;
  point.sum += later.sum;
  point.min = std::min(point.min, later.min);
  point.max = std::max(point.max, later.max);
}

}  // namespace

TimeSeries::TimeSeries(base::Duration step, std::size_t limit) : step_(step), limit_(limit) {
  GGEN_INVARIANT(step > base::Duration::zero() && limit >= 2);
}

bool TimeSeries::same_step(base::Instant a, base::Instant b) const noexcept {
  return a.time_since_epoch() / step_ == b.time_since_epoch() / step_;
}

void TimeSeries::add(base::Instant when, double value) {
  if (!std::isfinite(value)) return;
  GGEN_INVARIANT(points_.empty() || when >= points_.back().when);
  const Point point{when, 1, value, value, value};
  for (;;) {
    if (!points_.empty() && same_step(points_.back().when, when)) {
      join(points_.back(), point);
      return;
    }
    if (points_.size() < limit_) break;
    halve();
  }
  points_.push_back(point);
}

void TimeSeries::halve() {
  step_ *= 2;
  std::size_t kept = 0;
  for (const Point& point : points_) {
    if (kept > 0 && same_step(points_[kept - 1].when, point.when)) {
      join(points_[kept - 1], point);
    } else {
      points_[kept++] = point;
    }
  }
  points_.resize(kept);
}

std::optional<TimeSeries> TimeSeries::restore(base::Duration step, std::size_t limit,
                                              std::span<const Point> points) {
  if (step <= base::Duration::zero() || limit < 2 || points.size() > limit) return std::nullopt;
  TimeSeries restored(step, limit);
  for (const Point& point : points) {
    const bool follows =
        restored.points_.empty() || (point.when > restored.points_.back().when &&
                                     !restored.same_step(restored.points_.back().when, point.when));
    if (!follows || point.count == 0 || !(point.min <= point.max) || !std::isfinite(point.sum)) {
      return std::nullopt;
    }
    restored.points_.push_back(point);
  }
  return restored;
}

}  // namespace ggen::p2p::sim
