#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::base {

/// At most one deadline a key, in an indexed binary heap: O(log n) to set, move or cancel. Equal
/// deadlines come out in the order in which they were set, so that a run is the same every time.
/// Holds one node's timers; nobody polls children.
template <class Key, class Hash = std::hash<Key>>
class TimerHeap {
 public:
  /// Sets, moves or (with nothing) cancels the deadline of `key`. Setting the same deadline again
  /// keeps its place.
  void set(const Key& key, std::optional<Instant> deadline) {
    const auto it = index_.find(key);
    if (!deadline) {
      if (it != index_.end()) remove(it->second);
      return;
    }
    if (it == index_.end()) {
      index_[key] = heap_.size();
      heap_.push_back({*deadline, next_sequence_++, key});
      sift_up(heap_.size() - 1);
      return;
    }
    const std::size_t at = it->second;
    if (heap_[at].deadline == *deadline) return;
    heap_[at].deadline = *deadline;
    heap_[at].sequence = next_sequence_++;
    sift_up(at);
    sift_down(index_[key]);
  }

  [[nodiscard]] std::optional<Instant> earliest() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().deadline;
  }

  /// Removes and returns the first key whose deadline is not after `now`.
  std::optional<Key> pop_due(Instant now) {
    if (heap_.empty() || heap_.front().deadline > now) return std::nullopt;
    Key key = heap_.front().key;
    remove(0);
    return key;
  }

  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Entry {
    Instant deadline;
    std::uint64_t sequence;
    Key key;
  };

  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept {
    if (heap_[a].deadline != heap_[b].deadline) return heap_[a].deadline < heap_[b].deadline;
    return heap_[a].sequence < heap_[b].sequence;
  }
  void swap_entries(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    index_[heap_[a].key] = a;
    index_[heap_[b].key] = b;
  }
  void sift_up(std::size_t at) {
    while (at > 0 && before(at, (at - 1) / 2)) {
      swap_entries(at, (at - 1) / 2);
      at = (at - 1) / 2;
    }
  }
  void sift_down(std::size_t at) {
    for (;;) {
      std::size_t first = at;
      for (std::size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); ++child) {
        if (before(child, first)) first = child;
      }
      if (first == at) return;
      swap_entries(at, first);
      at = first;
    }
  }
  void remove(std::size_t at) {
    GGEN_INVARIANT(at < heap_.size());
    const std::size_t last = heap_.size() - 1;
    if (at != last) swap_entries(at, last);
    index_.erase(heap_.back().key);
    heap_.pop_back();
    if (at < heap_.size()) {
      sift_up(at);
      sift_down(at);
    }
  }

  std::vector<Entry> heap_;
  std::unordered_map<Key, std::size_t, Hash> index_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace ggen::p2p::base
