#include "invariant_queues.hpp"

#include <fmt/format.h>

#include <ggen/p2p/connection/secure_channel.hpp>

namespace ggen::p2p::sim {

void QueuesInvariant::compare(NodeIndex node, std::string_view what, std::size_t held,
                              std::size_t limit) {
  invariant_.look();
  if (held <= limit) return;
  invariant_.violate(simulation_.now(), node,
                     fmt::format("{} {}, of which {} are allowed", held, what, limit));
}

void QueuesInvariant::look(NodeIndex index) {
  const node::Node& node = simulation_.node(index);
  const node::Config& config = simulation_.spec(index).node;
  const auto is_within = [&](std::string_view what, std::size_t held, std::size_t limit) {
    compare(index, what, held, limit);
  };

  const std::size_t connections = node.connection_count();
  const connection::Config channel;  // what the simulation's channels have, in either fidelity
  is_within("connections", connections, config.swarm.limits.max_connections);
  is_within("streams", node.stream_count(),
            connections * (channel.max_outbound_streams + channel.yamux.max_inbound_streams));
  is_within("streams that wait for a dial", node.waiting_opens(), config.max_waiting_opens);
  is_within("peers in the address book", node.swarm().known_peers(),
            config.swarm.book.max_peers + connections);

  if (const auto* gossip = node.gossipsub()) {
    const gossipsub::Limits& limits = config.gossipsub->limits;
    const gossipsub::Stats stats = gossip->stats();
    is_within("peers of gossip", stats.peers, limits.max_peers);
    is_within("messages that wait for a verdict", stats.pending, limits.max_pending);
    is_within("messages of one peer that wait for a verdict", stats.most_pending,
              limits.max_pending_per_peer);
    is_within("bytes of messages in the cache", stats.cached_bytes, limits.max_cached_bytes);
    is_within("peers that wait for a large message", stats.in_turn, limits.max_in_turn);
    is_within("bytes queued for one peer", stats.most_queued_bytes,
              limits.max_queued_control + limits.max_queued_messages + limits.max_queued_gossip);
  }
  if (const auto* kad = node.kad()) {
    is_within("provider records", kad->providers().records(), config.kad->providers.max_records);
    is_within("values", kad->values().size(), config.kad->values.max_values);
    is_within("bytes of values", kad->values().total_size(), config.kad->values.max_total_size);
  }
  if (const auto* registry = node.registry()) {
    const registry::FetchConfig& fetch = simulation_.spec(index).registry.fetch;
    // One chunk may be larger than all that are allowed together.
    is_within("bytes of chunks that wait to be sent", registry->serving_bytes(),
              std::max<std::size_t>(fetch.max_serving_bytes, registry::Archive::kLargestChunk));
    is_within("fetches", registry->fetches(), fetch.max_active + fetch.max_waiting);
  }
}

}  // namespace ggen::p2p::sim
