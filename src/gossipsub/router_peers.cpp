#include <algorithm>
#include <utility>

#include <ggen/p2p/gossipsub/rpc.hpp>

#include "router.hpp"

namespace ggen::p2p::gossipsub {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

namespace {

// The wait before a lost stream is opened again doubles up to this.
constexpr base::Duration kFirstRetry = std::chrono::seconds{1};
constexpr std::size_t kMaxDoublings = 6;

Offence offence_of(base::FrameError error) {
  return error == base::FrameError::kTooLarge ? Offence::kFrameTooLarge : Offence::kMalformedFrame;
}
Offence offence_of(RpcError error) {
  return error == RpcError::kMalformed ? Offence::kMalformedFrame : Offence::kTooManyEntries;
}

}  // namespace

Peer* Engine::Router::find(PeerKey key) {
  auto* const peer = peers_.find(key);
  return peer == nullptr ? nullptr : peer->get();
}
const Peer* Engine::Router::find(PeerKey key) const {
  const auto* const peer = peers_.find(key);
  return peer == nullptr ? nullptr : peer->get();
}
Peer* Engine::Router::find(const multiformats::PeerId& id) {
  const PeerKey* const key = by_id_.find(id);
  return key == nullptr ? nullptr : find(*key);
}

// The peer, made when it is new; null when there are too many.
Peer* Engine::Router::admit(const multiformats::PeerId& id, base::Instant now) {
  if (Peer* const peer = find(id)) return peer;
  if (peers_.size() >= config_.limits.max_peers) return nullptr;
  start(now);
  const PeerKey key = peers_.emplace(std::make_unique<Peer>(id, config_.limits));
  by_id_.try_emplace(id, key);
  Peer* const peer = find(key);
  peer->key = key;
  peer->direct = config_.direct_peers.contains(id);
  restore(*peer, now);
  return peer;
}

void Engine::Router::peer_supports(const multiformats::PeerId& id,
                                   std::span<const std::string> protocols, const Link& link,
                                   base::Instant now) {
  const auto version = best_version(protocols);
  if (!version) return;
  Peer* const peer = admit(id, now);
  if (peer == nullptr) return;
  peer->direction = link.direction;
  note_address(*peer, link.address);
  rescore(*peer, now);
  if (config_.peer_exchange) peer->signed_record = base::to_bytes(link.signed_record);
  if (peer->outbound.usable()) return;
  peer->version = *version;
  peer->outbound.attempts = 0;
  open(*peer);
  flush(now);
}

void Engine::Router::peer_gone(const multiformats::PeerId& id, base::Instant now) {
  Peer* const peer = find(id);
  if (peer == nullptr) return;
  if (peer->inbound) inbound_.erase(*peer->inbound);
  if (peer->outbound.stream) outbound_.erase(*peer->outbound.stream);
  if (peer->outbound.opening) opening_.erase(*peer->outbound.opening);
  leave_meshes(*peer, now);
  for (const std::string& name : peer->topics) {
    topic(name).second.subscribers.erase(peer->key);
    forget_if_idle(name);
  }
  forget_address(*peer);
  retain(*peer, now);
  by_id_.erase(id);
  peers_.erase(peer->key);
}

// Asks for the stream that we write to. The first frame has our extensions, and what we subscribe
// to.
void Engine::Router::open(Peer& peer) {
  const connection::OpenToken token = next_token_++;
  peer.outbound.opening = token;
  peer.outbound.retry_at.reset();
  ++peer.outbound.attempts;
  opening_.try_emplace(token, peer.key);
  outputs_.push(
      output::Open{token, peer.id, std::nullopt, {std::string{protocol_of(peer.version)}}});
  if (peer.version >= Version::kV13) send_control(peer, encode_extensions());
  for (const TopicEntry& entry : topics_) {
    if (entry.second.subscribed) send_subscription(peer, true, entry.first);
  }
}

// Without a stream the peer gets nothing, so it is of no use in a mesh. It knows nothing of us when
// the next stream begins.
void Engine::Router::outbound_lost(Peer& peer, base::Instant now) {
  Outbound& out = peer.outbound;
  if (out.stream) outbound_.erase(*out.stream);
  out.stream.reset();
  out.opening.reset();
  out.unanswered = 0;
  peer.queue = SendQueue{config_.limits};
  leave_meshes(peer, now);
  if (out.attempts >= config_.limits.max_open_attempts) return;
  out.retry_at = now + kFirstRetry * (1 << std::min(out.attempts, kMaxDoublings));
}

void Engine::Router::leave_meshes(Peer& peer, base::Instant now) {
  for (const std::string& name : peer.topics) {
    TopicEntry& topic = *topics_.find(name);
    leave_mesh(topic, peer, now);
    topic.second.fanout.erase(peer.key);
  }
}

void Engine::Router::drop_inbound(Peer& peer) {
  if (!peer.inbound) return;
  outputs_.push(output::Reset{*peer.inbound});
  inbound_.erase(*peer.inbound);
  peer.inbound.reset();
}

// Stream inputs.

void Engine::Router::handle(connection::StreamInput& in, base::Instant now) {
  std::visit([&](auto& stream_input) { handle_input(stream_input, now); }, in);
  flush(now);
}

void Engine::Router::handle_input(const input::Opening& in, base::Instant /*now*/) {
  const PeerKey* const key = opening_.find(in.token);
  if (key == nullptr) {
    outputs_.push(output::Reset{in.stream});
    return;
  }
  Peer& peer = *find(*key);
  opening_.erase(in.token);
  peer.outbound.opening.reset();
  peer.outbound.stream = in.stream;
  outbound_.try_emplace(in.stream, peer.key);
  flush_later(peer);
}

void Engine::Router::handle_input(const input::OpenFailed& in, base::Instant now) {
  const PeerKey* const key = opening_.find(in.token);
  if (key == nullptr) return;
  Peer& peer = *find(*key);
  opening_.erase(in.token);
  outbound_lost(peer, now);
}

void Engine::Router::handle_input(const input::Opened& in, base::Instant now) {
  if (in.direction == connection::Direction::kOutbound) return;
  const auto version = version_of(in.protocol);
  Peer* const peer = version ? admit(in.peer, now) : nullptr;
  if (peer == nullptr) {
    outputs_.push(output::Reset{in.stream});
    return;
  }
  // The newest stream counts: the peer may know better than we that the former one is lost. It
  // begins with all that the peer subscribes to, so what was said before is void.
  drop_inbound(*peer);
  for (const std::string& name : std::set<std::string, std::less<>>{peer->topics}) {
    peer_unsubscribed(*peer, name, now);
  }
  peer->inbound = in.stream;
  peer->inbound_read = false;
  peer->decoder = base::FrameDecoder{config_.limits.max_frame};
  inbound_.try_emplace(in.stream, peer->key);
  if (peer->outbound.attempts == 0) {
    // What a peer opens it also speaks: no need to wait for identify.
    peer->version = *version;
    open(*peer);
  }
}

void Engine::Router::handle_input(input::Data& in, base::Instant now) {
  outputs_.push(output::Consume{in.stream, in.data.size()});
  const PeerKey* const key = inbound_.find(in.stream);
  if (key == nullptr) return;
  Peer& peer = *find(*key);
  while (peer.inbound == in.stream) {
    const auto frame = peer.decoder.take(in.data);
    if (!frame) {
      offend(peer, offence_of(frame.error()), now);
      drop_inbound(peer);
    } else if (*frame) {
      receive(peer, **frame, now);
    } else {
      return;
    }
  }
}

void Engine::Router::handle_input(const input::Written& in, base::Instant /*now*/) {
  const PeerKey* const key = outbound_.find(in.stream);
  if (key == nullptr) return;
  Peer& peer = *find(*key);
  if (peer.outbound.unanswered > 0) --peer.outbound.unanswered;
  peer.outbound.attempts = 1;
  flush_later(peer);
}

void Engine::Router::handle_input(const input::Finished& in, base::Instant /*now*/) {
  if (inbound_.contains(in.stream)) outputs_.push(output::Finish{in.stream});
}

void Engine::Router::handle_input(const input::Closed& in, base::Instant now) {
  if (const PeerKey* const key = inbound_.find(in.stream)) {
    find(*key)->inbound.reset();
    inbound_.erase(in.stream);
  } else if (const PeerKey* const writer = outbound_.find(in.stream)) {
    Peer& peer = *find(*writer);
    // It will not speak the protocol the next time either, until identify says so.
    if (in.end == connection::StreamEnd::kProtocolRefused) {
      peer.outbound.attempts = config_.limits.max_open_attempts;
    }
    outbound_lost(peer, now);
  }
}

void Engine::Router::receive(Peer& peer, const base::Buffer& frame, base::Instant now) {
  if (ignored(peer)) return;
  const auto rpc = decode_rpc(frame.view(), config_.limits.rpc);
  if (!rpc) {
    offend(peer, offence_of(rpc.error()), now);
    drop_inbound(peer);
    return;
  }
  const bool first = !std::exchange(peer.inbound_read, true);
  if (rpc->extensions && !first) offend(peer, Offence::kRepeatedExtensions, now);
  for (const SubscriptionView& in : rpc->subscriptions) {
    if (in.subscribe) {
      peer_subscribed(peer, in.topic, now);
    } else {
      peer_unsubscribed(peer, in.topic, now);
    }
  }
  for (const MessageView& message : rpc->messages) {
    if (ignored(peer)) return;
    receive_message(peer, message, now);
  }
  receive_ihave(peer, rpc->ihave, now);
  receive_iwant(peer, rpc->iwant);
  for (const std::string_view name : rpc->graft) {
    if (ignored(peer)) return;
    receive_graft(peer, name, now);
  }
  for (const PruneView& in : rpc->prune) receive_prune(peer, in, now);
  receive_idontwant(peer, rpc->idontwant);
}

// What goes out.

void Engine::Router::send_subscription(Peer& peer, bool subscribe, std::string_view name) {
  if (!peer.outbound.usable()) return;
  if (!peer.queue.push_subscription(encode_subscription(subscribe, name))) peer.overflowed = true;
  flush_later(peer);
}

void Engine::Router::send_control(Peer& peer, base::BytesView field) {
  if (!peer.outbound.usable()) return;
  if (!peer.queue.push_control(field)) peer.overflowed = true;
  flush_later(peer);
}

// False when it is dropped.
bool Engine::Router::send_gossip(Peer& peer, base::BytesView field) {
  if (!peer.outbound.usable() || !peer.queue.push_gossip(field)) return false;
  flush_later(peer);
  return true;
}

void Engine::Router::send_message(Peer& peer, IdHash hash, const base::Buffer& frame, bool own) {
  if (!peer.outbound.usable()) return;
  if (peer.unwanted.contains(hash)) {
    ++counts_.unwanted;
    return;
  }
  const Outgoing message{hash, frame};
  const std::size_t dropped =
      own ? peer.queue.push_own(message) : peer.queue.push_forwarded(message);
  ++counts_.sent;
  counts_.dropped += dropped;
  peer.dropped += dropped;
  flush_later(peer);
}

void Engine::Router::flush_later(Peer& peer) {
  if (std::exchange(peer.flush_due, true)) return;
  flush_due_.push_back(peer.key);
}

void Engine::Router::flush(base::Instant now) {
  for (const PeerKey key : std::exchange(flush_due_, {})) {
    Peer* const peer = find(key);
    if (peer == nullptr) continue;
    peer->flush_due = false;
    if (peer->overflowed) {
      overflowed(*peer, now);
      continue;
    }
    while (can_write(*peer)) {
      auto frame = peer->queue.pop(peer->unwanted, counts_.unwanted);
      if (!frame) break;
      write(*peer, std::move(*frame));
    }
  }
}

bool Engine::Router::can_write(const Peer& peer) const {
  return peer.outbound.stream && peer.outbound.unanswered < config_.limits.max_unanswered_writes;
}

void Engine::Router::write(Peer& peer, base::Buffer frame) {
  ++peer.outbound.unanswered;
  outputs_.push(output::Write{*peer.outbound.stream, std::move(frame)});
}

// The peer has not read for so long that what it knows of us is out of date: begin anew.
void Engine::Router::overflowed(Peer& peer, base::Instant now) {
  peer.overflowed = false;
  if (peer.outbound.stream) outputs_.push(output::Reset{*peer.outbound.stream});
  if (peer.outbound.opening) opening_.erase(*peer.outbound.opening);
  outbound_lost(peer, now);
  outputs_.push(SlowPeer{peer.id, std::exchange(peer.dropped, 0), true});
}

}  // namespace ggen::p2p::gossipsub
