#include <algorithm>
#include <array>
#include <utility>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "router.hpp"
#include "signing.hpp"

namespace ggen::p2p::gossipsub {
namespace {

// The part of a frame that `part` is of `message`, whose bytes are the last of the frame.
base::Buffer slice_of(const base::Buffer& frame, base::BytesView message, base::BytesView part) {
  if (part.empty()) return {};
  const auto offset = static_cast<std::size_t>(part.data() - message.data());
  return frame.slice(frame.size() - message.size() + offset, part.size());
}

MessageId id_of(MessageIdFunction function, std::string_view topic, const MessageView& message) {
  constexpr base::BytesView kNone;
  return function({topic, message.from.value_or(kNone), message.seqno.value_or(kNone),
                   message.data.value_or(kNone)});
}

bool acceptable(const MessageId& id, const RpcLimits& limits) {
  return !id.empty() && id.size() <= limits.max_id;
}

// False when it was there.
bool note(std::vector<PeerKey>& peers, PeerKey peer) {
  if (std::ranges::find(peers, peer) != peers.end()) return false;
  peers.push_back(peer);
  return true;
}

}  // namespace

std::expected<MessageId, PublishError> Engine::Router::publish(std::string_view name,
                                                               base::BytesView data,
                                                               base::Instant now) {
  start(now);
  const Limits& limits = config_.limits;
  if (name.size() > limits.rpc.max_topic) return std::unexpected(PublishError::kTopicTooLong);
  if (data.size() > limits.max_frame) return std::unexpected(PublishError::kTooLarge);

  std::array<std::uint8_t, 8> seqno{};
  base::store_big_endian(seqno.data(), next_seqno_);
  MessageView view;
  view.data = data;
  view.topic = name;
  if (signs(config_.signatures)) {
    view.from = local_.bytes();
    view.seqno = seqno;
  }
  const MessageId id = id_of(config_.topic(name).message_id, name, view);
  if (!acceptable(id, limits.rpc)) return std::unexpected(PublishError::kBadId);
  const IdHash hash = hasher_(id);
  if (seen_.contains(hash)) return std::unexpected(PublishError::kDuplicate);

  const base::Bytes message =
      signs(config_.signatures) ? sign_message(crypto_, key_, view) : encode_message(view);
  const base::Buffer frame = message_frame(message);
  if (frame.size() > limits.max_frame) return std::unexpected(PublishError::kTooLarge);

  ++next_seqno_;
  ++counts_.published;
  seen_.insert(hash);
  cache_.put(hash, {std::string{name}, id, frame, {}});
  send_own(name, hash, frame, now);
  flush(now);
  return id;
}

void Engine::Router::send_own(std::string_view name, IdHash hash, const base::Buffer& frame,
                              base::Instant now) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;  // nobody has heard of it
  Topic& topic = found->second;
  // A large one to everybody would keep those waiting who pass it on. The others hear of it.
  const bool flood = config_.flood_publish && frame.size() < config_.gossip.stagger_size;
  std::set<PeerKey> few = topic.subscribed ? topic.mesh : topic.fanout;
  if (!flood) {
    top_up(few, topic);  // a mesh may be thin
    if (!topic.subscribed) {
      topic.fanout = few;
      topic.fanout_expires = now + config_.mesh.fanout_ttl;
    }
  }
  for (const PeerKey key : topic.subscribers) {
    Peer& peer = *find(key);
    const bool always = peer.direct || peer.version == Version::kFloodsub;
    if (!always && !flood && !few.contains(key)) continue;
    if (publishes_to(peer)) send_message(peer, hash, frame, true);
  }
}

// What is cheap to find out comes first: a duplicate costs one hash, a message that cannot be held
// no signature check. Only what is signed is noted as seen, else a forgery could keep out the
// message whose id it bears.
void Engine::Router::receive_message(Peer& peer, const MessageView& view, base::Instant now) {
  const auto found = topics_.find(view.topic.value_or(std::string_view{}));
  if (found == topics_.end() || !found->second.subscribed) return;
  ++counts_.received;
  const auto invalid = [&] { offend(peer, Offence::kInvalidMessage, found->first, now); };
  MessageId id = id_of(found->second.message_id, found->first, view);
  if (!acceptable(id, config_.limits.rpc)) return invalid();
  const IdHash hash = hasher_(id);
  if (seen_.contains(hash)) return receive_duplicate(peer, *found, view, hash, now);
  if (!has_room_for(peer, view.raw.size())) {
    promises_.fulfilled(hash);  // that it is lost is our doing
    ++counts_.dropped;
    return;
  }
  const auto checked = check_signature(crypto_, config_.signatures, view);
  if (!checked) return invalid();
  promises_.fulfilled(hash);
  seen_.insert(hash);
  if (checked->author == local_) return;  // ours, from before the seen messages were forgotten

  // The frame that it came in may hold much else: keep the message only.
  const base::Buffer frame = message_frame(view.raw);
  const base::BytesView data = view.data.value_or(base::BytesView{});
  Message message{found->first, checked->author, slice_of(frame, view.raw, data), std::move(id),
                  peer.id};
  announce_receipt(*found, message, peer.key);
  ++peer.pending;
  pending_bytes_ += frame.footprint();
  const MessageToken token = pending_.emplace(Pending{message, hash, frame, peer.key, {}, {}});
  pending_by_hash_.try_emplace(hash, token);
  outputs_.push(Validate{token, std::move(message)});
}

// An id does not vouch for the bytes: whoever is quick with a spoilt message under the id of a good
// one must not bring blame on those who come with the good one. So blame, and what is earned, go by
// the data.
void Engine::Router::receive_duplicate(Peer& peer, const TopicEntry& topic, const MessageView& view,
                                       IdHash hash, base::Instant now) {
  ++counts_.duplicates;
  ++peer.conduct.duplicates;
  promises_.fulfilled(hash);
  if (view.raw.size() >= config_.gossip.stagger_size) peer.unwanted.insert(hash);
  const base::BytesView data = view.data.value_or(base::BytesView{});
  if (const MessageToken* const token = pending_by_hash_.find(hash)) {
    Pending& pending = *pending_.find(*token);
    note(pending.also_from, peer.key);
    if (base::equal(data, pending.message.data.view())) note(pending.same_from, peer.key);
  } else if (Accepted* const copy = accepted_.find(hash)) {
    if (now < copy->until && hasher_(data) == copy->data && note(copy->from, peer.key)) {
      peer.card.mesh_delivery(topic.first, config_.topic(topic.first).score);
    }
  } else if (rejected_.size() > 0 && rejected_.contains(hasher_(data))) {
    offend(peer, Offence::kRejectedMessage, topic.first, now);
  }
}

bool Engine::Router::has_room_for(const Peer& peer, std::size_t size) const {
  const Limits& limits = config_.limits;
  return pending_.size() < limits.max_pending && peer.pending < limits.max_pending_per_peer &&
         pending_bytes_ + size <= limits.max_pending_bytes;
}

// Tells the mesh that nobody need send this message, which takes long, any more. Only peers that
// can be told at once, before all that waits for them: later it would be no use. One frame serves
// them all.
void Engine::Router::announce_receipt(const TopicEntry& topic, const Message& message,
                                      PeerKey source) {
  if (message.data.size() < config_.gossip.idontwant_size) return;
  base::Buffer frame;
  for (const PeerKey key : topic.second.mesh) {
    Peer& peer = *find(key);
    if (key == source || peer.version < Version::kV12 || !can_write(peer)) continue;
    if (frame.empty()) frame = control_frame({}, encode_idontwant({&message.id, 1}));
    write(peer, frame);
  }
}

void Engine::Router::report(MessageToken token, Verdict verdict, base::Instant now) {
  Pending* const found = pending_.find(token);
  if (found == nullptr) return;
  Pending pending = std::move(*found);
  pending_.erase(token);
  pending_by_hash_.erase(pending.hash);
  pending_bytes_ -= pending.frame.footprint();
  Peer* const source = find(pending.source);
  if (source != nullptr) --source->pending;

  if (verdict == Verdict::kReject) rejected(pending, now);
  if (verdict != Verdict::kAccept) return;
  ++counts_.delivered;
  accepted(pending, now);
  cache_.put(pending.hash, {pending.message.topic, pending.message.id, pending.frame, {}});
  forward(pending, now);
  outputs_.push(Delivered{std::move(pending.message)});
  flush(now);
}

// Who brought a message that was accepted has earned something by it, those who were nearly first
// included.
void Engine::Router::accepted(const Pending& pending, base::Instant now) {
  const std::string& topic = pending.message.topic;
  const TopicScoreParameters& parameters = config_.topic(topic).score;
  if (Peer* const source = find(pending.source)) {
    ++source->conduct.first_deliveries;
    source->card.first_delivery(topic, parameters);
  }
  if (parameters.mesh_deliveries_weight == 0) return;
  Accepted copy{now + parameters.mesh_deliveries_window, hasher_(pending.message.data.view()),
                pending.same_from};
  note(copy.from, pending.source);
  for (const PeerKey key : copy.from) {
    if (Peer* const peer = find(key)) peer->card.mesh_delivery(topic, parameters);
  }
  while (accepted_order_.size() >= config_.limits.max_pending) {
    accepted_.erase(*accepted_order_.pop());
  }
  accepted_[pending.hash] = std::move(copy);
  accepted_order_.push(pending.hash);
}

// A copy of these does not count any more.
void Engine::Router::forget_accepted(base::Instant now) {
  while (!accepted_order_.empty()) {
    const Accepted* const oldest = accepted_.find(accepted_order_.front());
    if (oldest != nullptr && oldest->until > now) return;
    accepted_.erase(*accepted_order_.pop());
  }
}

// Whoever passed it on should have rejected it, now or later.
void Engine::Router::rejected(const Pending& pending, base::Instant now) {
  rejected_.insert(hasher_(pending.message.data.view()));
  std::vector<PeerKey> from = pending.same_from;
  note(from, pending.source);
  for (const PeerKey key : from) {
    if (Peer* const peer = find(key)) {
      offend(*peer, Offence::kRejectedMessage, pending.message.topic, now);
    }
  }
}

void Engine::Router::forward(const Pending& pending, base::Instant now) {
  const auto found = topics_.find(pending.message.topic);
  if (found == topics_.end()) return;
  const Topic& topic = found->second;
  const bool large = pending.frame.size() >= config_.gossip.stagger_size;
  std::vector<Peer*> patient;
  for (const PeerKey key : topic.subscribers) {
    Peer& peer = *find(key);
    const bool outside = peer.version == Version::kFloodsub && publishes_to(peer);
    if (!peer.direct && !outside && !topic.mesh.contains(key)) continue;
    const bool has_it = key == pending.source || peer.id == pending.message.author ||
                        std::ranges::find(pending.also_from, key) != pending.also_from.end();
    if (has_it) continue;
    if (large && !peer.direct && peer.version >= Version::kV12) {
      patient.push_back(&peer);
    } else {
      send_message(peer, pending.hash, pending.frame, false);
    }
  }
  if (large) send_in_turn(std::move(patient), {pending.hash, pending.frame}, now);
}

// A large message takes so long to send that a peer may well have it from elsewhere by then: each
// that says so before its turn is a copy less. Nobody's turn comes after the message, or that the
// peer does not want it, has been forgotten.
void Engine::Router::send_in_turn(std::vector<Peer*> peers, const Outgoing& message,
                                  base::Instant now) {
  counts_.unwanted +=
      std::erase_if(peers, [&](const Peer* peer) { return peer->unwanted.contains(message.id); });
  prng_.shuffle(peers);
  const auto remembered = std::min(config_.gossip.history_length, kUnwantedHeartbeats);
  const base::Instant latest =
      now + config_.heartbeat * (static_cast<std::int64_t>(remembered) - 1);
  base::Instant turn = now;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (i >= config_.gossip.eager) turn += config_.gossip.stagger;
    if (turn == now || turn > latest || in_turn_.size() >= config_.limits.max_in_turn) {
      send_message(*peers[i], message.id, message.frame, false);
    } else {
      in_turn_.emplace(turn, Turn{peers[i]->key, message.id});
    }
  }
}

void Engine::Router::take_turns(base::Instant now) {
  while (!in_turn_.empty() && in_turn_.begin()->first <= now) {
    const Turn turn = in_turn_.extract(in_turn_.begin()).mapped();
    Peer* const peer = find(turn.peer);
    if (peer == nullptr) continue;
    const CachedMessage* const message = cache_.find(turn.message);
    if (message == nullptr) {  // the cache is full of younger ones
      ++counts_.dropped;
      continue;
    }
    const auto topic = topics_.find(message->topic);
    if (topic == topics_.end() || !topic->second.mesh.contains(turn.peer)) continue;
    send_message(*peer, turn.message, message->frame, false);
  }
}

}  // namespace ggen::p2p::gossipsub
