#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::sim {

/// What is to happen in virtual time: a 4-ary heap keyed by (time, sequence), so that events of one
/// instant come in the order in which they were scheduled, and a run is the same every time.
///
/// Events cannot be moved or cancelled: who scheduled one that no longer matters ignores it when it
/// comes. That keeps an entry at 24 bytes, and a sift touches nothing but the heap.
template <class Event>
class EventQueue {
 public:
  /// `when` may not lie before what pop() last gave: virtual time never goes back.
  void push(base::Instant when, Event event) {
    GGEN_INVARIANT(when >= last_);
    const std::uint32_t slot = take_slot(std::move(event));
    heap_.push_back({when, next_sequence_++, slot});
    sift_up(heap_.size() - 1);
  }

  [[nodiscard]] std::optional<base::Instant> earliest() const noexcept {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().when;
  }

  struct Due {
    base::Instant when;
    Event event;
  };
  /// The first event; nothing when the queue is empty.
  std::optional<Due> pop() {
    if (heap_.empty()) return std::nullopt;
    const Entry first = heap_.front();
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(last);
    last_ = first.when;
    free_.push_back(first.slot);
    return Due{first.when, std::move(slots_[first.slot])};
  }

  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Entry {
    base::Instant when;
    std::uint64_t sequence;
    std::uint32_t slot;

    [[nodiscard]] bool before(const Entry& other) const noexcept {
      return when != other.when ? when < other.when : sequence < other.sequence;
    }
  };
  static constexpr std::size_t kArity = 4;

  std::uint32_t take_slot(Event event) {
    if (free_.empty()) {
      slots_.push_back(std::move(event));
      return static_cast<std::uint32_t>(slots_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(event);
    return slot;
  }

  void sift_up(std::size_t at) {
    const Entry entry = heap_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / kArity;
      if (!entry.before(heap_[parent])) break;
      heap_[at] = heap_[parent];
      at = parent;
    }
    heap_[at] = entry;
  }

  // Puts `entry` where it belongs, from the root on.
  void sift_down(const Entry& entry) {
    std::size_t at = 0;
    for (;;) {
      const std::size_t first = at * kArity + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t child = first + 1; child < first + kArity && child < heap_.size(); ++child) {
        if (heap_[child].before(heap_[least])) least = child;
      }
      if (!heap_[least].before(entry)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = entry;
  }

  std::vector<Entry> heap_;
  std::vector<Event> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_sequence_ = 0;
  base::Instant last_;
};

}  // namespace ggen::p2p::sim
