#include "server.hpp"

#include <utility>

#include "responder.hpp"

namespace ggen::p2p::kad {

namespace input = connection::stream_input;
namespace output = connection::stream_output;

void Server::set_mode(Mode mode) {
  mode_ = mode;
  if (mode_ == Mode::kServer) return;
  for (const auto* entry : streams_.sorted()) drop(entry->first, DropReason::kClientMode);
}

void Server::handle(const input::Opened& in, base::Instant now) {
  std::optional<DropReason> refused;
  const std::size_t* count = per_peer_.find(in.peer);
  if (mode_ == Mode::kClient) {
    refused = DropReason::kClientMode;
  } else if (streams_.size() >= state_.config.server.max_streams ||
             (count != nullptr && *count >= state_.config.server.max_streams_per_peer)) {
    refused = DropReason::kTooManyStreams;
  }
  if (refused) {
    state_.outputs.push(output::Reset{in.stream});
    state_.outputs.push(InboundDropped{in.stream, in.peer, *refused});
    return;
  }
  ++per_peer_[in.peer];
  streams_.try_emplace(
      in.stream,
      Stream{.peer = in.peer, .decoder = base::FrameDecoder{state_.config.server.max_request}});
  timers_.set(in.stream, now + state_.config.server.idle);
}

void Server::handle(input::Data& in, base::Instant now) {
  Stream* stream = streams_.find(in.stream);
  if (stream == nullptr) return;
  stream->pending.push(std::move(in.data));
  if (stream->current.size() + stream->pending.size() > state_.config.server.max_pending) {
    drop(in.stream, DropReason::kFlooded);
  } else {
    advance(in.stream, now);
  }
}

void Server::handle(const input::Written& in, base::Instant now) {
  Stream* stream = streams_.find(in.stream);
  if (stream == nullptr) return;
  stream->writing = false;
  advance(in.stream, now);
}

void Server::handle(const input::Finished& in, base::Instant now) {
  Stream* stream = streams_.find(in.stream);
  if (stream == nullptr) return;
  stream->remote_finished = true;
  advance(in.stream, now);
}

void Server::handle(const input::Closed& in) {
  forget(in.stream);
}

/// Answers requests until one waits for its answer to get under way, or all is read. Bytes are
/// consumed as they are read, so that a peer that does not read answers cannot send on.
void Server::advance(connection::StreamRef ref, base::Instant now) {
  Stream& stream = *streams_.find(ref);
  while (!stream.writing) {
    if (stream.current.empty()) {
      if (stream.pending.empty()) break;
      stream.current = stream.pending.take();
    }
    if (!serve_one(ref, stream, now)) return;
  }
  const bool read_all = stream.current.empty() && stream.pending.empty() && !stream.writing;
  if (!stream.remote_finished || !read_all || stream.finished) return;
  if (!stream.decoder.between_frames()) {
    drop(ref, DropReason::kMalformed);
    return;
  }
  stream.finished = true;
  state_.outputs.push(output::Finish{ref});
}

/// Reads on, and answers a request if it is complete. False when the stream is gone.
bool Server::serve_one(connection::StreamRef ref, Stream& stream, base::Instant now) {
  const std::size_t before = stream.current.size();
  auto frame = stream.decoder.take(stream.current);
  state_.outputs.push(output::Consume{ref, before - stream.current.size()});
  if (!frame) {
    drop(ref, DropReason::kMalformed);
    return false;
  }
  if (!*frame) return true;
  auto request = decode_message((*frame)->view(), state_.config.message);
  if (!request) {
    drop(ref, DropReason::kMalformed);
    return false;
  }
  const auto answer = respond(state_, stream.peer, std::move(*request), now);
  if (!answer) {
    drop(ref, answer.error());
    return false;
  }
  // Only whole requests count as progress: one that dribbles in is cut off.
  timers_.set(ref, now + state_.config.server.idle);
  if (*answer) {
    stream.writing = true;
    state_.outputs.push(output::Write{ref, base::encode_frame(encode_message(**answer))});
  }
  return true;
}

void Server::drop(connection::StreamRef ref, DropReason reason) {
  state_.outputs.push(output::Reset{ref});
  state_.outputs.push(InboundDropped{ref, streams_.find(ref)->peer, reason});
  forget(ref);
}

void Server::forget(connection::StreamRef ref) {
  const Stream* stream = streams_.find(ref);
  if (stream == nullptr) return;
  std::size_t& count = per_peer_[stream->peer];
  if (--count == 0) per_peer_.erase(stream->peer);
  streams_.erase(ref);
  timers_.set(ref, std::nullopt);
}

void Server::handle_timeout(base::Instant now) {
  while (const auto ref = timers_.pop_due(now)) drop(*ref, DropReason::kIdle);
}

}  // namespace ggen::p2p::kad
