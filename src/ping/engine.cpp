#include <algorithm>
#include <utility>

#include <ggen/p2p/ping/engine.hpp>

namespace ggen::p2p::ping {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

std::string_view to_string(PingError error) noexcept {
  switch (error) {
    case PingError::kTimeout:
      return "no answer in time";
    case PingError::kOpenFailed:
      return "no stream to the peer could be opened";
    case PingError::kUnsupported:
      return "the peer does not speak the ping protocol";
    case PingError::kWrongEcho:
      return "the peer sent back other bytes than it got";
    case PingError::kStreamClosed:
      return "the stream ended before the echo was complete";
  }
  return "unknown ping error";
}

std::string_view to_string(DropReason reason) noexcept {
  switch (reason) {
    case DropReason::kTooManyStreams:
      return "the peer opened too many ping streams";
    case DropReason::kIdle:
      return "the peer left a ping stream idle";
    case DropReason::kFlooded:
      return "the peer sends pings without reading their echo";
  }
  return "unknown reason";
}

void Engine::handle(connection::StreamInput input, base::Instant now) {
  std::visit([&](auto& in) { handle_input(in, now); }, input);
}

std::optional<Output> Engine::poll() {
  return outputs_.pop();
}

std::optional<base::Instant> Engine::next_deadline() const {
  return base::earlier(ping_timers_.earliest(), stream_timers_.earliest());
}

void Engine::handle_timeout(base::Instant now) {
  while (const auto id = ping_timers_.pop_due(now)) {
    end(*id, std::unexpected(PingError::kTimeout), now);
  }
  while (const auto stream = stream_timers_.pop_due(now)) {
    if (inbound_.contains(*stream)) {
      drop_inbound(*stream, DropReason::kIdle);
    } else if (const auto* peer = outbound_.find(*stream)) {
      // Its pings are over, but the peer does not close the stream.
      const multiformats::PeerId at = *peer;
      abandon_stream(*lanes_.find(at));
      advance(at, now);
    }
  }
}

// The client.

PingId Engine::ping(const multiformats::PeerId& peer, std::optional<connection::ConnectionId> on,
                    base::Instant now) {
  const PingId id = pings_.emplace(Ping{peer, on});
  ping_timers_.set(id, now + config_.timeout);
  Lane& lane = lanes_[peer];
  lane.pings.push_back(id);
  if (lane.pings.size() == 1) advance(peer, now);
  return id;
}

void Engine::cancel(PingId id, base::Instant now) {
  end(id, std::nullopt, now);
}

// Starts the first ping of a lane, or winds the lane up when there is none. Nothing is in flight.
void Engine::advance(const multiformats::PeerId& peer, base::Instant now) {
  Lane& lane = *lanes_.find(peer);
  if (lane.pings.empty()) {
    if (!lane.stream) {
      lanes_.erase(peer);
    } else if (!lane.finished) {
      lane.finished = true;
      outputs_.push(output::Finish{*lane.stream});
      stream_timers_.set(*lane.stream, now + config_.timeout);
    }
    return;
  }
  const auto& on = pings_.find(lane.pings.front())->on;
  if (lane.stream && !lane.finished && (!on || *on == lane.stream->connection)) {
    send_payload(lane, now);
    return;
  }
  // A stream that cannot be used any more gives way: the peer may allow only one.
  abandon_stream(lane);
  lane.token = next_token_++;
  opening_.try_emplace(*lane.token, peer);
  outputs_.push(output::Open{*lane.token, peer, on, {std::string{kProtocol}}});
}

void Engine::send_payload(Lane& lane, base::Instant now) {
  base::Buffer payload = base::Buffer::allocate(kPayloadSize);
  crypto_.random(payload.writable());
  std::ranges::copy(payload.view(), lane.payload.begin());
  lane.echoed = 0;
  lane.sent = now;
  outputs_.push(output::Write{*lane.stream, std::move(payload)});
}

void Engine::receive_echo(const multiformats::PeerId& peer, base::BytesView bytes,
                          base::Instant now) {
  Lane& lane = *lanes_.find(peer);
  if (lane.finished) {
    // More than was asked for: not worth a word, but the stream is of no use.
    abandon_stream(lane);
    advance(peer, now);
    return;
  }
  const PingId id = lane.pings.front();
  const auto expected = base::BytesView{lane.payload}.subspan(lane.echoed);
  if (bytes.size() > expected.size() || !base::equal(bytes, expected.first(bytes.size()))) {
    end(id, std::unexpected(PingError::kWrongEcho), now);
    return;
  }
  lane.echoed += bytes.size();
  if (lane.echoed == kPayloadSize) end(id, now - lane.sent, now);
}

// Takes a ping out of its lane, reports it if there is something to report, and goes on.
void Engine::end(PingId id, std::optional<RoundTrip> report, base::Instant now) {
  const Ping* ping = pings_.find(id);
  if (ping == nullptr) return;
  const multiformats::PeerId peer = ping->peer;
  Lane& lane = *lanes_.find(peer);
  const bool in_flight = lane.pings.front() == id;
  std::erase(lane.pings, id);
  pings_.erase(id);
  ping_timers_.set(id, std::nullopt);
  const bool success = report && report->has_value();
  if (report) outputs_.push(PingDone{id, peer, *report});
  if (!in_flight) return;
  if (!success) abandon_stream(lane);
  advance(peer, now);
}

// Gives up the stream of a lane, or the request for one: the answer to a forgotten token is reset.
void Engine::abandon_stream(Lane& lane) {
  if (lane.token) opening_.erase(*lane.token);
  if (lane.stream) {
    outputs_.push(output::Reset{*lane.stream});
    forget_stream(lane);
  }
  lane.token.reset();
}

void Engine::forget_stream(Lane& lane) {
  outbound_.erase(*lane.stream);
  stream_timers_.set(*lane.stream, std::nullopt);
  lane.stream.reset();
  lane.finished = false;
}

void Engine::handle_input(const input::Opening& in, base::Instant now) {
  const auto* peer = opening_.find(in.token);
  if (peer == nullptr) {
    outputs_.push(output::Reset{in.stream});
    return;
  }
  Lane& lane = *lanes_.find(*peer);
  lane.token.reset();
  lane.stream = in.stream;
  outbound_.try_emplace(in.stream, *peer);
  opening_.erase(in.token);
  send_payload(lane, now);
}

void Engine::handle_input(const input::OpenFailed& in, base::Instant now) {
  const auto* peer = opening_.find(in.token);
  if (peer == nullptr) return;
  const PingId id = lanes_.find(*peer)->pings.front();
  end(id, std::unexpected(PingError::kOpenFailed), now);
}

// Both sides.

void Engine::handle_input(const input::Opened& in, base::Instant now) {
  if (in.direction == connection::Direction::kInbound) accept(in, now);
}

void Engine::handle_input(const input::Data& in, base::Instant now) {
  if (const auto* peer = outbound_.find(in.stream)) {
    outputs_.push(output::Consume{in.stream, in.data.size()});
    receive_echo(multiformats::PeerId{*peer}, in.data.view(), now);
  } else if (auto* inbound = inbound_.find(in.stream)) {
    inbound->unechoed.push(in.data);
    if (inbound->writing + inbound->unechoed.size() > config_.max_unechoed) {
      drop_inbound(in.stream, DropReason::kFlooded);
    } else {
      echo(in.stream, *inbound, now);
    }
  }
}

void Engine::handle_input(const input::Written& in, base::Instant now) {
  auto* inbound = inbound_.find(in.stream);
  if (inbound == nullptr) return;
  outputs_.push(output::Consume{in.stream, inbound->writing});
  inbound->writing = 0;
  echo(in.stream, *inbound, now);
}

void Engine::handle_input(const input::Finished& in, base::Instant now) {
  if (const auto* peer = outbound_.find(in.stream)) {
    const Lane& lane = *lanes_.find(*peer);
    if (!lane.finished) end(lane.pings.front(), std::unexpected(PingError::kStreamClosed), now);
  } else if (auto* inbound = inbound_.find(in.stream)) {
    inbound->remote_finished = true;
    echo(in.stream, *inbound, now);
  }
}

void Engine::handle_input(const input::Closed& in, base::Instant now) {
  forget_inbound(in.stream);
  const auto* found = outbound_.find(in.stream);
  if (found == nullptr) return;
  const multiformats::PeerId peer = *found;
  Lane& lane = *lanes_.find(peer);
  const bool waiting = !lane.finished;
  forget_stream(lane);
  if (waiting) {
    const bool refused = in.end == connection::StreamEnd::kProtocolRefused;
    end(lane.pings.front(),
        std::unexpected(refused ? PingError::kUnsupported : PingError::kStreamClosed), now);
  } else {
    advance(peer, now);
  }
}

// The server.

void Engine::accept(const input::Opened& in, base::Instant now) {
  std::size_t& count = inbound_per_peer_[in.peer];
  if (count >= config_.max_inbound_per_peer) {
    if (count == 0) inbound_per_peer_.erase(in.peer);
    outputs_.push(output::Reset{in.stream});
    outputs_.push(InboundDropped{in.stream, in.peer, DropReason::kTooManyStreams});
    return;
  }
  ++count;
  inbound_.try_emplace(in.stream, Inbound{in.peer, {}, 0, false});
  stream_timers_.set(in.stream, now + config_.inbound_idle);
}

// Sends back the whole payloads that have come, one Write at a time. Their bytes stay charged until
// the echo is on its way, so that a peer which does not read cannot send on.
void Engine::echo(connection::StreamRef stream, Inbound& inbound, base::Instant now) {
  stream_timers_.set(stream, now + config_.inbound_idle);
  if (inbound.writing > 0) return;
  const std::size_t whole = inbound.unechoed.size() / kPayloadSize * kPayloadSize;
  if (whole > 0) {
    base::Buffer payloads = base::Buffer::allocate(whole);
    inbound.unechoed.read(payloads.writable());
    inbound.writing = whole;
    outputs_.push(output::Write{stream, std::move(payloads)});
  } else if (inbound.remote_finished) {
    outputs_.push(output::Finish{stream});
  }
}

void Engine::drop_inbound(connection::StreamRef stream, DropReason reason) {
  outputs_.push(output::Reset{stream});
  outputs_.push(InboundDropped{stream, inbound_.find(stream)->peer, reason});
  forget_inbound(stream);
}

void Engine::forget_inbound(connection::StreamRef stream) {
  const Inbound* inbound = inbound_.find(stream);
  if (inbound == nullptr) return;
  std::size_t& count = inbound_per_peer_[inbound->peer];
  if (--count == 0) inbound_per_peer_.erase(inbound->peer);
  inbound_.erase(stream);
  stream_timers_.set(stream, std::nullopt);
}

}  // namespace ggen::p2p::ping
