#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

void check_spread(World& world, const std::optional<registry::EntryId>& entry,
                  base::Instant published) {
  const bool everywhere = entry && world.spread(*entry, 1min);
  world.check(
      "every node hears of it", everywhere,
      fmt::format("{} of {} nodes after {:.2f} s", entry ? world.reached(*entry) : 0, world.nodes(),
                  std::chrono::duration<double>(world.now() - published).count()));
}

// Connections of whoever has the fewest.
std::size_t fewest_connections(World& world) {
  const auto up = world.up();
  const auto count = [&](NodeIndex node) {
    return world.simulation().node(node).connection_count();
  };
  return up.empty() ? 0 : count(std::ranges::min(up, {}, count));
}

// A node that has just made place for others may have few: it looks for more by itself.
void check_peers(World& world, std::size_t least) {
  least = std::min<std::size_t>(least, world.nodes() - 1);
  const bool enough = world.wait([&] { return fewest_connections(world) >= least; }, 30s);
  const double links = static_cast<double>(world.simulation().network().links());
  world.check(
      "every node has peers", enough,
      fmt::format("{:.1f} connections a node, the fewest {}",
                  2.0 * links / static_cast<double>(world.nodes()), fewest_connections(world)));
}

}  // namespace

void large_network(World& world) {
  world.populate(world.nodes());
  world.step("publish");
  const auto package = Package::make("tabs", "1.0.0", "Tabs for everybody", 64 * 1024);
  const auto publisher = static_cast<NodeIndex>(world.prng().below(world.nodes()));
  const auto entry = world.publish(publisher, package);
  const base::Instant published = world.now();
  check_spread(world, entry, published);

  // Whoever fetches before it asks in vain.
  const bool provided = world.provided(package, 1min);
  world.check("the DHT knows who holds it", provided,
              fmt::format("after {:.2f} s",
                          std::chrono::duration<double>(world.now() - published).count()));

  world.step("search");
  const auto searcher = static_cast<NodeIndex>(world.prng().below(world.nodes()));
  const auto found = world.search(searcher, {"everybody"}, 3s);
  world.check("a search finds it", found && found->hits.size() == 1,
              found ? fmt::format("{} of {} peers answered", found->answered, found->asked) : "");

  world.step("everybody fetches");
  const base::Duration pause = std::min<base::Duration>(10ms, base::Duration{10s} / world.nodes());
  std::vector<std::pair<NodeIndex, registry::OperationId>> fetches;
  for (const NodeIndex node : world.up()) {
    if (node == publisher) continue;
    fetches.emplace_back(node, world.start_fetch(node, package));
    world.run_for(pause);
  }
  std::size_t next = 0;
  const bool ended = world.wait(
      [&] {
        while (next < fetches.size() && world.fetched(fetches[next].first, fetches[next].second)) {
          ++next;
        }
        return next == fetches.size();
      },
      5min);
  std::size_t good = 0;
  std::map<std::string_view, std::size_t> failures;
  for (const auto& [node, id] : fetches) {
    const auto* done = world.fetched(node, id);
    if (done != nullptr && done->result) {
      ++good;
    } else {
      ++failures[done == nullptr ? "no end" : to_string(done->result.error())];
    }
  }
  std::string seen = fmt::format("{} of {}", good, fetches.size());
  for (const auto& [why, count] : failures) seen += fmt::format("; {}: {}", why, count);
  world.check("every node fetches it", ended && good == fetches.size(), std::move(seen));
  check_peers(world, node::Bootstrap{}.min_peers);
}

namespace {

constexpr std::size_t kFewPeers = 4;

/// A node for a machine with little memory: few connections, a mesh that leaves most of them to
/// others, small buckets and few addresses.
NodeSpec small_member() {
  NodeSpec spec = World::member(12);
  spec.node.swarm.limits.max_inbound_half_open = 8;
  spec.node.bootstrap.min_peers = kFewPeers;
  spec.node.swarm.book.max_peers = 16;
  spec.node.swarm.dialing.max_backoffs = 16;
  spec.node.swarm.history = {.max_closed = 1, .max_refused = 1, .max_failed_dials = 1};
  auto& mesh = spec.node.gossipsub->mesh;
  mesh.degree = 4;
  mesh.degree_low = 3;
  mesh.degree_high = 6;
  mesh.degree_out = 1;
  spec.node.kad->table.bucket_size = 8;
  spec.node.kad->table.replacements = 4;
  auto& lookup = spec.node.kad->query.lookup;
  lookup.alpha = 3;
  lookup.max_asked = 24;
  lookup.max_candidates = 40;
  return spec;
}

}  // namespace

void broadcast(World& world) {
  // Those who are known to all are larger, as they would be.
  world.populate(world.nodes(), [known = World::known_to_all(world.nodes())](std::size_t i) {
    return i < known ? World::member(100) : small_member();
  });
  world.step("publish");
  const auto publisher = static_cast<NodeIndex>(world.prng().below(world.nodes()));
  const auto entry = world.publish(publisher, Package::make("tabs", "1.0.0", "Tabs", 1024));
  const base::Instant published = world.now();
  check_spread(world, entry, published);
  check_peers(world, kFewPeers);
}

}  // namespace ggen::p2p::sim::play
