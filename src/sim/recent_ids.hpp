#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ggen::p2p::sim {

/// Numbers that are spread evenly, kept for a while: for one or two calls of age(). Takes at most
/// 32 bytes for each, and none when there are none.
class RecentIds {
 public:
  void insert(std::uint64_t id) {
    if (contains(id)) return;
    if (2 * (size_ + 1) > young_.size()) grow();
    put(young_, id);
    ++size_;
  }
  [[nodiscard]] bool contains(std::uint64_t id) const { return in(young_, id) || in(old_, id); }
  void age() {
    old_ = std::exchange(young_, {});
    size_ = 0;
  }

 private:
  using Slots = std::vector<std::uint64_t>;  // a power of two, at most half of them taken; 0: free

  static std::size_t slot(const Slots& slots, std::uint64_t id) {
    std::size_t at = id & (slots.size() - 1);
    while (slots[at] != 0 && slots[at] != id) at = (at + 1) & (slots.size() - 1);
    return at;
  }
  static bool in(const Slots& slots, std::uint64_t id) {
    return !slots.empty() && slots[slot(slots, id)] == id;
  }
  static void put(Slots& slots, std::uint64_t id) { slots[slot(slots, id)] = id; }
  void grow() {
    Slots larger(young_.empty() ? 8 : 2 * young_.size());
    for (const std::uint64_t id : young_) {
      if (id != 0) put(larger, id);
    }
    young_ = std::move(larger);
  }

  Slots young_;
  Slots old_;
  std::size_t size_ = 0;
};

}  // namespace ggen::p2p::sim
