#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/key.hpp>

namespace ggen::p2p::kad {

/// How many peers serve the DHT, by what lookups of random keys find: where n keys lie at random,
/// the k nearest to a point take up k / n of the key space. One lookup of twenty is right to within
/// a quarter, ten of them to within 7 % (one standard deviation). Lookups of chosen keys must not
/// count, since whoever knows a key can settle around it.
class NetworkSize {
 public:
  /// Lookups that are remembered; the oldest are forgotten first, and each after a while.
  static constexpr std::size_t kMaxLookups = 16;
  static constexpr base::Duration kMaxAge = std::chrono::minutes{30};
  /// Fresh when so many lookups are no older than this.
  static constexpr std::size_t kFreshLookups = 3;
  static constexpr base::Duration kFreshAge = std::chrono::minutes{1};

  /// The lookup of a random key has found its `found` nearest peers, the last of them at
  /// `farthest`; `everybody`: there are no others.
  void add(std::size_t found, const Distance& farthest, bool everybody, base::Instant now);
  void clear() { lookups_.clear(); }

  /// Peers, without this node. Nothing before there was a lookup.
  [[nodiscard]] std::optional<double> estimate(base::Instant now) const;
  [[nodiscard]] bool fresh(base::Instant now) const;
  /// The estimate follows from several lookups that found only a part of the network: not from what
  /// a node met when it had just joined.
  [[nodiscard]] bool firm(base::Instant now) const;

 private:
  struct Lookup {
    double found = 0;
    double share = 0;  // of the key space
    bool everybody = false;
    base::Instant when;
  };

  std::vector<Lookup> lookups_;  // oldest first
};

}  // namespace ggen::p2p::kad
