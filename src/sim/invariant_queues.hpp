#pragma once

#include <cstddef>
#include <string_view>

#include <ggen/p2p/sim/invariants.hpp>

namespace ggen::p2p::sim {

/// What a remote can make a node hold stays within the limits of its configuration.
class QueuesInvariant {
 public:
  QueuesInvariant(const Simulation& simulation, Invariant& invariant)
      : simulation_(simulation), invariant_(invariant) {}

  /// Looks at a node that is up.
  void look(NodeIndex node);
  /// Of `what`, a node holds so many.
  void compare(NodeIndex node, std::string_view what, std::size_t held, std::size_t limit);

 private:
  const Simulation& simulation_;
  Invariant& invariant_;
};

}  // namespace ggen::p2p::sim
