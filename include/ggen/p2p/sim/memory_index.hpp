#pragma once

#include <cstdint>
#include <vector>

#include <ggen/p2p/registry/search.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/sim/blob_pool.hpp>
#include <ggen/p2p/sim/shared.hpp>
#include <ggen/p2p/sim/stored.hpp>

namespace ggen::p2p::sim {

/// The search index of a MemoryStorage, with the rules of the real one: each word must begin a
/// token of the name, the tags, the category, the authors or the description; a word of several
/// tokens, such as `left-pad`, must find them one behind the other. Upper and lower case of ASCII
/// are the same. Not thread-safe.
class MemoryIndex {
 public:
  /// The position of the journal that apply() was last given; 0 at first.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// Takes the releases from `pool`.
  void apply(const registry::store::IndexApply& apply, BlobPool& pool);
  [[nodiscard]] registry::store::Matches query(const registry::SearchRequest& query) const;

 private:
  void add(Shared<StoredRelease> release);
  void remove(const registry::IndexRemove& remove);

  // By publisher and sequence number, each once.
  std::vector<Shared<StoredRelease>> releases_;
  std::uint64_t position_ = 0;
};

}  // namespace ggen::p2p::sim
