#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/search.hpp>
#include <ggen/p2p/registry/storage.hpp>

namespace ggen::p2p::sim {

/// The search index of a MemoryStorage, with the rules of the real one: each word must begin a
/// token of the name, the tags, the category, the authors or the description; a word of several
/// tokens, such as `left-pad`, must find them one behind the other. Upper and lower case of ASCII
/// are the same. Not thread-safe.
class MemoryIndex {
 public:
  /// The position of the journal that apply() was last given; 0 at first.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  void apply(const registry::store::IndexApply& apply);
  [[nodiscard]] registry::store::Matches query(const registry::SearchRequest& query) const;

 private:
  std::map<std::pair<multiformats::PeerId, std::uint64_t>, registry::IndexAdd> releases_;
  std::uint64_t position_ = 0;
};

}  // namespace ggen::p2p::sim
