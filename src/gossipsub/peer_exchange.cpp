#include <algorithm>
#include <utility>

#include <ggen/p2p/gossipsub/rpc.hpp>

#include "router.hpp"

// Peer exchange (gossipsub-v1.1.md, "PRUNE Backoff and Peer Exchange").
namespace ggen::p2p::gossipsub {

// Others of the topic, for a peer that may have to look for a new mesh. No bad ones, and none to a
// bad one.
std::vector<PeerInfoView> Engine::Router::exchange_for(const Topic& topic, const Peer& pruned) {
  std::vector<PeerInfoView> named;
  if (!config_.peer_exchange || pruned.version < Version::kV11 || !welcome(pruned)) return named;
  const auto chosen =
      pick(topic.subscribers, config_.limits.max_exchanged_peers, [&](const Peer& peer) {
        return &peer != &pruned && welcome(peer) && peer.version != Version::kFloodsub;
      });
  // What does not fit a control message is left out.
  std::size_t room = config_.limits.max_control_frame / 2;
  for (const Peer* const peer : chosen) {
    const base::BytesView record = peer->signed_record.size() <= room
                                       ? base::BytesView{peer->signed_record}
                                       : base::BytesView{};
    room -= record.size();
    named.push_back({peer->id.bytes(), record});
  }
  return named;
}

// Believed only of a peer that has earned it: it may name whom it likes.
void Engine::Router::receive_exchange(Peer& peer, const PruneView& prune) {
  if (prune.peers.empty() || peer.score < config_.score.accept_exchange_threshold) return;
  PeersExchanged event{peer.id, {}};
  for (const PeerInfoView& named : prune.peers) {
    const auto id = multiformats::PeerId::decode(named.id);
    if (!id || *id == local_ || by_id_.contains(*id)) continue;
    if (++peer.allowance.exchanged > config_.limits.max_exchanged_peers) break;
    event.peers.push_back({*id, base::to_bytes(named.signed_record)});
  }
  if (!event.peers.empty()) outputs_.push(std::move(event));
}

}  // namespace ggen::p2p::gossipsub
