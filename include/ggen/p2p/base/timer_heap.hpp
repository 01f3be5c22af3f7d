#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::base {

/// At most one deadline a key, in an indexed binary heap: O(log n) to set, move or cancel. Equal
/// deadlines come out in the order in which they were set, so that a run is the same every time.
/// Holds one node's timers; nobody polls children.
template <class Key, class Hash = std::hash<Key>>
class TimerHeap {
 public:
  TimerHeap() = default;
  TimerHeap(TimerHeap&&) noexcept = default;
  TimerHeap& operator=(TimerHeap&&) noexcept = default;
  // The heap points into the table.
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;

  /// Sets, moves or (with nothing) cancels the deadline of `key`. Setting the same deadline again
  /// keeps its place.
  void set(const Key& key, std::optional<Instant> deadline) {
    const std::size_t* const found = table_.find(key);
    if (!deadline) {
      if (found != nullptr) remove(*found);
      return;
    }
    if (found == nullptr) {
      Slot& slot = table_.try_emplace_entry(key, heap_.size()).first;
      heap_.push_back({*deadline, next_sequence_++, &slot});
      sift_up(heap_.size() - 1);
      return;
    }
    const std::size_t at = *found;
    if (heap_[at].deadline == *deadline) return;
    heap_[at].deadline = *deadline;
    heap_[at].sequence = next_sequence_++;
    sift_up(at);
    sift_down(*found);
  }

  [[nodiscard]] std::optional<Instant> earliest() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().deadline;
  }

  /// Removes and returns the first key whose deadline is not after `now`.
  std::optional<Key> pop_due(Instant now) {
    if (heap_.empty() || heap_.front().deadline > now) return std::nullopt;
    Key key = heap_.front().slot->first;
    remove(0);
    return key;
  }

  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  using Table = HashMap<Key, std::size_t, Hash>;  // where in the heap each key is
  using Slot = Table::Entry;
  struct Entry {
    Instant deadline;
    std::uint64_t sequence;
    Slot* slot;

    [[nodiscard]] bool before(const Entry& other) const noexcept {
      if (deadline != other.deadline) return deadline < other.deadline;
      return sequence < other.sequence;
    }
  };

  void place(std::size_t at, const Entry& entry) {
    heap_[at] = entry;
    entry.slot->second = at;
  }
  void sift_up(std::size_t at) {
    const Entry moved = heap_[at];
    for (; at > 0 && moved.before(heap_[(at - 1) / 2]); at = (at - 1) / 2) {
      place(at, heap_[(at - 1) / 2]);
    }
    place(at, moved);
  }
  void sift_down(std::size_t at) {
    const Entry moved = heap_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
      if (!heap_[child].before(moved)) break;
      place(at, heap_[child]);
      at = child;
    }
    place(at, moved);
  }
  void remove(std::size_t at) {
    GGEN_INVARIANT(at < heap_.size());
    table_.erase(heap_[at].slot->first);
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    place(at, last);
    sift_up(at);
    sift_down(last.slot->second);
  }

  std::vector<Entry> heap_;
  Table table_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace ggen::p2p::base
