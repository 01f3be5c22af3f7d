#include "invariant_leaks.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ggen::p2p::sim {

void LeaksInvariant::started(NodeIndex node) {
  if (nodes_.size() <= node) nodes_.resize(node + 1);
  nodes_[node] = {};
}

void LeaksInvariant::closed(NodeIndex node) {
  if (--nodes_[node].streams < 0) violate(node, "a stream was closed twice");
}

void LeaksInvariant::storing(NodeIndex node, registry::StoreId id) {
  auto& operations = nodes_[node].operations;
  if (std::ranges::find(operations, id) != operations.end()) {
    violate(node, "two operations of its store have one id");
  }
  operations.push_back(id);
}

void LeaksInvariant::stored(NodeIndex node, registry::StoreId id) {
  invariant_.look();
  auto& operations = nodes_[node].operations;
  const auto found = std::ranges::find(operations, id);
  if (found == operations.end()) {
    return violate(node, "its store answered an operation that is not under way");
  }
  operations.erase(found);
}

void LeaksInvariant::stopped(NodeIndex node) {
  invariant_.look();
  const std::size_t connections = simulation_.network().open_ends(node);
  if (connections > 0) violate(node, fmt::format("it left {} connections", connections));
  if (const auto streams = nodes_[node].streams; streams != 0) {
    violate(node, fmt::format("it left {} streams", streams));
  }
  nodes_[node] = {};
}

void LeaksInvariant::ended(bool at_rest, std::size_t held) {
  invariant_.look();
  const NodeIndex nobody = 0;
  if (!at_rest) {
    std::size_t operations = 0;
    for (NodeIndex i = 0; i < simulation_.size(); ++i)
      operations += simulation_.disk(i).under_way();
    violate(nobody, fmt::format("after all nodes were to stop, {} connections and {} operations of "
                                "stores are left",
                                simulation_.network().links(), operations));
  }
  const std::int64_t left = base::Buffer::live_blocks() - blocks_ - static_cast<std::int64_t>(held);
  if (left != 0) violate(nobody, fmt::format("{} blocks of memory are left of the run", left));
}

}  // namespace ggen::p2p::sim
