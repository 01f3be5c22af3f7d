#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ggen/p2p/sim/invariants.hpp>

namespace ggen::p2p::sim {

/// A node that has stopped leaves no stream and no connection, each operation of a store is
/// answered once, and after the run there is nothing under way and no memory of it left.
class LeaksInvariant {
 public:
  LeaksInvariant(const Simulation& simulation, Invariant& invariant)
      : simulation_(simulation), invariant_(invariant), blocks_(base::Buffer::live_blocks()) {}

  void started(NodeIndex node);
  void opened(NodeIndex node) { ++nodes_[node].streams; }
  void closed(NodeIndex node);
  void storing(NodeIndex node, registry::StoreId id);
  void stored(NodeIndex node, registry::StoreId id);
  /// Its channels go without a word, and nobody waits for its store any more.
  void crashing(NodeIndex node) { nodes_[node] = {}; }
  void stopped(NodeIndex node);
  /// `held` is of blocks that somebody else still holds.
  void ended(bool at_rest, std::size_t held);

 private:
  struct Node {
    std::int64_t streams = 0;
    std::vector<registry::StoreId> operations;  // under way: few
  };

  void violate(NodeIndex node, std::string what) {
    invariant_.violate(simulation_.now(), node, std::move(what));
  }

  const Simulation& simulation_;
  Invariant& invariant_;
  std::int64_t blocks_;  // before the run
  std::vector<Node> nodes_;
};

}  // namespace ggen::p2p::sim
