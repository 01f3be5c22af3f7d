#include <algorithm>
#include <array>

#include <ggen/p2p/kad/routing_table.hpp>

namespace ggen::p2p::kad {
namespace {

struct Candidate {
  Distance distance;
  const TableEntry* entry = nullptr;
};

bool nearer(const Candidate& a, const Candidate& b) {
  return a.distance < b.distance;
}

/// Candidates of one or more buckets, all of them farther than those already in the result. The
/// usual number lies on the stack.
class Ring {
 public:
  explicit Ring(RoutingTable::Which which) : healthy_(which == RoutingTable::Which::kHealthy) {}

  void add(const Key& key, std::span<const TableEntry> entries) {
    for (const TableEntry& entry : entries) {
      if (healthy_ && entry.failures > 0) continue;
      const Candidate candidate{entry.key.distance(key), &entry};
      if (rest_.empty() && size_ < few_.size()) {
        few_[size_++] = candidate;
        continue;
      }
      if (rest_.empty()) rest_.assign(few_.begin(), few_.begin() + size_);
      rest_.push_back(candidate);
    }
  }

  /// Moves the nearest to `result`, until it holds `count`.
  void move_to(std::vector<const TableEntry*>& result, std::size_t count) {
    const std::span<Candidate> all =
        rest_.empty() ? std::span{few_}.first(size_) : std::span{rest_};
    const std::size_t taken = std::min(all.size(), count - result.size());
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(taken), nearer);
    for (const Candidate& candidate : all.first(taken)) result.push_back(candidate.entry);
    rest_.clear();
    size_ = 0;
  }

 private:
  bool healthy_;
  std::array<Candidate, 64> few_;
  std::size_t size_ = 0;
  std::vector<Candidate> rest_;
};

}  // namespace

// Let p be the prefix that the key shares with ours. The peers of bucket p share more than p bits
// with the key; those of the deeper buckets, which are on our side, exactly p; those of each
// shallower bucket i exactly i. So the buckets are rings around the key, and only within a ring
// there is something to sort.
std::vector<const TableEntry*> RoutingTable::nearest(const Key& key, std::size_t count,
                                                     Which which) const {
  std::vector<const TableEntry*> result;
  result.reserve(std::min(count, size_));
  const std::size_t prefix = key.common_prefix(local_);
  Ring ring{which};
  ring.add(key, bucket(prefix));
  ring.move_to(result, count);
  if (result.size() < count) {
    for (std::size_t i = prefix + 1; i < buckets_.size(); ++i) ring.add(key, bucket(i));
    ring.move_to(result, count);
  }
  for (std::size_t i = std::min(prefix, buckets_.size()); i-- > 0 && result.size() < count;) {
    ring.add(key, bucket(i));
    ring.move_to(result, count);
  }
  return result;
}

}  // namespace ggen::p2p::kad
