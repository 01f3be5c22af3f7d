#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/key.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/sim/simulation.hpp>

namespace ggen::p2p::sim {

/// What could be reached at best by somebody who sees all nodes at once: bounds to compare with
/// what nodes did that see only themselves. Looks at the simulation as it is at the moment of the
/// call, and changes nothing. Jitter, loss, bandwidth and the time of disks are left out, so that a
/// bound is never too high.
class Oracle {
 public:
  /// `simulation` outlives it. Knows the nodes that are up now.
  explicit Oracle(const Simulation& simulation);

  /// How long news from `from` takes to each node, by index, if everybody passes them to all that
  /// it is connected with, at once. Nothing for who is not reached.
  [[nodiscard]] std::vector<std::optional<base::Duration>> flood(NodeIndex from) const;

  /// The critical path of a lookup.
  struct Path {
    base::Duration took{};
    std::size_t asked = 0;  ///< nodes on it and beside it
    std::size_t dials = 0;  ///< of these, how many `from` had no connection with
  };
  /// How soon `from` could have the answers of the `k` nodes nearest to `key`, if it asked nobody
  /// in vain, and everybody as soon as it could have heard of them. Each node answers with the `k`
  /// nearest of its routing table. Nothing when the nearest cannot be found that way.
  ///
  /// An answer takes a round trip, and kDialRoundTrips more where a connection must be made
  /// first.
  [[nodiscard]] std::optional<Path> lookup(NodeIndex from, const kad::Key& key,
                                           std::size_t k = 20) const;

  /// TCP, then Noise, which is proposed without waiting for an agreement and whose last message the
  /// request goes with. A message channel takes as many.
  static constexpr int kDialRoundTrips = 2;

 private:
  [[nodiscard]] std::vector<NodeIndex> nearest(const kad::Key& key, std::size_t k,
                                               NodeIndex but) const;
  [[nodiscard]] std::vector<NodeIndex> known(NodeIndex node, const kad::Key& key,
                                             std::size_t k) const;

  const Simulation& simulation_;
  base::HashMap<multiformats::PeerId, NodeIndex> by_id_;
  std::vector<std::pair<kad::Key, NodeIndex>> servers_;
};

}  // namespace ggen::p2p::sim
