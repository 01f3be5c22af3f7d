#include <algorithm>
#include <utility>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>

#include "router.hpp"

namespace ggen::p2p::gossipsub {

MessageId origin_stamp_id(const MessageFields& fields) {
  MessageId id = base::to_bytes(fields.from);
  base::append(id, fields.seqno);
  return id;
}

MessageId content_hash_id(const MessageFields& fields) {
  return base::to_bytes(crypto::sha256(fields.data));
}

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::kAccept:
      return "accept";
    case Verdict::kReject:
      return "reject";
    case Verdict::kIgnore:
      return "ignore";
  }
  return "unknown verdict";
}

std::string_view to_string(PublishError error) noexcept {
  switch (error) {
    case PublishError::kTooLarge:
      return "the message is too large to publish";
    case PublishError::kTopicTooLong:
      return "the topic's name is too long";
    case PublishError::kBadId:
      return "the message has no valid id";
    case PublishError::kDuplicate:
      return "the same message was published a short while ago";
  }
  return "unknown publish error";
}

Engine::Router::Router(Config config, crypto::Crypto& crypto, const crypto::KeyPair& key,
                       std::uint64_t first_seqno, base::Prng prng)
    : config_(std::move(config)),
      crypto_(crypto),
      key_(key),
      local_(multiformats::PeerId::of(key.public_key())),
      next_seqno_(first_seqno),
      prng_(prng),
      hasher_(crypto),
      seen_(kSeenGenerations, config_.limits.max_seen),
      cache_(config_.gossip.history_length, config_.gossip.history_gossip,
             config_.limits.max_cached_bytes),
      rejected_(kSeenGenerations, config_.limits.max_seen / kSeenPerRejected) {}

std::vector<std::string> Engine::Router::subscriptions() const {
  std::vector<std::string> names;
  for (const TopicEntry& entry : topics_) {
    if (entry.second.subscribed) names.push_back(entry.first);
  }
  return names;
}

std::vector<std::string> Engine::Router::topics() const {
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) {
    if (topic.subscribed || !topic.subscribers.empty()) names.push_back(name);
  }
  return names;
}

std::vector<multiformats::PeerId> Engine::Router::mesh(std::string_view name) const {
  std::vector<multiformats::PeerId> peers;
  const auto found = topics_.find(name);
  if (found == topics_.end()) return peers;
  for (const PeerKey key : found->second.mesh) peers.push_back(find(key)->id);
  return peers;
}

std::vector<multiformats::PeerId> Engine::Router::subscribers(std::string_view name) const {
  std::vector<multiformats::PeerId> peers;
  const auto found = topics_.find(name);
  if (found == topics_.end()) return peers;
  for (const PeerKey key : found->second.subscribers) peers.push_back(find(key)->id);
  return peers;
}

std::optional<std::string_view> Engine::Router::protocol(const multiformats::PeerId& id) const {
  const PeerKey* const key = by_id_.find(id);
  if (key == nullptr) return std::nullopt;
  return protocol_of(find(*key)->version);
}

std::optional<Conduct> Engine::Router::conduct(const multiformats::PeerId& id) const {
  const PeerKey* const key = by_id_.find(id);
  if (key == nullptr) return std::nullopt;
  return find(*key)->conduct;
}

bool Engine::Router::has_unsent(const multiformats::PeerId& id) const {
  const PeerKey* const key = by_id_.find(id);
  if (key == nullptr) return false;
  const Peer& peer = *find(*key);
  return peer.queue.bytes() > 0 || peer.outbound.unanswered > 0;
}

Stats Engine::Router::stats() const {
  Stats stats = counts_;
  stats.peers = peers_.size();
  stats.pending = pending_.size();
  stats.seen = seen_.size();
  stats.cached_bytes = cache_.bytes();
  stats.in_turn = in_turn_.size();
  peers_.for_each([&](PeerKey, const std::unique_ptr<Peer>& peer) {
    const std::size_t queued = peer->queue.bytes();
    stats.queued_bytes += queued;
    stats.most_queued_bytes = std::max(stats.most_queued_bytes, queued);
    stats.most_pending = std::max(stats.most_pending, peer->pending);
  });
  for (const TopicEntry& entry : topics_) stats.backoffs += entry.second.backoffs.size();
  return stats;
}

Engine::Engine(Config config, crypto::Crypto& crypto, const crypto::KeyPair& key,
               std::uint64_t first_seqno, base::Prng prng)
    : router_(std::make_unique<Router>(std::move(config), crypto, key, first_seqno, prng)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

void Engine::peer_supports(const multiformats::PeerId& peer, std::span<const std::string> protocols,
                           const Link& link, base::Instant now) {
  router_->peer_supports(peer, protocols, link, now);
}
void Engine::peer_gone(const multiformats::PeerId& peer, base::Instant now) {
  router_->peer_gone(peer, now);
}
bool Engine::subscribe(std::string_view topic, base::Instant now) {
  return router_->subscribe(topic, now);
}
void Engine::unsubscribe(std::string_view topic, base::Instant now) {
  router_->unsubscribe(topic, now);
}
std::expected<MessageId, PublishError> Engine::publish(std::string_view topic, base::BytesView data,
                                                       base::Instant now) {
  return router_->publish(topic, data, now);
}
void Engine::set_application_score(const multiformats::PeerId& peer, double score,
                                   base::Instant now) {
  router_->set_application_score(peer, score, now);
}
void Engine::report(MessageToken token, Verdict verdict, base::Instant now) {
  router_->report(token, verdict, now);
}
void Engine::handle(connection::StreamInput input, base::Instant now) {
  router_->handle(input, now);
}
void Engine::handle_timeout(base::Instant now) {
  router_->handle_timeout(now);
}
std::optional<Output> Engine::poll() {
  return router_->poll();
}
std::optional<base::Instant> Engine::next_deadline() const {
  return router_->next_deadline();
}
std::vector<std::string> Engine::subscriptions() const {
  return router_->subscriptions();
}
std::vector<std::string> Engine::topics() const {
  return router_->topics();
}
std::vector<multiformats::PeerId> Engine::mesh(std::string_view topic) const {
  return router_->mesh(topic);
}
std::vector<multiformats::PeerId> Engine::subscribers(std::string_view topic) const {
  return router_->subscribers(topic);
}
std::optional<std::string_view> Engine::protocol(const multiformats::PeerId& peer) const {
  return router_->protocol(peer);
}
std::optional<Conduct> Engine::conduct(const multiformats::PeerId& peer) const {
  return router_->conduct(peer);
}
std::optional<double> Engine::score(const multiformats::PeerId& peer) const {
  return router_->score(peer);
}
std::vector<PeerScore> Engine::scores(base::Instant now) const {
  return router_->scores(now);
}
bool Engine::has_unsent(const multiformats::PeerId& peer) const {
  return router_->has_unsent(peer);
}
Stats Engine::stats() const {
  return router_->stats();
}

}  // namespace ggen::p2p::gossipsub
