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

}  // namespace

Node::Node(Config config, crypto::KeyPair identity, crypto::Crypto& crypto,
           std::unique_ptr<ChannelFactory> channels, base::Prng prng, base::Instant now,
           base::WallTime wall_now)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      crypto_(crypto),
      now_(now),
      started_(now),
      wall_started_(wall_now),
      channels_(std::move(channels)),
      swarm_(config_.swarm, multiformats::PeerId::of(identity_.public_key()), crypto,
             prng.child("swarm")),
      local_(describe(config_, identity_)),
      identify_(config_.identify, local_),
      ping_(config_.ping, crypto),
      perf_(config_.perf) {
  answer(identify::kProtocol, Owner::kIdentify);
  answer(identify::kPushProtocol, Owner::kIdentify);
  answer(ping::kProtocol, Owner::kPing);
  if (config_.serve_perf) answer(perf::kProtocol, Owner::kPerf);
  announce_self();
}

Node::~Node() = default;

void Node::stop(base::Instant now) {
  swarm(now).stop(now);
}

// ---- The transport ----

std::optional<ConnectionId> Node::dialed(swarm::AttemptId attempt,
                                         std::expected<swarm::Endpoints, swarm::DialError> result,
                                         base::Instant now) {
  const auto id = swarm(now).dialed(attempt, std::move(result), now);
  if (id) add_connection(*id, Direction::kOutbound);
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
      channels_->make(id, direction, swarm_.connection(id)->expected_peer, protocols_, now_);
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
  timers_.set({Owner::kApplication, id}, std::nullopt);
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
  timers_.set({Owner::kApplication, id}, channel.next_deadline());
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
                   swarm_.used(id, now_);
                   deliver(to::Data{{id, e.stream}, std::move(e.data)});
                 },
                 [&](from::StreamWritable& e) { flush({id, e.stream}); },
                 [&](from::StreamFinished& e) { deliver(to::Finished{{id, e.stream}}); },
                 [&](from::StreamClosed& e) {
                   const connection::StreamRef ref{id, e.stream};
                   deliver(to::Closed{ref, e.end});
                   streams_.erase(ref);
                 },
                 [&](from::Closed& e) { on_closed(id, e); },
             },
             event);
}

void Node::on_secured(ConnectionId id, const connection::event::Secured& event) {
  Connection& connection = *connections_.find(id);
  const auto admitted = swarm_.secured(id, event.peer, now_);
  if (!admitted) {
    connection.channel->close(now_);
    return;
  }
  connection.peer = event.peer;
  identify_.connected(id, event.peer, swarm_.connection(id)->remote, now_);
}

void Node::on_closed(ConnectionId id, const connection::event::Closed& event) {
  Connection& connection = *connections_.find(id);
  connection.closed = true;
  if (connection.peer) identify_.disconnected(id);
  swarm_.closed(id, event.reason, now_);
  outputs_.push(output::ChannelClosed{id, event.reason, event.detail});
  outputs_.push(output::CloseTransport{id});
}

// ---- Engines ----

void Node::on_output(swarm::Output output) {
  if (const auto* close = std::get_if<swarm::output::Close>(&output)) {
    if (Connection* connection = connections_.find(close->connection)) {
      connection->channel->close(now_);
      touch(close->connection, *connection);
    }
    return;
  }
  if (const auto* done = std::get_if<swarm::event::DialDone>(&output)) dial_done(*done);
  if (std::holds_alternative<swarm::event::ListenAddressesChanged>(output)) announce_self();
  outputs_.push(std::move(output));
}

void Node::on_output(identify::Identified event) {
  learn(event.connection, event.peer, event.info);
  outputs_.push(std::move(event));
}

void Node::on_output(identify::Pushed event) {
  learn(event.connection, event.peer, event.info);
  outputs_.push(std::move(event));
}

// A signed record replaces what was said before; unsigned addresses are taken only without one.
void Node::learn(ConnectionId id, const multiformats::PeerId& peer, const identify::Info& info) {
  const bool certified = !info.signed_peer_record.empty() &&
                         swarm_.add_signed_record(info.signed_peer_record, now_).has_value();
  if (!certified) {
    swarm_.add_addresses(peer, info.listen_addrs, swarm::AddressSource::kIdentify,
                         config_.swarm.book.record_ttl, now_);
  }
  if (info.observed_addr) swarm_.observed(*info.observed_addr, id, now_);
}

// Tells identify what this node is now: its addresses, certified by a new signed record, and its
// protocols.
void Node::announce_self() {
  std::vector<multiformats::Multiaddr> addresses = swarm_.own_addresses();
  if (addresses != local_.listen_addrs || local_.signed_peer_record.empty()) {
    const base::WallTime wall_now = wall_started_ + (now_ - started_);
    swarm::PeerRecord record{id(), 0, addresses};
    record.sequence = static_cast<std::uint64_t>(wall_now.time_since_epoch().count());
    local_.signed_peer_record = swarm::seal_peer_record(crypto_, identity_, record);
    local_.listen_addrs = std::move(addresses);
  }
  const auto protocols = protocols_.all();
  local_.protocols.assign(protocols.begin(), protocols.end());
  identify_.set_local(local_, now_);
}

void Node::answer(std::string_view protocol, Owner owner) {
  protocols_.add(std::string{protocol});
  owners_[std::string{protocol}] = owner;
}

reqresp::ServiceId Node::serve(reqresp::Service service, base::Instant now) {
  now_ = now;
  answer(service.protocol, Owner::kRequests);
  announce_self();
  return requests_.add_service(std::move(service));
}

template <class Engine>
bool Node::run(Owner owner, Engine& engine) {
  bool ran = false;
  while (auto output = engine.poll()) {
    ran = true;
    if constexpr (std::is_same_v<Engine, swarm::Swarm>) {
      on_output(std::move(*output));
    } else {
      std::visit(
          [&](auto& alternative) {
            if constexpr (std::is_same_v<std::decay_t<decltype(alternative)>,
                                         connection::StreamOutput>) {
              execute(owner, std::move(alternative));
            } else {
              on_output(std::move(alternative));
            }
          },
          *output);
    }
  }
  timers_.set({owner, {}}, engine.next_deadline());
  return ran;
}

bool Node::run_engines() {
  bool ran = run(Owner::kSwarm, swarm_);
  ran |= run(Owner::kIdentify, identify_);
  ran |= run(Owner::kPing, ping_);
  ran |= run(Owner::kPerf, perf_);
  ran |= run(Owner::kRequests, requests_);
  return ran;
}

std::optional<Output> Node::poll() {
  if (outputs_.empty()) {
    while (settle_all() || run_engines()) {
    }
  }
  return outputs_.pop();
}

void Node::handle_timeout(base::Instant now) {
  now_ = now;
  while (const auto key = timers_.pop_due(now)) {
    switch (key->owner) {
      case Owner::kApplication:
        if (Connection* connection = connections_.find(key->connection)) {
          connection->channel->handle_timeout(now);
          touch(key->connection, *connection);
        }
        break;
      case Owner::kSwarm:
        swarm_.handle_timeout(now);
        break;
      case Owner::kIdentify:
        identify_.handle_timeout(now);
        break;
      case Owner::kPing:
        ping_.handle_timeout(now);
        break;
      case Owner::kPerf:
        perf_.handle_timeout(now);
        break;
      case Owner::kRequests:
        requests_.handle_timeout(now);
        break;
    }
  }
}

}  // namespace ggen::p2p::node
