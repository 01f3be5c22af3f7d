#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/kad/message.hpp>

#include "prefix.hpp"

namespace ggen::p2p::kad {

/// Finds all servers of a region, and where these are fewer than k, those of the larger region
/// around it that has k: then the k nearest to any key of the region are among them.
///
/// The k nearest to a point hold all peers of the largest part around it in which there are fewer
/// than k. So each lookup of a point covers such a part, and the next one is of a point in what is
/// left. A region of n peers takes about 1.5 n / k lookups, however unevenly they lie.
class Exploration {
 public:
  Exploration(const Prefix& region, std::size_t k) : region_(region), k_(k), left_{region} {}

  /// A part of which a point is to be looked up; nothing when there are no more. One of found(),
  /// skip() must follow.
  [[nodiscard]] std::optional<Prefix> next() const;
  /// The peers nearest to `target`, nearest first; fewer than k when there are no others.
  void found(Place target, std::span<const PeerRecord> closest);
  /// No point of the part can be looked up.
  void skip();

  /// All that were found, of the region and around it, by their places.
  [[nodiscard]] const std::map<Place, PeerRecord>& peers() const noexcept { return peers_; }
  [[nodiscard]] const Prefix& region() const noexcept { return region_; }
  [[nodiscard]] std::size_t lookups() const noexcept { return lookups_; }

 private:
  void extend();

  Prefix region_;
  std::size_t k_;
  std::vector<Prefix> left_;  // not covered; the last one is next
  unsigned deepest_ = region_.bits + kDepth;
  std::map<Place, PeerRecord> peers_;
  std::size_t lookups_ = 0;

  // Where k peers lie in such a small part of the region, they have settled there: what is beside
  // them is not looked for, or each step towards them would take a lookup.
  static constexpr unsigned kDepth = 8;
  // Liars who make up regions full of peers get no further.
  static constexpr std::size_t kMaxLookups = 64;
};

}  // namespace ggen::p2p::kad
