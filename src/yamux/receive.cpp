#include <algorithm>
#include <cstdint>

#include "state.hpp"

namespace ggen::p2p::yamux {

void Session::receive(base::Buffer bytes, base::Instant now) {
  State& state = *state_;
  if (!bytes.empty()) state.keep_alive.sign_of_life(now);
  while (!bytes.empty() && !state.ended) {
    if (state.body.left > 0) {
      state.on_body(bytes);
      continue;
    }
    const std::uint8_t* header = state.header.take(bytes);
    if (header == nullptr) return;
    if (const auto frame = decode_header(header)) {
      state.on_header(*frame, now);
    } else {
      state.fail(frame.error());
    }
  }
}

void Session::State::on_header(const Header& frame, base::Instant now) {
  const bool for_session = frame.type == FrameType::kPing || frame.type == FrameType::kGoAway;
  if (for_session != (frame.stream == StreamId{})) return fail(Error::kInvalidStreamId);
  switch (frame.type) {
    case FrameType::kPing:
      return on_ping(frame, now);
    case FrameType::kGoAway:
      return end(Error::kRemoteGoAway, std::nullopt, frame.length);
    case FrameType::kData:
    case FrameType::kWindowUpdate:
      return on_stream_frame(frame, now);
  }
}

void Session::State::on_ping(const Header& frame, base::Instant now) {
  if (frame.has(flag::kSyn) == frame.has(flag::kAck)) return fail(Error::kInvalidFlags);
  if (frame.has(flag::kAck)) return keep_alive.pong(frame.length, now);
  if (pongs.size() >= config.max_pending_pongs) return fail(Error::kFlooded);
  pongs.push_back(frame.length);
}

void Session::State::on_stream_frame(const Header& frame, base::Instant now) {
  const bool data = frame.type == FrameType::kData;
  // No window of this side was ever larger, so the frame is wrong even if the stream is long gone.
  if (data && frame.length > config.max_stream_window) return fail(Error::kWindowExceeded);
  if (data) body.left = frame.length;

  Stream* stream = streams.find(frame.stream);
  if (frame.has(flag::kSyn)) {
    if (!opened_by_remote(frame.stream)) return fail(Error::kInvalidStreamId);
    if (stream != nullptr) return fail(Error::kDuplicateStream);
    stream = accept(frame, now);
  }
  // Late frames for a stream that this side has already dropped. They get no answer: the remote has
  // been told, or will be.
  if (stream == nullptr) return;

  if (frame.has(flag::kRst)) return on_reset(*stream);
  // Whatever the remote sends on a stream shows that it knows of it.
  if (stream->local) mark_acknowledged(*stream);
  if (data) return on_data(*stream, frame);
  on_credit(*stream, frame.length);
  if (!ended && frame.has(flag::kFin)) on_finish(*stream);
}

Stream* Session::State::accept(const Header& frame, base::Instant now) {
  const bool new_id = remote_ids.use(frame.stream);
  if (frame.has(flag::kRst)) return nullptr;
  if (!new_id || inbound >= config.max_inbound_streams ||
      unacknowledged_inbound >= config.max_unacknowledged_inbound) {
    refuse(frame.stream);
    return nullptr;
  }
  ++inbound;
  ++unacknowledged_inbound;
  events.push(event::StreamOpened{frame.stream});
  return &streams.emplace(frame.stream, false, now);
}

void Session::State::refuse(StreamId id) {
  if (refusals.size() >= config.max_pending_refusals) return fail(Error::kFlooded);
  refusals.push_back(id);
}

void Session::State::on_credit(Stream& stream, std::uint32_t credit) {
  if (credit > UINT32_MAX - stream.send_window) return fail(Error::kWindowOverflow);
  stream.send_window += credit;
  scheduler.update(stream);
}

void Session::State::on_data(Stream& stream, const Header& frame) {
  if (!stream.receive.charge(frame.length)) return fail(Error::kWindowExceeded);
  if (stream.dead || stream.remote_finished) return;
  if (frame.length == 0) {
    if (frame.has(flag::kFin)) on_finish(stream);
    return;
  }
  body.stream = &stream;
  body.fin = frame.has(flag::kFin);
}

void Session::State::on_body(base::Buffer& bytes) {
  const std::size_t size = std::min<std::size_t>(body.left, bytes.size());
  body.left -= static_cast<std::uint32_t>(size);
  Stream* stream = body.stream;
  if (stream != nullptr) events.push(event::Data{stream->id, bytes.slice(0, size)});
  bytes.remove_prefix(size);
  if (body.left > 0) return;
  const bool finished = stream != nullptr && body.fin;
  body = {};
  if (finished) on_finish(*stream);
}

void Session::State::on_finish(Stream& stream) {
  if (stream.dead || stream.remote_finished) return;
  stream.remote_finished = true;
  // It needs no more credit.
  stream.credit_due = false;
  scheduler.update(stream);
  events.push(event::Finished{stream.id});
  close_if_done(stream);
}

void Session::State::on_reset(Stream& stream) {
  if (!stream.dead) events.push(event::StreamClosed{stream.id, StreamEnd::kRemoteReset});
  release(stream);
}

}  // namespace ggen::p2p::yamux
