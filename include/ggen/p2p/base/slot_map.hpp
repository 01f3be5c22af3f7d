#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace ggen::p2p::base {

/// Names an object of a SlotMap. A stale id finds nothing, also after its slot was used again.
template <class Tag>
struct Id {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  ///< 0 names nothing

  [[nodiscard]] explicit operator bool() const noexcept { return generation != 0; }
  auto operator<=>(const Id&) const = default;
  /// One number for both halves, for logs and for keys.
  [[nodiscard]] std::uint64_t value() const noexcept {
    return (std::uint64_t{generation} << 32) | index;
  }
};

/// Objects named by generational ids. Walked in the order of their slots, which is deterministic.
///
/// Slots are never given back, since each remembers its generation. Large objects therefore lie
/// beside them: what a burst has left behind is 16 bytes for each slot.
template <class T, class Tag = T>
class SlotMap {
 public:
  using Key = Id<Tag>;

  template <class... Args>
  Key emplace(Args&&... args) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Slot& slot = slots_[index];
    if constexpr (kBeside) {
      slot.value = std::make_unique<T>(std::forward<Args>(args)...);
    } else {
      slot.value.emplace(std::forward<Args>(args)...);
    }
    ++size_;
    return {index, slot.generation};
  }

  /// Null when the id is stale. The pointer is valid until the next emplace or erase.
  [[nodiscard]] T* find(Key key) noexcept {
    return alive(key) ? &*slots_[key.index].value : nullptr;
  }
  [[nodiscard]] const T* find(Key key) const noexcept {
    return alive(key) ? &*slots_[key.index].value : nullptr;
  }

  bool erase(Key key) {
    if (!alive(key)) return false;
    Slot& slot = slots_[key.index];
    slot.value.reset();
    if (++slot.generation == 0) slot.generation = 1;
    free_.push_back(key.index);
    --size_;
    return true;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Calls visit(key, value) for each object; visit must not add or erase.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) visit(Key{i, slots_[i].generation}, *slots_[i].value);
    }
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) visit(Key{i, slots_[i].generation}, *slots_[i].value);
    }
  }

 private:
  static constexpr bool kBeside = sizeof(T) > 64;

  struct Slot {
    std::conditional_t<kBeside, std::unique_ptr<T>, std::optional<T>> value;
    std::uint32_t generation = 1;
  };

  [[nodiscard]] bool alive(Key key) const noexcept {
    return key.index < slots_.size() && slots_[key.index].generation == key.generation &&
           static_cast<bool>(slots_[key.index].value);
  }

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace ggen::p2p::base

template <class Tag>
struct std::hash<ggen::p2p::base::Id<Tag>> {
  std::size_t operator()(const ggen::p2p::base::Id<Tag>& id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value());
  }
};
