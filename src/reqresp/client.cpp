#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

namespace ggen::p2p::reqresp {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

RequestId Engine::request(const multiformats::PeerId& peer, ServiceId service_id,
                          const MapBuilder& message, base::Duration timeout, base::Instant now) {
  const base::Bytes encoded = message.encode();
  const Service& service = this->service(service_id);
  const connection::OpenToken token = next_token_++;
  const RequestId id =
      clients_.emplace(Client{.peer = peer,
                              .service = service_id,
                              .token = token,
                              .request = base::encode_frame(encoded),
                              .decoder = base::FrameDecoder{service.max_response}});
  if (encoded.size() > service.max_request) {
    fail(id, Error::kTooLarge);
    return id;
  }
  opening_.try_emplace(token, id);
  deadlines_.set(id, now + timeout);
  outputs_.push(output::Open{token, peer, std::nullopt, {service.protocol}});
  return id;
}

void Engine::consume(RequestId id, std::size_t size, base::Instant now) {
  Client* client = clients_.find(id);
  if (client == nullptr || size == 0) return;
  GGEN_INVARIANT(size <= client->charged);
  client->charged -= size;
  outputs_.push(output::Consume{*client->stream, size});
  progress(id, *client, now);
}

void Engine::cancel(RequestId id) {
  if (clients_.find(id) != nullptr) forget(id);
}

void Engine::handle_input(const input::Opening& in, base::Instant now) {
  const RequestId* found = opening_.find(in.token);
  if (found == nullptr) {
    outputs_.push(output::Reset{in.stream});
    return;
  }
  const RequestId id = *found;
  opening_.erase(in.token);
  client_streams_.try_emplace(in.stream, id);
  Client& client = *clients_.find(id);
  client.stream = in.stream;
  outputs_.push(output::Write{in.stream, std::move(client.request)});
  progress(id, client, now);
}

void Engine::handle_input(const input::OpenFailed& in, base::Instant) {
  if (const RequestId* id = opening_.find(in.token)) fail(RequestId{*id}, Error::kOpenFailed);
}

// Something moved. While the owner holds back what it has got, silence is not the server's fault.
void Engine::progress(RequestId id, const Client& client, base::Instant now) {
  if (client.charged > 0) {
    stalls_.set(id, std::nullopt);
  } else {
    stalls_.set(id, now + service(client.service).stall_timeout);
  }
}

void Engine::receive(RequestId id, base::Buffer data, base::Instant now) {
  Client& client = *clients_.find(id);
  if (const auto result = receive_responses(id, client, std::move(data)); !result) {
    fail(id, result.error());
  } else {
    progress(id, client, now);
  }
}

std::expected<void, Error> Engine::receive_responses(RequestId id, Client& client,
                                                     base::Buffer data) {
  while (!data.empty()) {
    if (client.body_left > 0) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(client.body_left, data.size()));
      client.body_left -= size;
      client.charged += size;
      outputs_.push(ResponseBody{id, data.slice(0, size)});
      data.remove_prefix(size);
      continue;
    }
    const std::size_t before = data.size();
    auto frame = client.decoder.take(data);
    if (!frame) {
      const bool large = frame.error() == base::FrameError::kTooLarge;
      return std::unexpected(large ? Error::kTooLarge : Error::kMalformed);
    }
    outputs_.push(output::Consume{*client.stream, before - data.size()});
    if (!*frame) continue;
    if (const auto accepted = accept_response(id, client, std::move(**frame)); !accepted) {
      return accepted;
    }
  }
  return {};
}

std::expected<void, Error> Engine::accept_response(RequestId id, Client& client,
                                                   base::Buffer frame) {
  const Service& service = this->service(client.service);
  if (++client.responses > service.max_responses) return std::unexpected(Error::kTooManyResponses);
  auto message = Message::parse(std::move(frame), service.message);
  if (!message) return std::unexpected(Error::kMalformed);
  if (const auto body = message->map().find(kBodyKey)) {
    const auto size = body->as_uint();
    if (!size) return std::unexpected(Error::kMalformed);
    if (*size > service.max_body) return std::unexpected(Error::kTooLarge);
    client.body_left = *size;
  }
  outputs_.push(Response{id, std::move(*message), client.body_left});
  return {};
}

void Engine::receive_end(RequestId id, base::Instant now) {
  const Client& client = *clients_.find(id);
  const bool complete =
      client.responses > 0 && client.body_left == 0 && client.decoder.between_frames();
  if (!complete) {
    fail(id, Error::kEndedEarly);
    return;
  }
  outputs_.push(RequestDone{id, client.peer, {}});
  // Both sides have finished: the stream closes by itself, or is reset.
  const connection::StreamRef stream = *client.stream;
  closing_.set(stream, now + service(client.service).stall_timeout);
  client_streams_.erase(stream);
  clients_.find(id)->stream.reset();
  forget(id);
}

void Engine::fail(RequestId id, Error error) {
  outputs_.push(RequestDone{id, clients_.find(id)->peer, std::unexpected(error)});
  forget(id);
}

// Gives a request up, with its stream or its request for one.
void Engine::forget(RequestId id) {
  const Client& client = *clients_.find(id);
  opening_.erase(client.token);
  if (client.stream) {
    outputs_.push(output::Reset{*client.stream});
    client_streams_.erase(*client.stream);
  }
  deadlines_.set(id, std::nullopt);
  stalls_.set(id, std::nullopt);
  clients_.erase(id);
}

}  // namespace ggen::p2p::reqresp
