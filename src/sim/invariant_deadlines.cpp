#include "invariant_deadlines.hpp"

#include <chrono>

#include <fmt/format.h>

namespace ggen::p2p::sim {

void DeadlinesInvariant::compare(NodeIndex node, std::string_view what,
                                 std::optional<base::Instant> deadline,
                                 std::optional<base::Instant> earliest) {
  invariant_.look();
  if (!deadline || (earliest && *deadline >= *earliest)) return;
  const auto at = std::chrono::duration<double>(deadline->time_since_epoch()).count();
  invariant_.violate(simulation_.now(), node,
                     fmt::format("{} wants to be called at {:.3f} s, and nobody will", what, at));
}

void DeadlinesInvariant::look(NodeIndex index) {
  const node::Node& node = simulation_.node(index);
  const auto first = node.next_deadline();
  compare(index, "the node", simulation_.deadline(index), simulation_.now());
  compare(index, "the node", first, simulation_.deadline(index));
  compare(index, "swarm", node.swarm().next_deadline(), first);
  if (const auto* kad = node.kad()) compare(index, "kad", kad->next_deadline(), first);
  if (const auto* gossip = node.gossipsub()) {
    compare(index, "gossipsub", gossip->next_deadline(), first);
  }
  if (const auto* registry = node.registry()) {
    compare(index, "registry", registry->next_deadline(), first);
  }
}

}  // namespace ggen::p2p::sim
