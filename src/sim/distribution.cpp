#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <ggen/p2p/sim/distribution.hpp>

namespace ggen::p2p::sim {

namespace {

// A value is told from its neighbours by its first eight bits.
constexpr int kBits = 8;
constexpr std::uint64_t kLinear = std::uint64_t{1} << kBits;
constexpr std::uint64_t kPerOctave = kLinear / 2;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

constexpr std::size_t bucket_of(std::uint64_t value) {
  const int shift = std::max(static_cast<int>(std::bit_width(value)) - kBits, 0);
  return static_cast<std::size_t>(static_cast<std::uint64_t>(shift) * kPerOctave +
                                  (value >> shift));
}

constexpr int shift_of(std::size_t bucket) {
  return bucket < kLinear ? 0 : static_cast<int>(bucket / kPerOctave) - 1;
}

constexpr std::uint64_t lowest_of(std::size_t bucket) {
  const int shift = shift_of(bucket);
  return (bucket - static_cast<std::uint64_t>(shift) * kPerOctave) << shift;
}

constexpr std::uint64_t highest_of(std::size_t bucket) {
  return lowest_of(bucket) + ((std::uint64_t{1} << shift_of(bucket)) - 1);
}

static_assert(lowest_of(bucket_of(kLinear - 1)) == kLinear - 1);
static_assert(lowest_of(bucket_of(kLinear)) == kLinear);
static_assert(lowest_of(bucket_of(1'000'000)) <= 1'000'000);
static_assert(highest_of(bucket_of(1'000'000)) >= 1'000'000);
static_assert(highest_of(bucket_of(kMost)) == kMost);

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > kMost - b ? kMost : a + b;
}

std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > kMost / b ? kMost : a * b;
}

}  // namespace

void Distribution::add(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  const std::size_t bucket = bucket_of(value);
  if (bucket >= times_.size()) times_.resize(bucket + 1);
  times_[bucket] += times;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ = saturating_add(sum_, saturating_multiply(value, times));
  count_ += times;
}

void Distribution::merge(const Distribution& other) {
  if (other.count_ == 0) return;
  if (other.times_.size() > times_.size()) times_.resize(other.times_.size());
  for (std::size_t i = 0; i < other.times_.size(); ++i) times_[i] += other.times_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ = saturating_add(sum_, other.sum_);
  count_ += other.count_;
}

double Distribution::mean() const noexcept {
  return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t Distribution::quantile(double q) const {
  if (!(q > 0.0)) return min_;
  if (q >= 1.0) return max_;
  const auto rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    seen += times_[i];
    if (seen < rank) continue;
    const std::uint64_t lowest = lowest_of(i);
    return std::clamp(lowest + (highest_of(i) - lowest) / 2, min_, max_);
  }
  return max_;
}

std::vector<Distribution::Bucket> Distribution::buckets() const {
  std::vector<Bucket> found;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    if (times_[i] != 0) found.push_back({lowest_of(i), highest_of(i), times_[i]});
  }
  return found;
}

std::vector<Distribution::CdfPoint> Distribution::cdf() const {
  std::vector<CdfPoint> points;
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets()) {
    seen += bucket.times;
    points.push_back({std::min(bucket.highest, max_), seen});
  }
  return points;
}

std::optional<Distribution> Distribution::restore(std::span<const Bucket> buckets,
                                                  std::uint64_t min, std::uint64_t max,
                                                  std::uint64_t sum) {
  Distribution restored;
  for (const Bucket& bucket : buckets) {
    const std::size_t at = bucket_of(bucket.lowest);
    const bool in_order = at >= restored.times_.size();
    if (bucket.lowest != lowest_of(at) || bucket.highest != highest_of(at) || !in_order ||
        bucket.times == 0 || bucket.times > kMost - restored.count_) {
      return std::nullopt;
    }
    restored.times_.resize(at + 1);
    restored.times_[at] = bucket.times;
    restored.count_ += bucket.times;
  }
  if (buckets.empty()) {
    if (min != 0 || max != 0 || sum != 0) return std::nullopt;
    return restored;
  }
  const bool ends_fit = bucket_of(min) == bucket_of(buckets.front().lowest) &&
                        bucket_of(max) + 1 == restored.times_.size() && min <= max;
  if (!ends_fit || sum < max) return std::nullopt;
  restored.min_ = min;
  restored.max_ = max;
  restored.sum_ = sum;
  return restored;
}

}  // namespace ggen::p2p::sim
