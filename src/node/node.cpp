#include <utility>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/node/node.hpp>

namespace ggen::p2p::node {

using connection::ConnectionId;
using connection::Direction;

namespace {

identify::Info describe(const Config& config, const crypto::KeyPair& identity) {
  identify::Info info;
  info.agent_version = config.agent_version;
  info.protocol_version = config.protocol_version;
  info.public_key = identity.public_key();
  return info;
}

// Entries are messages of their own: the same one is the same message, whoever published it first.
gossipsub::Config with_updates_topic(gossipsub::Config config) {
  config.topics[std::string{registry::kUpdatesTopic}].message_id = registry::update_message_id;
  return config;
}

}  // namespace

Node::Node(Config config, crypto::KeyPair identity, crypto::Crypto& crypto,
           std::unique_ptr<ChannelFactory> channels, base::Prng prng, base::Instant now,
           base::WallTime wall_now)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      crypto_(crypto),
      prng_(prng),
      now_(now),
      started_(now),
      wall_started_(wall_now),
      channels_(std::move(channels)),
      swarm_(std::in_place, config_.swarm, multiformats::PeerId::of(identity_.public_key()), crypto,
             prng.child("swarm")),
      local_(describe(config_, identity_)),
      identify_(std::in_place, config_.identify, local_),
      ping_(std::in_place, config_.ping, crypto),
      perf_(std::in_place, config_.perf),
      seek_prng_(prng.child("seek")),
      absent_(config_.absent, prng.child("absent")) {
  answer(identify::kProtocol, Owner::kIdentify);
  answer(identify::kPushProtocol, Owner::kIdentify);
  answer(ping::kProtocol, Owner::kPing);
  if (config_.serve_perf) answer(perf::kProtocol, Owner::kPerf);
  if (config_.kad) {
    kad_.emplace(*config_.kad, id(), crypto_, wall_at_zero());
    kad_->add_validator(std::string{kad::PublicKeyValidator::kNamespace},
                        std::make_unique<kad::PublicKeyValidator>());
    if (config_.kad->mode == kad::Mode::kServer) answer(config_.kad->protocol, Owner::kKad);
  }
  if (config_.gossipsub) {
    gossipsub_.emplace(with_updates_topic(*config_.gossipsub), crypto_, identity_,
                       static_cast<std::uint64_t>(wall_started_.time_since_epoch().count()),
                       prng_.child("gossipsub"));
    for (const std::string_view protocol : gossipsub::kProtocols) {
      answer(protocol, Owner::kGossipsub);
    }
  }
  announce_self();
}

Node::~Node() = default;

void Node::set_wall_clock(base::WallTime wall_now, base::Instant now) {
  now_ = now;
  wall_started_ = wall_now - (now - started_);
  if (kad_) kad_->set_wall_at_zero(wall_at_zero());
  if (registry_) registry_->set_wall_at_zero(wall_at_zero());
}

void Node::stop(base::Instant now) {
  stopping_ = true;
  bootstrap_.clear();
  remembered_.clear();
  absent_.clear();
  deadline(Owner::kAbsent).reset();
  deadline(Owner::kSeek).reset();
  swarm(now).stop(now);
}

// ---- The transport ----

std::optional<ConnectionId> Node::dialed(swarm::AttemptId attempt,
                                         std::expected<swarm::Endpoints, swarm::DialError> result,
                                         base::Instant now) {
  const auto failure = result ? std::nullopt : std::optional{result.error()};
  const auto id = swarm(now).dialed(attempt, std::move(result), now);
  if (id) {
    add_connection(*id, Direction::kOutbound);
    outputs_.push(output::Dialed{attempt, *id});
  } else if (failure) {
    outputs_.push(output::Dialed{attempt, std::unexpected(*failure)});
  }
  return id;
}

std::expected<ConnectionId, swarm::RefuseReason> Node::accept(const multiformats::Multiaddr& local,
                                                              const multiformats::Multiaddr& remote,
                                                              base::Instant now) {
  const auto id = swarm(now).accept(local, remote, now);
  if (id) add_connection(*id, Direction::kInbound);
  return id;
}

void Node::add_connection(ConnectionId id, Direction direction) {
  Connection& connection = connections_[id];
  connection.channel =
      channels_->make(id, direction, swarm_.look().connection(id)->expected_peer, protocols_, now_);
  touch(id, connection);
}

void Node::receive(ConnectionId id, base::MutableBytes bytes, base::Instant now) {
  now_ = now;
  if (Connection* connection = connections_.find(id)) {
    connection->channel->receive(bytes, now);
    touch(id, *connection);
  }
}

void Node::receive_end(ConnectionId id, bool clean, base::Instant now) {
  now_ = now;
  if (Connection* connection = connections_.find(id)) {
    connection->channel->receive_end(clean, now);
    touch(id, *connection);
  }
}

std::size_t Node::transmit(ConnectionId id, base::MutableBytes out, base::Instant now) {
  now_ = now;
  Connection* connection = connections_.find(id);
  if (connection == nullptr) return 0;
  const std::size_t size = connection->channel->transmit(out, now);
  connection->transmit_announced = connection->channel->wants_transmit();
  touch(id, *connection);
  return size;
}

bool Node::wants_transmit(ConnectionId id) const {
  const Connection* connection = connections_.find(id);
  return connection != nullptr && connection->channel->wants_transmit();
}

void Node::transport_closed(ConnectionId id, base::Instant now) {
  now_ = now;
  Connection* connection = connections_.find(id);
  if (connection == nullptr) return;
  if (!connection->closed) {
    connection->channel->receive_end(false, now_);
    settle(id);
  }
  channel_timers_.set(id, std::nullopt);
  connections_.erase(id);
  outputs_.push(output::ConnectionGone{id});
}

// ---- Connections ----

void Node::touch(ConnectionId id, Connection& connection) {
  if (std::exchange(connection.dirty, true)) return;
  dirty_.push_back(id);
}

bool Node::settle_all() {
  if (dirty_.empty()) return false;
  std::vector<ConnectionId> dirty;
  dirty.swap(dirty_);
  for (const ConnectionId id : dirty) settle(id);
  if (dirty_.empty()) {
    dirty.clear();
    dirty_.swap(dirty);  // keeps the memory
  }
  return true;
}

// The drain rule for one channel: take its events, note its deadline, say once that it has bytes to
// send.
void Node::settle(ConnectionId id) {
  Connection* connection = connections_.find(id);
  if (connection == nullptr) return;
  connection->dirty = false;
  connection::Channel& channel = *connection->channel;
  while (auto event = channel.poll()) on_event(id, std::move(*event));
  // A channel at rest may have none, and is spared the look.
  const auto deadline = channel.next_deadline();
  if (deadline || connection->timed) channel_timers_.set(id, deadline);
  connection->timed = deadline.has_value();
  if (!connection->transmit_announced && channel.wants_transmit()) {
    connection->transmit_announced = true;
    outputs_.push(output::Transmit{id});
  }
}

void Node::on_event(ConnectionId id, connection::ChannelEvent event) {
  namespace from = connection::event;
  namespace to = connection::stream_input;
  std::visit(base::Overloaded{
                 [&](from::Secured& e) { on_secured(id, e); },
                 [&](from::StreamOpened& e) { on_stream_opened(id, std::move(e)); },
                 [&](from::StreamData& e) {
                   swarm_.aside().used(id, now_);
                   deliver(to::Data{{id, e.stream}, std::move(e.data)});
                 },
                 [&](from::StreamWritable& e) { flush({id, e.stream}); },
                 [&](from::StreamFinished& e) { deliver(to::Finished{{id, e.stream}}); },
                 [&](from::StreamClosed& e) {
                   const connection::StreamRef ref{id, e.stream};
                   deliver(to::Closed{ref, e.end});
                   stream_closed(ref);
                 },
                 [&](from::Closed& e) { on_closed(id, e); },
             },
             event);
}

void Node::on_secured(ConnectionId id, const connection::event::Secured& event) {
  Connection& connection = *connections_.find(id);
  const auto admitted = swarm_->secured(id, event.peer, now_);
  if (!admitted) {
    connection.channel->close(now_);
    return;
  }
  connection.peer = event.peer;
  identify_->connected(id, event.peer, swarm_.look().connection(id)->remote, now_);
  reached(id);
}

void Node::on_closed(ConnectionId id, const connection::event::Closed& event) {
  Connection& connection = *connections_.find(id);
  connection.closed = true;
  if (connection.peer) identify_->disconnected(id);
  swarm_->closed(id, event.reason, now_);
  outputs_.push(output::ChannelClosed{id, event.reason, event.detail});
  outputs_.push(output::CloseTransport{id});
}

}  // namespace ggen::p2p::node
