#include <algorithm>
#include <queue>
#include <utility>

#include <ggen/p2p/sim/oracle.hpp>

namespace ggen::p2p::sim {
namespace {

// What is to be looked at next, soonest first; of two at one time the one with the lower index.
using Reached = std::pair<base::Duration, NodeIndex>;
using Frontier = std::priority_queue<Reached, std::vector<Reached>, std::greater<>>;

}  // namespace

Oracle::Oracle(const Simulation& simulation) : simulation_(simulation) {
  for (NodeIndex i = 0; i < simulation.size(); ++i) {
    if (!simulation.is_up(i)) continue;
    by_id_.try_emplace(simulation.id(i), i);
    const kad::Engine* kad = simulation.node(i).kad();
    if (kad != nullptr && kad->mode() == kad::Mode::kServer) {
      servers_.emplace_back(kad::Key::of(simulation.id(i)), i);
    }
  }
}

std::vector<std::optional<base::Duration>> Oracle::flood(NodeIndex from) const {
  std::vector<std::optional<base::Duration>> reached(simulation_.size());
  Frontier frontier;
  frontier.emplace(base::Duration{}, from);
  while (!frontier.empty()) {
    const auto [time, node] = frontier.top();
    frontier.pop();
    if (reached[node]) continue;
    reached[node] = time;
    for (const auto& peer : simulation_.node(node).swarm().connected_peers()) {
      const NodeIndex* other = by_id_.find(peer);
      if (other == nullptr || reached[*other]) continue;
      frontier.emplace(time + simulation_.network().latency(node, *other), *other);
    }
  }
  return reached;
}

std::vector<NodeIndex> Oracle::nearest(const kad::Key& key, std::size_t k, NodeIndex but) const {
  auto servers = servers_;
  std::erase_if(servers, [&](const auto& server) { return server.second == but; });
  const auto count = static_cast<std::ptrdiff_t>(std::min(k, servers.size()));
  std::ranges::partial_sort(servers, servers.begin() + count, {},
                            [&](const auto& server) { return key.distance(server.first); });
  std::vector<NodeIndex> nodes;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    nodes.push_back(servers[static_cast<std::size_t>(i)].second);
  }
  return nodes;
}

std::vector<NodeIndex> Oracle::known(NodeIndex node, const kad::Key& key, std::size_t k) const {
  std::vector<NodeIndex> nodes;
  for (const kad::TableEntry* entry : simulation_.node(node).kad()->table().nearest(key, k)) {
    if (const NodeIndex* index = by_id_.find(entry->peer)) nodes.push_back(*index);
  }
  return nodes;
}

// Shortest paths over "has heard of": the frontier holds when the answer of a node could be there.
std::optional<Oracle::Path> Oracle::lookup(NodeIndex from, const kad::Key& key,
                                           std::size_t k) const {
  std::vector<NodeIndex> wanted = nearest(key, k, from);
  std::vector<bool> answered(simulation_.size());
  Frontier frontier;
  Path path;
  const auto connected = [&](NodeIndex node) {
    return simulation_.node(from).swarm().connected(simulation_.id(node));
  };
  const auto hear = [&](NodeIndex of, base::Duration at) {
    if (of == from || answered[of]) return;
    const int round_trips = connected(of) ? 1 : 1 + kDialRoundTrips;
    frontier.emplace(at + 2 * round_trips * simulation_.network().latency(from, of), of);
  };
  for (const NodeIndex node : known(from, key, k)) hear(node, {});
  while (!wanted.empty() && !frontier.empty()) {
    const auto [time, node] = frontier.top();
    frontier.pop();
    if (answered[node]) continue;
    answered[node] = true;
    path.took = time;
    ++path.asked;
    path.dials += connected(node) ? 0 : 1;
    std::erase(wanted, node);
    for (const NodeIndex other : known(node, key, k)) hear(other, time);
  }
  if (!wanted.empty()) return std::nullopt;
  return path;
}

}  // namespace ggen::p2p::sim
