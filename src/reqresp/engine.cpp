#include <algorithm>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

// What client and server share: services, and the way of inputs to the one or the other.
namespace ggen::p2p::reqresp {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

namespace {

Error error_of(connection::StreamEnd end) {
  switch (end) {
    case connection::StreamEnd::kProtocolRefused:
      return Error::kUnsupported;
    case connection::StreamEnd::kConnectionClosed:
      return Error::kConnectionLost;
    case connection::StreamEnd::kClosed:
    case connection::StreamEnd::kLocalReset:
    case connection::StreamEnd::kRemoteReset:
    case connection::StreamEnd::kNegotiationFailed:
      return Error::kReset;
  }
  return Error::kReset;
}

}  // namespace

std::string_view to_string(Error error) noexcept {
  switch (error) {
    case Error::kOpenFailed:
      return "no stream to the peer could be opened";
    case Error::kUnsupported:
      return "the peer does not offer the service";
    case Error::kTimeout:
      return "no complete answer in time";
    case Error::kStalled:
      return "nothing moved for too long";
    case Error::kReset:
      return "the peer reset the stream";
    case Error::kConnectionLost:
      return "the connection ended";
    case Error::kMalformed:
      return "the peer sent a malformed message";
    case Error::kTooLarge:
      return "a message is larger than the service allows";
    case Error::kTooManyResponses:
      return "the peer sent more responses than the service allows";
    case Error::kEndedEarly:
      return "the peer finished in the middle";
    case Error::kUnexpectedData:
      return "the peer sent more than one request";
    case Error::kTooManyRequests:
      return "too many requests at a time";
  }
  return "unknown request error";
}

ServiceId Engine::add_service(Service service) {
  const bool known = std::ranges::any_of(services_, [&](const ServiceState& other) {
    return other.service.protocol == service.protocol;
  });
  GGEN_INVARIANT(!known);
  services_.push_back({std::move(service)});
  return static_cast<ServiceId>(services_.size() - 1);
}

const Service& Engine::service(ServiceId id) const {
  return services_.at(static_cast<std::size_t>(id)).service;
}

Engine::ServiceState& Engine::state(ServiceId id) {
  return services_.at(static_cast<std::size_t>(id));
}

void Engine::handle(connection::StreamInput input, base::Instant now) {
  std::visit([&](auto& in) { handle_input(in, now); }, input);
}

std::optional<Output> Engine::poll() {
  return outputs_.pop();
}

std::optional<base::Instant> Engine::next_deadline() const {
  return base::earlier(base::earlier(deadlines_.earliest(), stalls_.earliest()),
                       base::earlier(served_timers_.earliest(), closing_.earliest()));
}

void Engine::handle_timeout(base::Instant now) {
  while (const auto id = deadlines_.pop_due(now)) fail(*id, Error::kTimeout);
  while (const auto id = stalls_.pop_due(now)) fail(*id, Error::kStalled);
  while (const auto id = served_timers_.pop_due(now)) lose(*id, Error::kStalled);
  while (const auto stream = closing_.pop_due(now)) outputs_.push(output::Reset{*stream});
}

void Engine::handle_input(const input::Opened& in, base::Instant now) {
  if (in.direction == connection::Direction::kInbound) {
    accept(in, now);
  } else if (const RequestId* id = client_streams_.find(in.stream)) {
    // Not before: some implementations miss an end that comes together with the negotiation.
    outputs_.push(output::Finish{in.stream});
    progress(*id, *clients_.find(*id), now);
  }
}

void Engine::handle_input(input::Data& in, base::Instant now) {
  if (const RequestId* id = client_streams_.find(in.stream)) {
    receive(RequestId{*id}, std::move(in.data), now);
  } else if (const ServedId* served = served_streams_.find(in.stream)) {
    receive(ServedId{*served}, std::move(in.data), now);
  }
}

void Engine::handle_input(const input::Written& in, base::Instant now) {
  if (const RequestId* id = client_streams_.find(in.stream)) {
    progress(*id, *clients_.find(*id), now);
  } else if (const ServedId* served_id = served_streams_.find(in.stream)) {
    Served& served = *served_.find(*served_id);
    const auto wrote = served.unanswered.pop();
    if (wrote == Wrote::kBody && !served.finished) outputs_.push(BodyWritten{*served_id});
    served_timers_.set(*served_id, now + service(served.service).stall_timeout);
  }
}

void Engine::handle_input(const input::Finished& in, base::Instant now) {
  if (const RequestId* id = client_streams_.find(in.stream)) {
    receive_end(RequestId{*id}, now);
  } else if (const ServedId* served_id = served_streams_.find(in.stream)) {
    if (!served_.find(*served_id)->asked) lose(ServedId{*served_id}, Error::kEndedEarly);
  }
}

void Engine::handle_input(const input::Closed& in, base::Instant) {
  closing_.set(in.stream, std::nullopt);
  if (const RequestId* found = client_streams_.find(in.stream)) {
    const RequestId id = *found;
    client_streams_.erase(in.stream);
    clients_.find(id)->stream.reset();
    fail(id, error_of(in.end));
  } else if (const ServedId* served = served_streams_.find(in.stream)) {
    const ServedId id = *served;
    const bool lost = served_.find(id)->asked && !served_.find(id)->finished;
    forget(id);
    if (lost) outputs_.push(ServedLost{id, error_of(in.end)});
  }
}

}  // namespace ggen::p2p::reqresp
