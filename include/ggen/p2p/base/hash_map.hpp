#pragma once

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ggen::p2p::base {

/// A hash table that can only be walked in the order of its keys: the same seed must give the same
/// trace with every standard library, and hash order differs between them.
template <class Key, class Value, class Hash = std::hash<Key>>
class HashMap {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return map_.size(); }
  [[nodiscard]] bool empty() const noexcept { return map_.empty(); }
  [[nodiscard]] bool contains(const Key& key) const { return map_.contains(key); }

  /// Null when absent. The pointer stays valid until the entry is erased.
  [[nodiscard]] Value* find(const Key& key) {
    const auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }
  [[nodiscard]] const Value* find(const Key& key) const {
    const auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }

  /// The value of `key`, made from `args` when absent; true when it was made.
  template <class... Args>
  std::pair<Value&, bool> try_emplace(const Key& key, Args&&... args) {
    const auto [it, inserted] = map_.try_emplace(key, std::forward<Args>(args)...);
    return {it->second, inserted};
  }
  Value& operator[](const Key& key) { return map_[key]; }
  bool erase(const Key& key) { return map_.erase(key) > 0; }
  void clear() noexcept { map_.clear(); }

  using Entry = std::pair<const Key, Value>;
  /// All entries in the order of their keys; the pointers are valid until their entries are erased.
  [[nodiscard]] std::vector<Entry*> sorted() {
    std::vector<Entry*> entries;
    entries.reserve(map_.size());
    for (Entry& entry : map_) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(), by_key);
    return entries;
  }
  [[nodiscard]] std::vector<const Entry*> sorted() const {
    std::vector<const Entry*> entries;
    entries.reserve(map_.size());
    for (const Entry& entry : map_) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(), by_key);
    return entries;
  }

 private:
  static bool by_key(const Entry* a, const Entry* b) { return a->first < b->first; }

  std::unordered_map<Key, Value, Hash> map_;
};

}  // namespace ggen::p2p::base
