#pragma once

#include <optional>
#include <string_view>

#include <ggen/p2p/sim/invariants.hpp>

namespace ggen::p2p::sim {

/// No deadline is missed: a node is woken for its deadline, and its deadline is that of the engine
/// in it that has the first one. That a node which is called moves a deadline that has come is
/// asserted by base::step().
class DeadlinesInvariant {
 public:
  DeadlinesInvariant(const Simulation& simulation, Invariant& invariant)
      : simulation_(simulation), invariant_(invariant) {}

  /// Looks at a node that is up.
  void look(NodeIndex node);
  /// `what` has a deadline that may not lie before `earliest`.
  void compare(NodeIndex node, std::string_view what, std::optional<base::Instant> deadline,
               std::optional<base::Instant> earliest);

 private:
  const Simulation& simulation_;
  Invariant& invariant_;
};

}  // namespace ggen::p2p::sim
