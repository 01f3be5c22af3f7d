#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include <ggen/p2p/gossipsub/rpc.hpp>

#include "id_chunks.hpp"
#include "router.hpp"

namespace ggen::p2p::gossipsub {
namespace {

// What an IHAVE takes besides its ids: its own head and the topic.
constexpr std::size_t kIHaveHead = 16;

bool dialled_by_us(const Peer* peer) {
  return peer->direction == connection::Direction::kOutbound;
}

// Brings up to `count` peers that we have dialled to the front. A crowd that connects to us would
// be told of nearly all messages otherwise, and honest peers outside of the mesh of nearly none.
void put_dialled_first(std::vector<Peer*>& peers, std::size_t count) {
  std::size_t front = 0;
  for (Peer*& peer : peers) {
    if (front == count) return;
    if (dialled_by_us(peer)) std::swap(peers[front++], peer);
  }
}

}  // namespace

// Nodes that start together should not beat together.
void Engine::Router::start(base::Instant now) {
  if (next_heartbeat_) return;
  const auto phase = static_cast<std::int64_t>(prng_.below(1000)) + 1;
  next_heartbeat_ = now + config_.heartbeat * phase / 1000;
  seen_ages_at_ = now + config_.seen_ttl / kSeenGenerations;
  decay_at_ = now;
  graft_better_at_ = now + config_.mesh.opportunistic_graft_every;
}

void Engine::Router::handle_timeout(base::Instant now) {
  take_turns(now);
  if (next_heartbeat_ && *next_heartbeat_ <= now) heartbeat(now);
  flush(now);
}

std::optional<base::Instant> Engine::Router::next_deadline() const {
  if (in_turn_.empty()) return next_heartbeat_;
  return base::earlier(next_heartbeat_, in_turn_.begin()->first);
}

void Engine::Router::heartbeat(base::Instant now) {
  next_heartbeat_ = now + config_.heartbeat;
  for (const PeerKey key : promises_.take_broken(now)) {
    if (Peer* const peer = find(key)) offend(*peer, Offence::kBrokenPromise, now);
  }
  forget_accepted(now);
  tend_scores(now);
  tend_peers(now);
  for (auto entry = topics_.begin(); entry != topics_.end();) {
    if (entry->second.subscribed) tend_mesh(*entry, now);
    tend_fanout(entry->second, now);
    entry->second.backoffs.sweep(now, config_.heartbeat);
    entry = entry->second.idle() ? topics_.erase(entry) : std::next(entry);
  }
  if (graft_better_at_ <= now) graft_better_at_ = now + config_.mesh.opportunistic_graft_every;
  gossip();
  cache_.shift();
  if (seen_ages_at_ <= now) {
    seen_.age();
    rejected_.age();
    seen_ages_at_ = now + config_.seen_ttl / kSeenGenerations;
  }
}

void Engine::Router::tend_peers(base::Instant now) {
  dialled_ = 0;
  peers_.for_each([&](PeerKey, const std::unique_ptr<Peer>& entry) {
    Peer& peer = *entry;
    if (dialled_by_us(&peer)) ++dialled_;
    peer.allowance = {};
    peer.unwanted.age();
    if (peer.dropped > 0) {
      outputs_.push(SlowPeer{peer.id, std::exchange(peer.dropped, 0), false});
    }
    if (peer.outbound.retry_at && *peer.outbound.retry_at <= now) open(peer);
  });
}

// Mesh.

std::size_t Engine::Router::dialled(const std::set<PeerKey>& peers) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(peers, [&](PeerKey key) { return dialled_by_us(find(key)); }));
}

void Engine::Router::tend_mesh(TopicEntry& topic, base::Instant now) {
  const MeshParameters& parameters = config_.mesh;
  std::set<PeerKey>& mesh = topic.second.mesh;
  const auto poor = pick(mesh, mesh.size(), [&](const Peer& peer) { return !welcome(peer); });
  for (Peer* const peer : poor) prune(topic, *peer, parameters.prune_backoff, now);
  if (mesh.size() < parameters.degree_low) graft_up_to(topic, parameters.degree, false, now);
  if (mesh.size() > parameters.degree_high) prune_surplus(topic, now);
  if (mesh.size() >= parameters.degree_low) {
    const std::size_t out = dialled(mesh);
    if (out < std::min(parameters.degree_out, dialled_)) {
      graft_up_to(topic, mesh.size() + parameters.degree_out - out, true, now);
    }
  }
  if (graft_better_at_ <= now) graft_better(topic, now);
}

// A mesh of peers that do little may be full, of an attacker's perhaps: better ones come in
// besides.
void Engine::Router::graft_better(TopicEntry& topic, base::Instant now) {
  const std::set<PeerKey>& mesh = topic.second.mesh;
  if (mesh.size() < 2) return;
  std::vector<double> scores;
  for (const PeerKey key : mesh) scores.push_back(find(key)->score);
  const auto middle = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 2);
  std::ranges::nth_element(scores, middle);
  const double median = *middle;
  if (median >= config_.score.opportunistic_graft_threshold) return;
  const auto better = pick(
      topic.second.subscribers, config_.mesh.opportunistic_grafts,
      [&](const Peer& peer) { return peer.score > median && graftable(topic.second, peer, now); });
  for (Peer* const peer : better) graft(topic, *peer, now);
}

void Engine::Router::graft_up_to(TopicEntry& topic, std::size_t count, bool dialled_only,
                                 base::Instant now) {
  if (topic.second.mesh.size() >= count) return;
  const auto chosen =
      pick(topic.second.subscribers, count - topic.second.mesh.size(), [&](const Peer& peer) {
        return (!dialled_only || peer.direction == connection::Direction::kOutbound) &&
               graftable(topic.second, peer, now);
      });
  for (Peer* const peer : chosen) graft(topic, *peer, now);
}

// The best stay, and for the rest those whom chance picks, so that newcomers have one. Some of
// those who stay are peers that we have dialled: whoever connects to us in great number must not
// make up the whole mesh.
void Engine::Router::prune_surplus(TopicEntry& topic, base::Instant now) {
  const MeshParameters& parameters = config_.mesh;
  std::vector<Peer*> peers =
      pick(topic.second.mesh, topic.second.mesh.size(), [](const Peer&) { return true; });
  std::vector<Peer*> best = peers;
  std::ranges::stable_sort(best, std::ranges::greater{}, &Peer::score);
  best.resize(std::min(best.size(), std::min(parameters.degree_score, parameters.degree)));
  std::ranges::stable_partition(
      peers, [&](Peer* peer) { return std::ranges::find(best, peer) != best.end(); });
  const std::size_t stay = std::min(parameters.degree, peers.size());
  const std::span kept = std::span{peers}.first(stay);
  const std::span pruned = std::span{peers}.subspan(stay);
  auto out = static_cast<std::size_t>(std::ranges::count_if(kept, dialled_by_us));
  for (std::size_t i = kept.size(); i-- > 0 && out < parameters.degree_out;) {
    if (dialled_by_us(kept[i])) continue;
    const auto other = std::ranges::find_if(pruned, dialled_by_us);
    if (other == pruned.end()) break;
    std::swap(kept[i], *other);
    ++out;
  }
  for (Peer* const peer : pruned) prune(topic, *peer, parameters.prune_backoff, now);
}

// Fanout.

// Up to D of those who would get a message of ours.
void Engine::Router::top_up(std::set<PeerKey>& few, const Topic& topic) {
  if (few.size() >= config_.mesh.degree) return;
  const auto chosen =
      pick(topic.subscribers, config_.mesh.degree - few.size(), [&](const Peer& peer) {
        return peer.version != Version::kFloodsub && !peer.direct && peer.outbound.usable() &&
               publishes_to(peer) && !few.contains(peer.key);
      });
  for (const Peer* const peer : chosen) few.insert(peer->key);
}

void Engine::Router::tend_fanout(Topic& topic, base::Instant now) {
  if (!topic.fanout_expires) return;
  if (*topic.fanout_expires <= now) {
    topic.fanout.clear();
    topic.fanout_expires.reset();
    return;
  }
  std::erase_if(topic.fanout, [&](PeerKey key) { return !publishes_to(*find(key)); });
  top_up(topic.fanout, topic);
}

// Gossip.

void Engine::Router::gossip() {
  for (auto& [name, ids] : cache_.advertised()) {
    const auto found = topics_.find(name);
    if (found == topics_.end()) continue;
    if (found->second.subscribed || found->second.fanout_expires) gossip(*found, ids);
  }
}

void Engine::Router::gossip(const TopicEntry& entry, std::vector<MessageId>& ids) {
  const Topic& topic = entry.second;
  const auto listens = [&](const Peer& peer) {
    return peer.version != Version::kFloodsub && !peer.direct && peer.outbound.usable() &&
           gossips_with(peer) && !topic.mesh.contains(peer.key) && !topic.fanout.contains(peer.key);
  };
  std::vector<Peer*> peers = pick(topic.subscribers, topic.subscribers.size(), listens);
  const auto share =
      static_cast<std::size_t>(config_.gossip.factor * static_cast<double>(peers.size()));
  put_dialled_first(peers, config_.gossip.degree_lazy / 2);
  peers.resize(std::min(peers.size(), std::max(config_.gossip.degree_lazy, share)));
  for (Peer* const peer : peers) {
    // When there are too many, each peer hears of others.
    if (ids.size() > config_.limits.max_advertised_ids) prng_.shuffle(ids);
    const auto told = std::span<const MessageId>{ids}.first(
        std::min(ids.size(), config_.limits.max_advertised_ids));
    for_each_chunk(told, config_.limits.max_control_frame - entry.first.size() - kIHaveHead,
                   [&](std::span<const MessageId> chunk) {
                     send_gossip(*peer, encode_ihave(entry.first, chunk));
                   });
  }
}

}  // namespace ggen::p2p::gossipsub
