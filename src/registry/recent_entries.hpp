#pragma once

#include <cstddef>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/registry/entry_id.hpp>

namespace ggen::p2p::registry {

/// Entries that came a short while ago, by whatever way.
class RecentEntries {
 public:
  static constexpr std::size_t kMax = 4096;
  static constexpr base::Duration kAge = std::chrono::minutes{1};

  void insert(const EntryId& id, base::Instant now) {
    if (!since_.try_emplace(id, now).second) return;
    order_.push(id);
    while (order_.size() > kMax || now - *since_.find(order_.front()) > kAge) {
      since_.erase(order_.front());
      order_.pop();
    }
  }
  [[nodiscard]] bool contains(const EntryId& id, base::Instant now) const {
    const base::Instant* since = since_.find(id);
    return since != nullptr && now - *since <= kAge;
  }

 private:
  base::HashMap<EntryId, base::Instant> since_;
  base::Fifo<EntryId> order_;
};

}  // namespace ggen::p2p::registry
