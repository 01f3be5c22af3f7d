#include <algorithm>
#include <utility>

#include <ggen/p2p/gossipsub/rpc.hpp>

#include "backoff.hpp"
#include "id_chunks.hpp"
#include "router.hpp"

namespace ggen::p2p::gossipsub {

Engine::Router::TopicEntry& Engine::Router::topic(std::string_view name) {
  if (const auto found = topics_.find(name); found != topics_.end()) return *found;
  Topic topic;
  topic.message_id = config_.topic(name).message_id;
  return *topics_.emplace(std::string{name}, std::move(topic)).first;
}

void Engine::Router::forget_if_idle(std::string_view name) {
  const auto found = topics_.find(name);
  if (found != topics_.end() && found->second.idle()) topics_.erase(found);
}

// Our own subscriptions.

bool Engine::Router::subscribe(std::string_view name, base::Instant now) {
  if (name.size() > config_.limits.rpc.max_topic) return false;
  start(now);
  TopicEntry& entry = topic(name);
  Topic& joined = entry.second;
  if (std::exchange(joined.subscribed, true)) return true;
  for (const auto* peer : by_id_.sorted()) send_subscription(*find(peer->second), true, name);
  const std::set<PeerKey> fanout = std::exchange(joined.fanout, {});
  joined.fanout_expires.reset();
  for (Peer* const peer : pick(fanout, config_.mesh.degree, [&](const Peer& candidate) {
         return graftable(joined, candidate, now);
       })) {
    graft(entry, *peer, now);
  }
  graft_up_to(entry, config_.mesh.degree, false, now);
  flush(now);
  return true;
}

void Engine::Router::unsubscribe(std::string_view name, base::Instant now) {
  const auto found = topics_.find(name);
  if (found == topics_.end() || !std::exchange(found->second.subscribed, false)) return;
  promises_ = {};  // what comes of this topic now is not read: nobody is to blame for that
  for (const auto* peer : by_id_.sorted()) send_subscription(*find(peer->second), false, name);
  for (const PeerKey key : std::set<PeerKey>{found->second.mesh}) {
    prune(*found, *find(key), config_.mesh.unsubscribe_backoff, now);
  }
  forget_if_idle(name);
  flush(now);
}

// The peers' subscriptions.

void Engine::Router::peer_subscribed(Peer& peer, std::string_view name, base::Instant now) {
  if (peer.topics.contains(name)) return;
  if (peer.topics.size() >= config_.limits.max_topics_per_peer) return;
  peer.topics.emplace(name);
  TopicEntry& entry = topic(name);
  entry.second.subscribers.insert(peer.key);
  outputs_.push(PeerSubscribed{peer.id, std::string{name}});
  // A network that has just begun need not wait for the heartbeat.
  if (entry.second.subscribed && entry.second.mesh.size() < config_.mesh.degree_low &&
      graftable(entry.second, peer, now)) {
    graft(entry, peer, now);
  }
}

void Engine::Router::peer_unsubscribed(Peer& peer, std::string_view name, base::Instant now) {
  const auto found = peer.topics.find(name);
  if (found == peer.topics.end()) return;
  peer.topics.erase(found);
  TopicEntry& left = topic(name);
  left.second.subscribers.erase(peer.key);
  leave_mesh(left, peer, now);
  left.second.fanout.erase(peer.key);
  outputs_.push(PeerUnsubscribed{peer.id, std::string{name}});
  forget_if_idle(name);
}

// The mesh.

void Engine::Router::enter_mesh(TopicEntry& topic, Peer& peer, base::Instant now) {
  if (!topic.second.mesh.insert(peer.key).second) return;
  peer.card.joined_mesh(topic.first, now);
  if (++peer.meshes == 1) outputs_.push(MeshChanged{peer.id, true});
}

void Engine::Router::leave_mesh(TopicEntry& topic, Peer& peer, base::Instant now) {
  if (topic.second.mesh.erase(peer.key) == 0) return;
  peer.card.left_mesh(topic.first, config_.topic(topic.first).score, now);
  if (--peer.meshes == 0) outputs_.push(MeshChanged{peer.id, false});
}

bool Engine::Router::graftable(const Topic& topic, const Peer& peer, base::Instant now) const {
  // The remote clears its backoffs at its own heartbeats: a whole one more is on the safe side.
  return peer.version != Version::kFloodsub && !peer.direct && peer.outbound.usable() &&
         welcome(peer) && !topic.mesh.contains(peer.key) &&
         !topic.backoffs.active(peer.id, now, config_.heartbeat);
}

void Engine::Router::graft(TopicEntry& topic, Peer& peer, base::Instant now) {
  enter_mesh(topic, peer, now);
  send_control(peer, encode_graft(topic.first));
}

void Engine::Router::prune(TopicEntry& topic, Peer& peer, base::Duration backoff,
                           base::Instant now) {
  leave_mesh(topic, peer, now);
  topic.second.backoffs.add(peer.id, now + backoff, config_.limits.max_backoffs_per_topic);
  std::optional<std::uint64_t> seconds;
  if (peer.version >= Version::kV11) {
    seconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(backoff).count());
  }
  send_control(peer, encode_prune(topic.first, seconds, exchange_for(topic.second, peer)));
}

void Engine::Router::receive_graft(Peer& peer, std::string_view name, base::Instant now) {
  // No answer for topics that we do not subscribe to: there is no end of them.
  const auto found = topics_.find(name);
  if (found == topics_.end() || !found->second.subscribed) return;
  peer_subscribed(peer, name, now);
  Topic& topic = found->second;
  if (topic.mesh.contains(peer.key) || !topic.subscribers.contains(peer.key)) return;
  if (!peer.outbound.usable() || peer.version == Version::kFloodsub) return;
  const bool early = topic.backoffs.active(peer.id, now);
  if (early) offend(peer, Offence::kEarlyGraft, now);
  const bool full = topic.mesh.size() >= config_.mesh.degree_high &&
                    peer.direction == connection::Direction::kInbound &&
                    peer.score <= config_.score.opportunistic_graft_threshold;
  if (early || full || peer.direct || !welcome(peer)) {
    prune(*found, peer, config_.mesh.prune_backoff, now);
  } else {
    enter_mesh(*found, peer, now);
  }
}

void Engine::Router::receive_prune(Peer& peer, const PruneView& in, base::Instant now) {
  const auto found = topics_.find(in.topic);
  if (found == topics_.end() || !found->second.subscribed) return;
  leave_mesh(*found, peer, now);
  const base::Duration backoff = in.backoff ? clamp_backoff(*in.backoff, config_.mesh.max_backoff)
                                            : config_.mesh.prune_backoff;
  found->second.backoffs.add(peer.id, now + backoff, config_.limits.max_backoffs_per_topic);
  receive_exchange(peer, in);
}

// Gossip.

void Engine::Router::receive_ihave(Peer& peer, std::span<const IHaveView> ihave,
                                   base::Instant now) {
  const Limits& limits = config_.limits;
  if (ihave.empty() || !gossips_with(peer) || !peer.outbound.usable()) return;
  if (peer.allowance.ihave_frames >= limits.max_ihave_frames) return;
  ++peer.allowance.ihave_frames;
  std::vector<std::pair<IdHash, MessageId>> wanted;
  IdSet asked;
  for (const IHaveView& in : ihave) {
    const auto found = topics_.find(in.topic);
    if (found == topics_.end() || !found->second.subscribed) continue;
    for (const base::BytesView id : in.ids) {
      if (peer.allowance.asked >= limits.max_ihave_ids) break;
      const IdHash hash = hasher_(id);
      if (seen_.contains(hash) || !asked.insert(hash)) continue;
      ++peer.allowance.asked;
      wanted.emplace_back(hash, base::to_bytes(id));
    }
  }
  if (wanted.empty()) return;
  std::vector<MessageId> ids;
  ids.reserve(wanted.size());
  for (auto& entry : wanted) ids.push_back(std::move(entry.second));
  const std::size_t asked_for = send_wants(peer, ids);
  if (asked_for == 0) return;
  const auto promise = static_cast<std::size_t>(prng_.below(asked_for));
  promises_.add(wanted[promise].first, peer.key, now + config_.gossip.followup);
}

// Cuts the request so that each part fits a frame. Returns how many of the ids, from the first on,
// the peer will be asked for: a request that finds no room is no promise.
std::size_t Engine::Router::send_wants(Peer& peer, std::span<const MessageId> ids) {
  std::size_t sent = 0;
  bool room = true;
  for_each_chunk(ids, config_.limits.max_control_frame, [&](std::span<const MessageId> chunk) {
    room = room && send_gossip(peer, encode_iwant(chunk));
    if (room) sent += chunk.size();
  });
  return sent;
}

void Engine::Router::receive_iwant(Peer& peer, std::span<const base::BytesView> ids) {
  if (!gossips_with(peer)) return;
  for (const base::BytesView id : ids) {
    if (++peer.allowance.iwant_ids > config_.limits.max_iwant_ids) return;
    const IdHash hash = hasher_(id);
    CachedMessage* const message = cache_.find(hash);
    if (message == nullptr) continue;
    if (++message->served[peer.key] > config_.gossip.retransmissions) continue;
    send_message(peer, hash, message->frame, false);
  }
}

void Engine::Router::receive_idontwant(Peer& peer, std::span<const base::BytesView> ids) {
  for (const base::BytesView id : ids) {
    if (++peer.allowance.idontwant_ids > config_.limits.max_idontwant_ids) return;
    peer.unwanted.insert(hasher_(id));
    ++counts_.idontwant;
  }
}

}  // namespace ggen::p2p::gossipsub
