#include "requests.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace ggen::p2p::kad {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

void Requests::send(QueryId query, const multiformats::PeerId& peer, const Message& message,
                    base::Instant now) {
  const RequestId id = requests_.emplace(
      Request{query, peer, message.type, base::encode_frame(encode_message(message)),
              base::FrameDecoder{config_.query.max_response}, std::nullopt, now});
  timers_.set(id, now + std::min(config_.query.slow_after, config_.query.request_timeout));
  peers_[peer].waiting.push(id);
  open_next(peer);
  Request& request = *requests_.find(id);
  request.waited = !request.opened;
}

/// Opens streams for those that wait, as many as the peer takes.
void Requests::open_next(const multiformats::PeerId& peer) {
  Streams& streams = peers_[peer];
  while (streams.count < config_.query.max_streams_per_peer) {
    const auto id = streams.waiting.pop();
    if (!id) break;
    Request* request = requests_.find(*id);
    if (request == nullptr) continue;
    request->opened = true;
    ++streams.count;
    // The id of the request serves as token: both are never used again.
    outputs_.push(output::Open{id->value(), peer, std::nullopt, {config_.protocol}});
  }
  if (streams.count == 0) peers_.erase(peer);
}

template <class Which>
void Requests::cancel_those(QueryId query, Which&& which) {
  std::vector<RequestId> ids;
  requests_.for_each([&](RequestId id, const Request& request) {
    if (request.query == query && !request.done && which(request.asked)) ids.push_back(id);
  });
  for (const RequestId id : ids) drop(id);
}

void Requests::cancel(QueryId query) {
  cancel_those(query, [](MessageType) { return true; });
}

void Requests::cancel_questions(QueryId query) {
  cancel_those(query, [](MessageType asked) { return asked != MessageType::kAddProvider; });
}

Requests::RequestId Requests::id_of(connection::OpenToken token) const noexcept {
  return {static_cast<std::uint32_t>(token), static_cast<std::uint32_t>(token >> 32)};
}

Requests::Request* Requests::request_of(connection::StreamRef stream) {
  const RequestId* id = streams_.find(stream);
  return id == nullptr ? nullptr : requests_.find(*id);
}

void Requests::handle(const input::Opening& in, base::Instant) {
  const RequestId id = id_of(in.token);
  Request* request = requests_.find(id);
  if (request == nullptr) {
    outputs_.push(output::Reset{in.stream});  // given up meanwhile
    return;
  }
  request->stream = in.stream;
  streams_.try_emplace(in.stream, id);
  outputs_.push(output::Write{in.stream, std::exchange(request->frame, {})});
}

void Requests::handle(const input::OpenFailed& in, base::Instant now) {
  const bool unreachable = in.failure == connection::OpenFailure::kNotConnected;
  finish(id_of(in.token),
         std::unexpected(unreachable ? RequestError::kUnreachable : RequestError::kRefused), now);
}

void Requests::handle(const input::Opened& in, base::Instant now) {
  const Request* request = request_of(in.stream);
  if (request == nullptr || request->asked != MessageType::kAddProvider) return;
  Message accepted;
  accepted.type = MessageType::kAddProvider;
  finish(*streams_.find(in.stream), std::move(accepted), now);
}

void Requests::handle(input::Data& in, base::Instant now) {
  Request* request = request_of(in.stream);
  if (request == nullptr) return;
  outputs_.push(output::Consume{in.stream, in.data.size()});
  if (request->done) return;
  const auto frame = request->decoder.take(in.data);
  const RequestId id = *streams_.find(in.stream);
  if (!frame) {
    finish(id, std::unexpected(RequestError::kMalformed), now);
  } else if (*frame) {
    finish(id, read_answer(*request, (*frame)->view()), now);
  }
}

std::expected<Message, RequestError> Requests::read_answer(const Request& request,
                                                           base::BytesView frame) const {
  auto message = decode_message(frame, config_.message);
  if (!message || message->type != request.asked) return std::unexpected(RequestError::kMalformed);
  return std::move(*message);
}

void Requests::handle(const input::Finished& in, base::Instant now) {
  if (request_of(in.stream) == nullptr) return;
  finish(*streams_.find(in.stream), std::unexpected(RequestError::kClosed), now);
}

void Requests::handle(const input::Closed& in, base::Instant now) {
  if (request_of(in.stream) == nullptr) return;
  const RequestId id = *streams_.find(in.stream);
  streams_.erase(in.stream);
  requests_.find(id)->stream.reset();
  const bool refused = in.end == connection::StreamEnd::kProtocolRefused;
  finish(id, std::unexpected(refused ? RequestError::kUnsupported : RequestError::kClosed), now);
  drop(id);
}

/// Reports a request once. After an answer the stream is ended in good order, else it is reset.
void Requests::finish(RequestId id, std::expected<Message, RequestError> answer,
                      base::Instant now) {
  Request* request = requests_.find(id);
  if (request == nullptr || request->done) return;
  request->done = true;
  const bool success = answer.has_value();
  events_.push(Done{request->query, request->peer, request->asked, std::move(answer),
                    now - request->started});
  if (success && request->stream) {
    outputs_.push(output::Finish{*request->stream});
    timers_.set(id, now + config_.query.request_timeout);
  } else {
    drop(id);
  }
}

void Requests::drop(RequestId id) {
  const Request* request = requests_.find(id);
  if (request == nullptr) return;
  if (request->stream) {
    outputs_.push(output::Reset{*request->stream});
    streams_.erase(*request->stream);
  }
  timers_.set(id, std::nullopt);
  const bool opened = request->opened;
  const multiformats::PeerId peer = request->peer;
  requests_.erase(id);
  if (!opened) return;
  --peers_.find(peer)->count;
  open_next(peer);
}

void Requests::handle_timeout(base::Instant now) {
  std::vector<RequestId> due;
  while (const auto id = timers_.pop_due(now)) due.push_back(*id);
  // Those that still wait give up first, or they would be given the streams of the others.
  std::ranges::stable_partition(due, [&](RequestId id) { return !requests_.find(id)->opened; });
  for (const RequestId id : due) {
    Request* request = requests_.find(id);
    const base::Instant deadline = request->started + config_.query.request_timeout;
    if (request->done) {
      drop(id);
    } else if (!request->slow && now < deadline) {
      request->slow = true;
      timers_.set(id, deadline);
      events_.push(Slow{request->query, request->peer});
    } else {
      // Who was asked late had less than the full time to answer.
      const bool late = request->waited;
      finish(id, std::unexpected(late ? RequestError::kRefused : RequestError::kTimeout), now);
    }
  }
}

}  // namespace ggen::p2p::kad
