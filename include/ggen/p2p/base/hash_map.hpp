#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace ggen::p2p::base {

/// A hash table that can only be walked in the order of its keys: the same seed must give the same
/// trace with every standard library, and hash order differs between them.
///
/// The table holds the hashes and entries lie by themselves, so that a look costs two places in
/// memory and not one for each neighbour: in a process with thousands of nodes all are cold. It
/// holds no memory while nothing was ever in it. Linear probing, and erasing moves back who was
/// displaced.
template <class Key, class Value, class Hash = std::hash<Key>>
class HashMap {
 public:
  using Entry = std::pair<const Key, Value>;

  HashMap() = default;
  HashMap(HashMap&& other) noexcept
      : slots_(std::exchange(other.slots_, {})), size_(std::exchange(other.size_, 0)) {}
  HashMap& operator=(HashMap&& other) noexcept {
    HashMap moved{std::move(other)};
    slots_.swap(moved.slots_);
    std::swap(size_, moved.size_);
    return *this;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool contains(const Key& key) const { return find(key) != nullptr; }

  /// Null when absent. The pointer stays valid until the entry is erased.
  [[nodiscard]] Value* find(const Key& key) {
    const std::size_t at = slot_of(key, hash_of(key));
    return holds(at) ? &slots_[at].entry->second : nullptr;
  }
  [[nodiscard]] const Value* find(const Key& key) const {
    const std::size_t at = slot_of(key, hash_of(key));
    return holds(at) ? &slots_[at].entry->second : nullptr;
  }

  /// The entry of `key`, made from `args` when absent; true when it was made.
  template <class... Args>
  std::pair<Entry&, bool> try_emplace_entry(const Key& key, Args&&... args) {
    const std::uint32_t hash = hash_of(key);
    if (const std::size_t at = slot_of(key, hash); holds(at)) return {*slots_[at].entry, false};
    auto entry = std::make_unique<Entry>(std::piecewise_construct, std::forward_as_tuple(key),
                                         std::forward_as_tuple(std::forward<Args>(args)...));
    Entry& made = *entry;
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    place({std::move(entry), hash});
    ++size_;
    return {made, true};
  }
  /// The same for the value alone.
  template <class... Args>
  std::pair<Value&, bool> try_emplace(const Key& key, Args&&... args) {
    const auto [entry, made] = try_emplace_entry(key, std::forward<Args>(args)...);
    return {entry.second, made};
  }
  Value& operator[](const Key& key) { return try_emplace(key).first; }

  bool erase(const Key& key) {
    std::size_t hole = slot_of(key, hash_of(key));
    if (!holds(hole)) return false;
    const auto erased = std::move(slots_[hole].entry);  // goes when the table is in order again
    for (std::size_t at = next(hole); holds(at); at = next(at)) {
      const std::size_t displaced = (at - slots_[at].hash) & mask();
      if (displaced < ((at - hole) & mask())) continue;  // it would come before its place
      slots_[hole] = std::move(slots_[at]);
      hole = at;
    }
    --size_;
    return true;
  }
  void clear() noexcept { *this = HashMap{}; }

  /// All entries in the order of their keys; the pointers are valid until their entries are erased.
  [[nodiscard]] std::vector<Entry*> sorted() { return sorted_as<Entry*>(); }
  [[nodiscard]] std::vector<const Entry*> sorted() const { return sorted_as<const Entry*>(); }

 private:
  struct Slot {
    std::unique_ptr<Entry> entry;  // null: the slot is free
    std::uint32_t hash = 0;        // its low bits are where the entry belongs
  };
  static constexpr std::size_t kFewest = 4;

  // Many hashes are the key itself: spread it over all bits.
  [[nodiscard]] static std::uint32_t hash_of(const Key& key) {
    const std::uint64_t spread = std::uint64_t{Hash{}(key)} * 0x9e3779b97f4a7c15;
    return static_cast<std::uint32_t>(spread >> 32);
  }
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }
  [[nodiscard]] bool holds(std::size_t at) const noexcept {
    return at < slots_.size() && slots_[at].entry != nullptr;
  }

  /// Where `key` is, or the free slot that a search for it ends at.
  [[nodiscard]] std::size_t slot_of(const Key& key, std::uint32_t hash) const {
    if (slots_.empty()) return 0;
    std::size_t at = hash & mask();
    while (holds(at) && (slots_[at].hash != hash || !(slots_[at].entry->first == key))) {
      at = next(at);
    }
    return at;
  }
  /// Only while there is a free slot.
  void place(Slot slot) {
    std::size_t at = slot.hash & mask();
    while (holds(at)) at = next(at);
    slots_[at] = std::move(slot);
  }
  void grow() {
    std::vector<Slot> former(std::max(kFewest, slots_.size() * 2));
    former.swap(slots_);
    for (Slot& slot : former) {
      if (slot.entry) place(std::move(slot));
    }
  }

  template <class Pointer>
  std::vector<Pointer> sorted_as() const {
    std::vector<Pointer> entries;
    entries.reserve(size_);
    for (const Slot& slot : slots_) {
      if (slot.entry) entries.push_back(slot.entry.get());
    }
    std::ranges::sort(entries, {}, [](const Entry* entry) -> const Key& { return entry->first; });
    return entries;
  }

  std::vector<Slot> slots_;  // a power of two of them, or none
  std::size_t size_ = 0;
};

}  // namespace ggen::p2p::base
