#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/sim/network_map.hpp>

namespace ggen::p2p::sim {

NetworkMap::NetworkMap(Plane plane, std::string reached)
    : plane_(plane), reached_(std::move(reached)) {}

std::optional<std::uint32_t> NetworkMap::add_node(Node node) {
  GGEN_INVARIANT(frames_.empty());
  if (nodes_.size() == kMaxNodes) return std::nullopt;
  nodes_.push_back(std::move(node));
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

void NetworkMap::add_frame(base::Instant when, std::span<const State> states,
                           std::span<const Edge> edges) {
  GGEN_INVARIANT(states.size() == nodes_.size());
  GGEN_INVARIANT(frames_.empty() || when >= frames_.back().when);
  for (const Edge& edge : edges) {
    GGEN_INVARIANT(edge.from < nodes_.size() && edge.to < nodes_.size());
  }
  if (last_is_extra_) frames_.pop_back();
  if (frames_.size() == kMaxFrames) {
    for (std::size_t i = 1; 2 * i < frames_.size(); ++i) frames_[i] = std::move(frames_[2 * i]);
    frames_.resize(kMaxFrames / 2);
    stride_ *= 2;
  }
  const std::span<const Edge> kept = edges.first(std::min(edges.size(), kMaxEdges));
  frames_.push_back({when, {states.begin(), states.end()}, {kept.begin(), kept.end()}});
  last_is_extra_ = offered_ % stride_ != 0;
  ++offered_;
}

}  // namespace ggen::p2p::sim
