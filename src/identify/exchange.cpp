#include <algorithm>
#include <utility>

#include <ggen/p2p/identify/engine.hpp>

// One exchange a stream: who asks or tells whom, and what comes of it.
namespace ggen::p2p::identify {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

void Engine::open(connection::ConnectionId connection, Role role, base::Instant now) {
  const connection::OpenToken token = next_token_++;
  const ExchangeId id =
      exchanges_.emplace(Exchange{.connection = connection,
                                  .role = role,
                                  .decoder = base::FrameDecoder{config_.max_received},
                                  .token = token});
  opening_.try_emplace(token, id);
  timers_.set(id, now + config_.timeout);
  const std::string_view protocol = role == Role::kAsking ? kProtocol : kPushProtocol;
  outputs_.push(output::Open{
      token, connections_.find(connection)->peer, connection, {std::string{protocol}}});
}

void Engine::handle_input(const input::Opening& in, base::Instant) {
  const ExchangeId* found = opening_.find(in.token);
  if (found == nullptr) {
    outputs_.push(output::Reset{in.stream});
    return;
  }
  const ExchangeId id = *found;
  opening_.erase(in.token);
  streams_.try_emplace(in.stream, id);
  Exchange& exchange = *exchanges_.find(id);
  exchange.stream = in.stream;
  if (exchange.role == Role::kPushing) send_info(exchange);
}

void Engine::handle_input(const input::OpenFailed& in, base::Instant now) {
  if (const ExchangeId* id = opening_.find(in.token)) {
    fail(ExchangeId{*id}, Error::kOpenFailed, now);
  }
}

void Engine::handle_input(const input::Opened& in, base::Instant now) {
  if (in.direction == connection::Direction::kInbound) {
    accept(in, now);
    return;
  }
  const ExchangeId* id = streams_.find(in.stream);
  if (id == nullptr) return;
  // Not before: some implementations miss an end that comes together with the negotiation.
  if (exchanges_.find(*id)->role == Role::kPushing) outputs_.push(output::Finish{in.stream});
}

void Engine::accept(const input::Opened& in, base::Instant now) {
  Connection* connection = connections_.find(in.stream.connection);
  if (connection == nullptr) {  // it ended just now
    outputs_.push(output::Reset{in.stream});
    return;
  }
  const Role role = in.protocol == kPushProtocol ? Role::kListening : Role::kAnswering;
  if (const auto error = refusal(*connection, role, now)) {
    outputs_.push(output::Reset{in.stream});
    outputs_.push(InboundDropped{in.stream.connection, in.peer, *error});
    return;
  }
  ++connection->inbound;
  const ExchangeId id =
      exchanges_.emplace(Exchange{.connection = in.stream.connection,
                                  .role = role,
                                  .decoder = base::FrameDecoder{config_.max_received},
                                  .stream = in.stream});
  streams_.try_emplace(in.stream, id);
  timers_.set(id, now + config_.timeout);
  if (role == Role::kAnswering) {
    send_info(*exchanges_.find(id));
    outputs_.push(output::Finish{in.stream});
  }
}

std::optional<Error> Engine::refusal(Connection& connection, Role role, base::Instant now) {
  if (connection.inbound >= config_.max_inbound_per_connection) return Error::kTooManyStreams;
  if (role != Role::kListening) return std::nullopt;
  const base::Instant due = std::max(connection.pushes_due, now) + config_.push_interval;
  if (due - now > config_.push_interval * config_.push_burst) return Error::kTooManyPushes;
  connection.pushes_due = due;
  return std::nullopt;
}

// Sends what we say about ourselves, all frames in one Write.
void Engine::send_info(const Exchange& exchange) {
  Connection* connection = connections_.find(exchange.connection);
  if (connection == nullptr) return;
  connection->told = version_;
  Info info = local_;
  if (!connection->remote_address.empty()) info.observed_addr = connection->remote_address;
  base::Bytes frames;
  for (const base::Bytes& message :
       encode_messages(info, config_.max_sent_message, config_.max_sent_messages)) {
    base::append(frames, base::encode_frame(message).view());
  }
  outputs_.push(output::Write{*exchange.stream, base::Buffer::copy_of(frames)});
}

void Engine::handle_input(input::Data& in, base::Instant now) {
  const ExchangeId* found = streams_.find(in.stream);
  if (found == nullptr) return;
  const ExchangeId id = *found;
  Exchange& exchange = *exchanges_.find(id);
  // Where nothing is expected nothing is consumed: the stream's window bounds what may come.
  if (!exchange.reading()) return;
  outputs_.push(output::Consume{in.stream, in.data.size()});
  if (const auto error = receive(exchange, std::move(in.data))) fail(id, *error, now);
}

std::optional<Error> Engine::receive(Exchange& exchange, base::Buffer data) {
  exchange.received += data.size();
  if (exchange.received > config_.max_received) return Error::kTooLarge;
  while (!data.empty()) {
    auto frame = exchange.decoder.take(data);
    if (!frame) {
      return frame.error() == base::FrameError::kTooLarge ? Error::kTooLarge : Error::kMalformed;
    }
    if (!*frame) break;
    exchange.spoken = true;
    const auto merged = merge_message(exchange.info, (*frame)->view(), config_.limits);
    if (!merged) {
      return merged.error() == DecodeError::kBadKey ? Error::kBadKey : Error::kMalformed;
    }
  }
  return std::nullopt;
}

void Engine::handle_input(const input::Finished& in, base::Instant now) {
  const ExchangeId* found = streams_.find(in.stream);
  if (found == nullptr) return;
  const ExchangeId id = *found;
  if (!exchanges_.find(id)->reading()) return;
  if (const auto error = conclude(id, Error::kMalformed, now)) {
    fail(id, *error, now);
    return;
  }
  outputs_.push(output::Finish{in.stream});
  timers_.set(id, now + config_.timeout);
}

void Engine::handle_input(const input::Closed& in, base::Instant now) {
  const ExchangeId* found = streams_.find(in.stream);
  if (found == nullptr) return;
  const ExchangeId id = *found;
  Exchange& exchange = *exchanges_.find(id);
  streams_.erase(in.stream);
  exchange.stream.reset();
  const bool refused = in.end == connection::StreamEnd::kProtocolRefused;
  if (exchange.reading()) {
    const Error otherwise = refused ? Error::kUnsupported : Error::kStreamClosed;
    if (const auto error = conclude(id, otherwise, now)) {
      fail(id, *error, now);
      return;
    }
  } else if (exchange.role == Role::kPushing && refused) {
    if (auto* connection = connections_.find(exchange.connection)) connection->takes_pushes = false;
  }
  drop(id, now);
}

void Engine::end_in_time(ExchangeId id, base::Instant now) {
  if (exchanges_.find(id)->reading()) {
    if (const auto error = conclude(id, Error::kTimeout, now)) {
      fail(id, *error, now);
      return;
    }
  }
  drop(id, now);
}

// The sender will say no more: takes what it has said, or says what is wrong with it. A sender that
// does not finish its stream has still said what it said.
std::optional<Error> Engine::conclude(ExchangeId id, Error incomplete, base::Instant now) {
  Exchange& exchange = *exchanges_.find(id);
  Connection* connection = connections_.find(exchange.connection);
  if (connection == nullptr) return incomplete;
  if (!exchange.spoken || !exchange.decoder.between_frames()) return incomplete;
  Info info = std::move(exchange.info);
  if (info.public_key && multiformats::PeerId::of(*info.public_key) != connection->peer) {
    return Error::kBadKey;
  }
  exchange.done = true;
  if (!info.protocols.empty()) {
    connection->takes_pushes =
        std::ranges::find(info.protocols, kPushProtocol) != info.protocols.end();
  }
  if (exchange.role == Role::kListening) {
    outputs_.push(Pushed{exchange.connection, connection->peer, std::move(info)});
    return std::nullopt;
  }
  outputs_.push(Identified{exchange.connection, connection->peer, std::move(info)});
  // What changed while we did not know whether the peer wants to hear of it.
  if (!round_due_) {
    queue_push(exchange.connection);
    start_pushes(now);
  }
  return std::nullopt;
}

void Engine::fail(ExchangeId id, Error error, base::Instant now) {
  const Exchange& exchange = *exchanges_.find(id);
  if (const Connection* connection = connections_.find(exchange.connection)) {
    if (exchange.role == Role::kAsking) {
      outputs_.push(IdentifyFailed{exchange.connection, connection->peer, error});
    } else if (exchange.role == Role::kListening) {
      outputs_.push(InboundDropped{exchange.connection, connection->peer, error});
    }
  }
  drop(id, now);
}

// Ends an exchange, with its stream or its request for one.
void Engine::drop(ExchangeId id, base::Instant now) {
  const Exchange& exchange = *exchanges_.find(id);
  const Role role = exchange.role;
  opening_.erase(exchange.token);
  if (exchange.stream) {
    outputs_.push(output::Reset{*exchange.stream});
    streams_.erase(*exchange.stream);
  }
  if (role == Role::kAnswering || role == Role::kListening) {
    if (auto* connection = connections_.find(exchange.connection)) --connection->inbound;
  }
  timers_.set(id, std::nullopt);
  exchanges_.erase(id);
  if (role == Role::kPushing) {
    --pushing_;
    start_pushes(now);
  }
}

}  // namespace ggen::p2p::identify
