#include <algorithm>
#include <cstring>
#include <utility>

#include <ggen/p2p/perf/engine.hpp>

namespace ggen::p2p::perf {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

namespace {

// The request is one big-endian number.
constexpr std::size_t kRequestSize = 8;

base::Buffer encode_request(std::uint64_t download) {
  base::Buffer request = base::Buffer::allocate(kRequestSize);
  base::store_big_endian(request.writable().data(), download);
  return request;
}

}  // namespace

std::string_view to_string(PerfError error) noexcept {
  switch (error) {
    case PerfError::kOpenFailed:
      return "no stream to the peer could be opened";
    case PerfError::kUnsupported:
      return "the peer does not serve the perf protocol";
    case PerfError::kStalled:
      return "nothing moved for too long";
    case PerfError::kTooMuch:
      return "the peer sent more than it was asked for";
    case PerfError::kEndedEarly:
      return "the peer finished before everything was transferred";
    case PerfError::kStreamClosed:
      return "the stream ended before everything was transferred";
  }
  return "unknown perf error";
}

std::string_view to_string(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::kTooManyStreams:
      return "too many measurements at a time";
    case DropReason::kStalled:
      return "nothing moved for too long";
    case DropReason::kNoRequest:
      return "the peer finished before it had said how much it wants";
  }
  return "unknown reason";
}

void Engine::handle(connection::StreamInput input, base::Instant now) {
  std::visit([&](const auto& in) { handle_input(in, now); }, input);
}

std::optional<Output> Engine::poll() {
  return outputs_.pop();
}

std::optional<base::Instant> Engine::next_deadline() const {
  return base::earlier(client_timers_.earliest(), stream_timers_.earliest());
}

void Engine::handle_timeout(base::Instant now) {
  while (const auto id = client_timers_.pop_due(now)) fail(*id, PerfError::kStalled);
  while (const auto stream = stream_timers_.pop_due(now)) {
    if (servers_.contains(*stream)) {
      drop(*stream, DropReason::kStalled);
    } else {
      outputs_.push(output::Reset{*stream});
    }
  }
}

// Both sides.

void Engine::send(connection::StreamRef stream, Sender& sender) {
  while (sender.left > 0 && sender.unanswered < config_.writes_ahead) {
    const std::uint64_t size = std::min<std::uint64_t>(sender.left, config_.write_size);
    outputs_.push(output::Write{stream, zeros().slice(0, static_cast<std::size_t>(size))});
    sender.left -= size;
    ++sender.unanswered;
  }
}

const base::Buffer& Engine::zeros() {
  if (zeros_.empty()) {
    zeros_ = base::Buffer::allocate(config_.write_size);
    std::memset(zeros_.writable().data(), 0, zeros_.size());
  }
  return zeros_;
}

void Engine::handle_input(const input::Opened& in, base::Instant now) {
  if (in.direction == connection::Direction::kInbound) {
    accept(in, now);
    return;
  }
  PerfId id;
  if (Client* client = client_of(in.stream, id)) {
    client->agreed = true;
    advance(id, *client, now);
  }
}

void Engine::handle_input(const input::Data& in, base::Instant now) {
  PerfId id;
  if (Client* client = client_of(in.stream, id)) {
    outputs_.push(output::Consume{in.stream, in.data.size()});
    client->received += in.data.size();
    if (client->received > client->download) {
      fail(id, PerfError::kTooMuch);
    } else {
      client_timers_.set(id, now + config_.stall_timeout);
    }
  } else if (Server* server = servers_.find(in.stream)) {
    outputs_.push(output::Consume{in.stream, in.data.size()});
    receive_request(*server, in.data.view());
    stream_timers_.set(in.stream, now + config_.stall_timeout);
  }
}

void Engine::handle_input(const input::Written& in, base::Instant now) {
  PerfId id;
  if (Client* client = client_of(in.stream, id)) {
    --client->sender.unanswered;
    advance(id, *client, now);
  } else if (Server* server = servers_.find(in.stream)) {
    --server->sender.unanswered;
    advance(in.stream, *server, now);
  }
}

void Engine::handle_input(const input::Finished& in, base::Instant now) {
  PerfId id;
  if (const Client* client = client_of(in.stream, id)) {
    if (client->finished && client->received == client->download) {
      succeed(id, *client, now);
    } else {
      fail(id, PerfError::kEndedEarly);
    }
  } else if (Server* server = servers_.find(in.stream)) {
    if (server->header_size < kRequestSize) {
      drop(in.stream, DropReason::kNoRequest);
      return;
    }
    server->sender.left = server->wanted;
    advance(in.stream, *server, now);
  }
}

void Engine::handle_input(const input::Closed& in, base::Instant) {
  PerfId id;
  if (client_of(in.stream, id) != nullptr) {
    const bool refused = in.end == connection::StreamEnd::kProtocolRefused;
    client_streams_.erase(in.stream);
    clients_.find(id)->stream.reset();
    fail(id, refused ? PerfError::kUnsupported : PerfError::kStreamClosed);
  }
  forget(in.stream);
}

// The client.

PerfId Engine::run(const multiformats::PeerId& peer, std::uint64_t upload, std::uint64_t download,
                   base::Instant now) {
  const connection::OpenToken token = next_token_++;
  const PerfId id = clients_.emplace(
      Client{.peer = peer, .upload = upload, .download = download, .token = token});
  opening_.try_emplace(token, id);
  client_timers_.set(id, now + config_.stall_timeout);
  outputs_.push(output::Open{token, peer, std::nullopt, {std::string{kProtocol}}});
  return id;
}

void Engine::cancel(PerfId id) {
  if (clients_.find(id) != nullptr) abandon(id);
}

void Engine::handle_input(const input::Opening& in, base::Instant now) {
  const PerfId* found = opening_.find(in.token);
  if (found == nullptr) {
    outputs_.push(output::Reset{in.stream});
    return;
  }
  const PerfId id = *found;
  opening_.erase(in.token);
  client_streams_.try_emplace(in.stream, id);
  Client& client = *clients_.find(id);
  client.stream = in.stream;
  client.opened = now;
  client.sender = {.left = client.upload, .unanswered = 1};
  outputs_.push(output::Write{in.stream, encode_request(client.download)});
  advance(id, client, now);
}

void Engine::handle_input(const input::OpenFailed& in, base::Instant) {
  if (const PerfId* id = opening_.find(in.token)) fail(*id, PerfError::kOpenFailed);
}

Engine::Client* Engine::client_of(connection::StreamRef stream, PerfId& id) {
  const PerfId* found = client_streams_.find(stream);
  if (found == nullptr) return nullptr;
  id = *found;
  return clients_.find(id);
}

// Something moved. The end of stream waits for the server's agreement, since some servers miss an
// end that comes together with the negotiation.
void Engine::advance(PerfId id, Client& client, base::Instant now) {
  client_timers_.set(id, now + config_.stall_timeout);
  send(*client.stream, client.sender);
  if (client.agreed && !client.finished && client.sender.left == 0 &&
      client.sender.unanswered == 0) {
    client.finished = true;
    client.uploaded = now;
    outputs_.push(output::Finish{*client.stream});
  }
}

void Engine::succeed(PerfId id, const Client& client, base::Instant now) {
  outputs_.push(PerfDone{id, client.peer,
                         Result{.uploaded = client.upload,
                                .downloaded = client.download,
                                .upload_time = client.uploaded - client.opened,
                                .download_time = now - client.uploaded}});
  // Both sides have finished: the stream closes by itself, or is reset.
  const connection::StreamRef stream = *client.stream;
  client_streams_.erase(stream);
  clients_.erase(id);
  client_timers_.set(id, std::nullopt);
  stream_timers_.set(stream, now + config_.stall_timeout);
}

void Engine::fail(PerfId id, PerfError error) {
  outputs_.push(PerfDone{id, clients_.find(id)->peer, std::unexpected(error)});
  abandon(id);
}

// Gives a measurement up, with its stream or its request for one.
void Engine::abandon(PerfId id) {
  const Client& client = *clients_.find(id);
  opening_.erase(client.token);
  if (client.stream) {
    outputs_.push(output::Reset{*client.stream});
    client_streams_.erase(*client.stream);
  }
  client_timers_.set(id, std::nullopt);
  clients_.erase(id);
}

// The server.

void Engine::accept(const input::Opened& in, base::Instant now) {
  std::size_t& count = servers_per_peer_[in.peer];
  if (count >= config_.max_inbound_per_peer || servers_.size() >= config_.max_inbound) {
    if (count == 0) servers_per_peer_.erase(in.peer);
    outputs_.push(output::Reset{in.stream});
    outputs_.push(InboundDropped{in.stream, in.peer, DropReason::kTooManyStreams});
    return;
  }
  ++count;
  servers_.try_emplace(in.stream, Server{.peer = in.peer});
  stream_timers_.set(in.stream, now + config_.stall_timeout);
}

void Engine::receive_request(Server& server, base::BytesView bytes) {
  for (const std::uint8_t byte :
       bytes.first(std::min(bytes.size(), kRequestSize - server.header_size))) {
    server.wanted = server.wanted << 8 | byte;
    ++server.header_size;
  }
}

void Engine::advance(connection::StreamRef stream, Server& server, base::Instant now) {
  stream_timers_.set(stream, now + config_.stall_timeout);
  send(stream, server.sender);
  if (!server.finished && server.sender.left == 0) {
    server.finished = true;
    outputs_.push(output::Finish{stream});
  }
}

void Engine::drop(connection::StreamRef stream, DropReason reason) {
  outputs_.push(output::Reset{stream});
  outputs_.push(InboundDropped{stream, servers_.find(stream)->peer, reason});
  forget(stream);
}

void Engine::forget(connection::StreamRef stream) {
  stream_timers_.set(stream, std::nullopt);
  const Server* server = servers_.find(stream);
  if (server == nullptr) return;
  std::size_t& count = servers_per_peer_[server->peer];
  if (--count == 0) servers_per_peer_.erase(server->peer);
  servers_.erase(stream);
}

}  // namespace ggen::p2p::perf
