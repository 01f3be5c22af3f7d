#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

namespace ggen::p2p::reqresp {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

void Engine::accept(const input::Opened& in, base::Instant now) {
  const auto at = std::ranges::find_if(services_, [&](const ServiceState& candidate) {
    return candidate.service.protocol == in.protocol;
  });
  GGEN_INVARIANT(at != services_.end());  // the owner hands on streams of our services only
  const auto id = static_cast<ServiceId>(at - services_.begin());
  const std::size_t* count = at->inbound_per_peer.find(in.peer);
  if (at->inbound >= at->service.max_inbound ||
      (count != nullptr ? *count : 0) >= at->service.max_inbound_per_peer) {
    outputs_.push(output::Reset{in.stream});
    outputs_.push(InboundDropped{in.stream, in.peer, id, Error::kTooManyRequests});
    return;
  }
  ++at->inbound;
  ++at->inbound_per_peer[in.peer];
  const ServedId served =
      served_.emplace(Served{.peer = in.peer,
                             .service = id,
                             .stream = in.stream,
                             .decoder = base::FrameDecoder{at->service.max_request}});
  served_streams_.try_emplace(in.stream, served);
  served_timers_.set(served, now + at->service.stall_timeout);
}

void Engine::receive(ServedId id, base::Buffer data, base::Instant now) {
  Served& served = *served_.find(id);
  outputs_.push(output::Consume{served.stream, data.size()});
  const auto result = receive_request(id, served, std::move(data));
  if (!result) {
    lose(id, result.error());
  } else if (served.asked) {
    // Only now: a request that drips in byte by byte must not hold its place for ever.
    served_timers_.set(id, now + service(served.service).stall_timeout);
  }
}

std::expected<void, Error> Engine::receive_request(ServedId id, Served& served, base::Buffer data) {
  if (served.asked) return std::unexpected(Error::kUnexpectedData);
  auto frame = served.decoder.take(data);
  if (!frame) {
    const bool large = frame.error() == base::FrameError::kTooLarge;
    return std::unexpected(large ? Error::kTooLarge : Error::kMalformed);
  }
  if (!*frame) return {};
  auto message = Message::parse(std::move(**frame), service(served.service).message);
  if (!message) return std::unexpected(Error::kMalformed);
  if (!data.empty()) return std::unexpected(Error::kUnexpectedData);
  served.asked = true;
  outputs_.push(Request{id, served.peer, served.service, std::move(*message)});
  return {};
}

// The request if it is still the owner's business.
Engine::Served* Engine::owned(ServedId id) {
  Served* served = served_.find(id);
  return served != nullptr && served->asked && !served->finished ? served : nullptr;
}

void Engine::respond(ServedId id, const MapBuilder& message, std::uint64_t body,
                     base::Instant now) {
  Served* served = owned(id);
  if (served == nullptr) return;
  GGEN_INVARIANT(served->body_left == 0);
  MapBuilder announced = message;
  if (body > 0) announced.uint(kBodyKey, body);
  const base::Bytes encoded = announced.encode();
  const Service& service = this->service(served->service);
  if (encoded.size() > service.max_response || body > service.max_body) {
    lose(id, Error::kTooLarge);
    return;
  }
  served->body_left = body;
  write(*served, base::encode_frame(encoded), Wrote::kResponse);
  served_timers_.set(id, now + service.stall_timeout);
}

void Engine::write_body(ServedId id, base::Buffer data, base::Instant now) {
  Served* served = owned(id);
  if (served == nullptr || data.empty()) return;
  GGEN_INVARIANT(data.size() <= served->body_left);
  served->body_left -= data.size();
  write(*served, std::move(data), Wrote::kBody);
  served_timers_.set(id, now + service(served->service).stall_timeout);
}

void Engine::finish(ServedId id, base::Instant now) {
  Served* served = owned(id);
  if (served == nullptr) return;
  if (served->body_left > 0) {
    refuse(id);
    return;
  }
  served->finished = true;
  outputs_.push(output::Finish{served->stream});
  served_timers_.set(id, now + service(served->service).stall_timeout);
}

void Engine::refuse(ServedId id) {
  const Served* served = owned(id);
  if (served == nullptr) return;
  outputs_.push(output::Reset{served->stream});
  forget(id);
}

void Engine::write(Served& served, base::Buffer data, Wrote what) {
  served.unanswered.push(what);
  outputs_.push(output::Write{served.stream, std::move(data)});
}

// Drops a request, and tells the owner if it does not know yet.
void Engine::lose(ServedId id, Error error) {
  const Served& served = *served_.find(id);
  outputs_.push(output::Reset{served.stream});
  if (!served.asked) {
    outputs_.push(InboundDropped{served.stream, served.peer, served.service, error});
  } else if (!served.finished) {
    outputs_.push(ServedLost{id, error});
  }
  forget(id);
}

void Engine::forget(ServedId id) {
  const Served& served = *served_.find(id);
  ServiceState& state = this->state(served.service);
  --state.inbound;
  std::size_t& count = *state.inbound_per_peer.find(served.peer);
  if (--count == 0) state.inbound_per_peer.erase(served.peer);
  served_streams_.erase(served.stream);
  served_timers_.set(id, std::nullopt);
  served_.erase(id);
}

}  // namespace ggen::p2p::reqresp
