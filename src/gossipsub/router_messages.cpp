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

bool acceptable(const MessageId& id, const RpcLimits& limits) {
  return !id.empty() && id.size() <= limits.max_id;
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
  const auto settings = config_.topics.find(name);
  const auto id_of =
      settings == config_.topics.end() ? origin_stamp_id : settings->second.message_id;
  const MessageId id = id_of({name, local_.bytes(), seqno, data});
  if (!acceptable(id, limits.rpc)) return std::unexpected(PublishError::kBadId);
  const IdHash hash = hasher_(id);
  if (seen_.contains(hash)) return std::unexpected(PublishError::kDuplicate);

  MessageView view;
  view.from = local_.bytes();
  view.data = data;
  view.seqno = seqno;
  view.topic = name;
  const base::Bytes message = sign_message(crypto_, key_, view);
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
  if (!config_.flood_publish && !topic.subscribed) {
    topic.fanout_expires = now + config_.mesh.fanout_ttl;
    fill_fanout(topic);
  }
  const std::set<PeerKey>& few = topic.subscribed ? topic.mesh : topic.fanout;
  for (const PeerKey key : topic.subscribers) {
    Peer& peer = *find(key);
    const bool always = peer.direct || peer.version == Version::kFloodsub;
    if (!always && !config_.flood_publish && !few.contains(key)) continue;
    if (!shunned(peer)) send_message(peer, hash, frame, true);
  }
}

// What is cheap to find out comes first: a duplicate costs one hash, a message that cannot be held
// no signature check. Only what is signed is noted as seen, else a forgery could keep out the
// message whose id it bears.
void Engine::Router::receive_message(Peer& peer, const MessageView& view, base::Instant /*now*/) {
  const auto found = topics_.find(view.topic.value_or(std::string_view{}));
  if (found == topics_.end() || !found->second.subscribed) return;
  ++counts_.received;
  constexpr base::BytesView kNone;
  const base::BytesView data = view.data.value_or(kNone);
  MessageId id = found->second.message_id(
      {found->first, view.from.value_or(kNone), view.seqno.value_or(kNone), data});
  if (!acceptable(id, config_.limits.rpc)) return offend(peer, Offence::kInvalidMessage);
  const IdHash hash = hasher_(id);
  if (seen_.contains(hash)) return receive_duplicate(peer, hash);
  if (!has_room_for(peer, view.raw.size())) {
    promises_.fulfilled(hash);  // that it is lost is our doing
    ++counts_.dropped;
    return;
  }
  const auto author = verified_author(crypto_, view);
  if (!author) return offend(peer, Offence::kInvalidMessage);
  promises_.fulfilled(hash);
  seen_.insert(hash);
  if (*author == local_) return;  // ours, from before the seen messages were forgotten

  // The frame that it came in may hold much else: keep the message only.
  const base::Buffer frame = message_frame(view.raw);
  Message message{found->first, *author, slice_of(frame, view.raw, data), std::move(id), peer.id};
  announce_receipt(*found, message, peer.key);
  ++peer.pending;
  pending_bytes_ += frame.footprint();
  const MessageToken token = pending_.emplace(Pending{message, hash, frame, peer.key, {}});
  pending_by_hash_.try_emplace(hash, token);
  outputs_.push(Validate{token, std::move(message)});
}

void Engine::Router::receive_duplicate(Peer& peer, IdHash hash) {
  ++counts_.duplicates;
  ++peer.conduct.duplicates;
  promises_.fulfilled(hash);
  const MessageToken* const token = pending_by_hash_.find(hash);
  if (token == nullptr) return;
  auto& also_from = pending_.find(*token)->also_from;
  if (std::ranges::find(also_from, peer.key) == also_from.end()) also_from.push_back(peer.key);
}

bool Engine::Router::has_room_for(const Peer& peer, std::size_t size) const {
  const Limits& limits = config_.limits;
  return pending_.size() < limits.max_pending && peer.pending < limits.max_pending_per_peer &&
         pending_bytes_ + size <= limits.max_pending_bytes;
}

// Tells the mesh that nobody need send this message, which takes long, any more. Only peers that
// can be told at once: later it would be no use.
void Engine::Router::announce_receipt(const TopicEntry& topic, const Message& message,
                                      PeerKey source) {
  if (message.data.size() < config_.gossip.idontwant_size) return;
  const base::Bytes field = encode_idontwant({&message.id, 1});
  for (const PeerKey key : topic.second.mesh) {
    Peer& peer = *find(key);
    const bool ready =
        peer.outbound.stream && peer.outbound.unanswered < config_.limits.max_unanswered_writes;
    if (ready && key != source && peer.version >= Version::kV12) send_control(peer, field);
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

  if (verdict == Verdict::kReject && source != nullptr) offend(*source, Offence::kRejectedMessage);
  if (verdict != Verdict::kAccept) return;
  ++counts_.delivered;
  if (source != nullptr) ++source->conduct.first_deliveries;
  cache_.put(pending.hash, {pending.message.topic, pending.message.id, pending.frame, {}});
  forward(pending);
  outputs_.push(Delivered{std::move(pending.message)});
  flush(now);
}

void Engine::Router::forward(const Pending& pending) {
  const auto found = topics_.find(pending.message.topic);
  if (found == topics_.end()) return;
  const Topic& topic = found->second;
  for (const PeerKey key : topic.subscribers) {
    Peer& peer = *find(key);
    const bool always = peer.direct || peer.version == Version::kFloodsub;
    if (!always && !topic.mesh.contains(key)) continue;
    const bool has_it = key == pending.source || peer.id == pending.message.author ||
                        std::ranges::find(pending.also_from, key) != pending.also_from.end();
    if (!has_it && !shunned(peer)) send_message(peer, pending.hash, pending.frame, false);
  }
}

}  // namespace ggen::p2p::gossipsub
