#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ggen::p2p::sim {

/// Records any number of values, durations in nanoseconds or counts, in bounded memory.
///
/// A histogram whose buckets grow with the value: 128 to each power of two, and one for each value
/// below 256, which are therefore exact. What it gives back is within 0.4 % of what was recorded.
/// A recorder takes 8 bytes for each bucket up to its greatest value: at most 59 KB, and 28 KB for
/// durations of up to five seconds.
///
/// Integers only, so that the same values give the same answers on every compiler, in any order.
class Distribution {
 public:
  /// Values at the two ends of a bucket, both inclusive, and how many were recorded between them.
  struct Bucket {
    std::uint64_t lowest;
    std::uint64_t highest;
    std::uint64_t times;
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };
  /// How many of the values are at most `value`.
  struct CdfPoint {
    std::uint64_t value;
    std::uint64_t at_most;
  };

  void add(std::uint64_t value, std::uint64_t times = 1);
  /// As if every value of the other had been added to this one.
  void merge(const Distribution& other);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// Exact. Zero when nothing was recorded, as are the others below.
  [[nodiscard]] std::uint64_t min() const noexcept { return min_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  /// Exact, up to 2^64 - 1, where it stays: 584 years of nanoseconds.
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }
  [[nodiscard]] double mean() const noexcept;
  /// The least value that at least the share `q` of all values does not exceed: 0.5 is the median.
  /// `q` outside 0 to 1 is taken as the nearer end.
  [[nodiscard]] std::uint64_t quantile(double q) const;

  /// Those that are not empty, by value.
  [[nodiscard]] std::vector<Bucket> buckets() const;
  /// The steps of the cumulative distribution: one for each bucket that is not empty.
  [[nodiscard]] std::vector<CdfPoint> cdf() const;

  /// One that buckets(), min(), max() and sum() describe; nothing if no recorder gives these.
  [[nodiscard]] static std::optional<Distribution> restore(std::span<const Bucket> buckets,
                                                           std::uint64_t min, std::uint64_t max,
                                                           std::uint64_t sum);

  friend bool operator==(const Distribution&, const Distribution&) = default;

 private:
  // One for each bucket up to that of the greatest value.
  std::vector<std::uint64_t> times_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace ggen::p2p::sim
