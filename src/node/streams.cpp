#include <utility>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/node/node.hpp>

// How a node wires streams to the engines and to the application.
namespace ggen::p2p::node {

using connection::ConnectionId;
using connection::OpenFailure;
using connection::StreamRef;
namespace stream_input = connection::stream_input;
namespace stream_output = connection::stream_output;

// ---- The application's side ----

void Node::handle_protocol(const std::string& protocol, base::Instant now) {
  now_ = now;
  answer(protocol, Owner::kApplication);
  announce_self();
}

void Node::unhandle_protocol(const std::string& protocol, base::Instant now) {
  now_ = now;
  silence(protocol);
  announce_self();
}

connection::OpenToken Node::open_stream(const multiformats::PeerId& peer,
                                        std::vector<std::string> protocols, base::Instant now) {
  now_ = now;
  const connection::OpenToken token = next_token_++;
  open(Owner::kApplication, {token, peer, std::nullopt, std::move(protocols)});
  return token;
}

std::size_t Node::write(StreamRef ref, base::BytesView bytes, base::Instant now) {
  now_ = now;
  Connection* connection = connections_.find(ref.connection);
  if (connection == nullptr) return 0;
  const std::size_t size = connection->channel->write(ref.stream, bytes, now);
  touch(ref.connection, *connection);
  return size;
}

void Node::finish(StreamRef ref, base::Instant now) {
  now_ = now;
  finish(ref);
}

void Node::reset(StreamRef ref, base::Instant now) {
  now_ = now;
  execute(Owner::kApplication, stream_output::Reset{ref});
}

void Node::consume(StreamRef ref, std::size_t size, base::Instant now) {
  now_ = now;
  execute(Owner::kApplication, stream_output::Consume{ref, size});
}

// ---- Opening ----

void Node::open(Owner owner, stream_output::Open request) {
  if (request.connection) {
    open_on(*request.connection, owner, request);
    return;
  }
  const auto connections = swarm_.look().connections_to(request.peer);
  if (!connections.empty()) {
    open_on(connections.front(), owner, request);
    return;
  }
  if (waiting_.size() >= config_.max_waiting_opens) {
    give(owner, stream_input::OpenFailed{request.token, OpenFailure::kTooManyStreams});
    return;
  }
  const swarm::DialId dial = swarm_->dial({request.peer, {}, purpose(owner)}, now_);
  waiting_.try_emplace(dial, WaitingOpen{owner, std::move(request)});
}

void Node::open_on(ConnectionId id, Owner owner, const stream_output::Open& request) {
  Connection* connection = connections_.find(id);
  if (connection == nullptr || !connection->peer) {
    give(owner, stream_input::OpenFailed{request.token, OpenFailure::kNotConnected});
    return;
  }
  const auto stream = connection->channel->open(request.protocols, now_);
  touch(id, *connection);
  if (!stream) {
    const bool full = stream.error() == connection::OpenError::kTooManyStreams;
    give(owner, stream_input::OpenFailed{request.token, full ? OpenFailure::kTooManyStreams
                                                             : OpenFailure::kNotConnected});
    return;
  }
  const StreamRef ref{id, *stream};
  stream_added(ref, *connection, owner);
  give(owner, stream_input::Opening{request.token, ref});
}

void Node::stream_added(StreamRef ref, Connection& connection, Owner owner) {
  streams_[ref].owner = owner;
  swarm_.aside().used(ref.connection, now_);
  if (owner == Owner::kGossipsub) return;
  if (connection.exchanges++ == 0) swarm_.aside().set_idle(ref.connection, false, now_);
}

void Node::stream_closed(StreamRef ref) {
  const Stream* stream = streams_.find(ref);
  if (stream == nullptr) return;
  const bool exchange = stream->owner != Owner::kGossipsub;
  streams_.erase(ref);
  Connection& connection = *connections_.find(ref.connection);
  if (exchange && --connection.exchanges == 0) idle_.push_back(ref.connection);
}

// Only when all is quiet: an engine may be about to open the next stream, and a connection whose
// last stream ended with it is not idle, but gone.
bool Node::announce_idle() {
  bool any = false;
  for (const ConnectionId id : std::exchange(idle_, {})) {
    const Connection* connection = connections_.find(id);
    if (connection == nullptr || connection->closed || connection->exchanges > 0) continue;
    swarm_->set_idle(id, true, now_);
    any = true;
  }
  return any;
}

void Node::dial_done(const swarm::event::DialDone& done) {
  if (const auto* address = bootstrap_dials_.find(done.dial)) {
    bootstrap_done(*address, done);
    bootstrap_dials_.erase(done.dial);
  }
  WaitingOpen* waiting = waiting_.find(done.dial);
  if (waiting == nullptr) return;
  const WaitingOpen open = std::move(*waiting);
  waiting_.erase(done.dial);
  if (done.result) {
    open_on(*done.result, open.owner, open.request);
    return;
  }
  const swarm::DialFailureKind kind = done.result.error().kind;
  const bool refused = kind == swarm::DialFailureKind::kPeerDenied ||
                       kind == swarm::DialFailureKind::kPeerNotAllowed ||
                       kind == swarm::DialFailureKind::kStopping;
  give(open.owner,
       stream_input::OpenFailed{open.request.token, refused ? OpenFailure::kRefusedLocally
                                                            : OpenFailure::kNotConnected});
}

void Node::on_stream_opened(ConnectionId id, connection::event::StreamOpened event) {
  Connection& connection = *connections_.find(id);
  const StreamRef ref{id, event.stream};
  if (event.direction == connection::Direction::kInbound) {
    const auto owner = owners_.find(event.protocol);
    if (owner == owners_.end() || !connection.peer) {  // unhandled since it was agreed on
      connection.channel->reset(event.stream, now_);
      return;
    }
    stream_added(ref, connection, owner->second);
  }
  deliver(stream_input::Opened{ref, *connection.peer, event.direction, std::move(event.protocol)});
}

// ---- Between engines and channels ----

void Node::execute(Owner owner, connection::StreamOutput output) {
  const auto on_channel = [&](StreamRef ref, auto&& act) {
    if (Connection* connection = connections_.find(ref.connection)) {
      act(*connection->channel);
      touch(ref.connection, *connection);
    }
  };
  std::visit(
      base::Overloaded{
          [&](stream_output::Open& o) { open(owner, std::move(o)); },
          [&](stream_output::Write& o) { write(o.stream, std::move(o.data)); },
          [&](stream_output::Finish& o) { finish(o.stream); },
          [&](stream_output::Reset& o) {
            on_channel(o.stream, [&](connection::Channel& c) { c.reset(o.stream.stream, now_); });
          },
          [&](stream_output::Consume& o) {
            on_channel(o.stream,
                       [&](connection::Channel& c) { c.consume(o.stream.stream, o.size, now_); });
          },
      },
      output);
}

// An engine's write waits here until the channel's bounded send queue takes it. Engines bound what
// they leave unanswered.
void Node::write(StreamRef ref, base::Buffer data) {
  Stream* stream = streams_.find(ref);
  if (stream == nullptr) return;
  stream->writes.push(std::move(data));
  if (stream->writes.size() == 1) flush(ref);
}

void Node::flush(StreamRef ref) {
  Stream* stream = streams_.find(ref);
  if (stream == nullptr) return;
  if (stream->owner == Owner::kApplication) {
    outputs_.push(output::StreamWritable{ref});
    return;
  }
  Connection& connection = *connections_.find(ref.connection);
  touch(ref.connection, connection);
  while (!stream->writes.empty()) {
    base::Buffer& first = stream->writes.front();
    first.remove_prefix(connection.channel->write(ref.stream, first.view(), now_));
    if (!first.empty()) return;
    stream->writes.pop();
    give(stream->owner, stream_input::Written{ref});
  }
  if (stream->finish_wanted) connection.channel->finish(ref.stream, now_);
}

void Node::finish(StreamRef ref) {
  Stream* stream = streams_.find(ref);
  if (stream == nullptr) return;
  stream->finish_wanted = true;
  if (!stream->writes.empty()) return;
  Connection& connection = *connections_.find(ref.connection);
  connection.channel->finish(ref.stream, now_);
  touch(ref.connection, connection);
}

}  // namespace ggen::p2p::node
