#include <algorithm>
#include <cstdint>

#include "frame_writer.hpp"
#include "state.hpp"

namespace ggen::p2p::yamux {
namespace {

// A piece of a stream's data that is smaller than this waits for the next span instead of filling
// the last bytes of this one.
constexpr std::size_t kSmallestPiece = 256;

}  // namespace

bool Session::wants_transmit() const noexcept {
  const State& state = *state_;
  if (state.ended) return state.go_away.has_value();
  return state.keep_alive.due() || !state.pongs.empty() || !state.refusals.empty() ||
         !state.scheduler.empty();
}

std::size_t Session::transmit(base::MutableBytes out, base::Instant now) {
  // The transport takes more some time after it was full: the remote has acknowledged something.
  // During a long upload on a slow line this may be all that is heard of it.
  State& state = *state_;
  if (state.backlogged && *state.backlogged < now) state.keep_alive.sign_of_life(now);
  FrameWriter writer{out};
  state.write_session_frames(writer, now);
  state.write_control_frames(writer);
  state.write_data_frames(writer);
  // The ends of streams whose last bytes have just been written.
  state.write_control_frames(writer);
  state.backlogged = wants_transmit() ? std::optional{now} : std::nullopt;
  return writer.written();
}

void Session::State::write_session_frames(FrameWriter& out, base::Instant now) {
  if (go_away && !out.full()) {
    out.header({FrameType::kGoAway, 0, {}, *go_away});
    go_away.reset();
  }
  if (ended) return;
  if (keep_alive.due() && !out.full()) {
    out.header({FrameType::kPing, flag::kSyn, {}, keep_alive.send(now)});
  }
  const auto each = [&out](auto& queue, auto&& frame_of) {
    auto at = queue.begin();
    while (at != queue.end() && !out.full()) out.header(frame_of(*at++));
    queue.erase(queue.begin(), at);
    if (queue.empty()) give_back(queue);
  };
  each(pongs, [](std::uint32_t value) { return Header{FrameType::kPing, flag::kAck, {}, value}; });
  each(refusals, [](StreamId id) { return Header{FrameType::kWindowUpdate, flag::kRst, id, 0}; });
}

void Session::State::write_control_frames(FrameWriter& out) {
  while (!out.full()) {
    Stream* stream = scheduler.next_control();
    if (stream == nullptr) return;
    write_control_frame(out, *stream);
  }
}

void Session::State::write_control_frame(FrameWriter& out, Stream& stream) {
  if (stream.dead) {
    out.header({FrameType::kWindowUpdate, flag::kRst, stream.id, 0});
    return release(stream);
  }
  Header frame{FrameType::kWindowUpdate, greeting(stream), stream.id, 0};
  if (stream.credit_due) frame.length = stream.receive.grant();
  stream.credit_due = false;
  // FIN gets a frame of its own, never one with data: go-yamux and js-libp2p look at the flags
  // first and may lose what comes with the end.
  if (stream.fin_due()) {
    frame.flags |= flag::kFin;
    stream.fin_sent = true;
  }
  out.header(frame);
  scheduler.update(stream);
  close_if_done(stream);
}

void Session::State::write_data_frames(FrameWriter& out) {
  for (;;) {
    const Scheduler::Turn turn = scheduler.next_data();
    if (turn.stream == nullptr || out.room() <= kHeaderSize) return;
    Stream& stream = *turn.stream;
    const std::size_t sendable =
        std::min<std::size_t>({stream.queue.size(), stream.send_window, turn.limit});
    const std::size_t size = std::min(sendable, out.room() - kHeaderSize);
    if (size < std::min(sendable, kSmallestPiece) && out.written() > 0) return;
    write_data_frame(out, stream, size);
  }
}

void Session::State::write_data_frame(FrameWriter& out, Stream& stream, std::size_t size) {
  const auto length = static_cast<std::uint32_t>(size);
  out.header({FrameType::kData, greeting(stream), stream.id, length});
  out.body(stream.queue, size);
  stream.send_window -= length;
  scheduler.sent(stream, size);
  scheduler.update(stream);
  if (stream.write_refused && stream.queue.size() <= config.send_queue_limit / 2) {
    stream.write_refused = false;
    events.push(event::Writable{stream.id});
  }
}

std::uint16_t Session::State::greeting(Stream& stream) noexcept {
  if (stream.greeted) return 0;
  stream.greeted = true;
  if (stream.local) return flag::kSyn;
  mark_acknowledged(stream);
  return flag::kAck;
}

}  // namespace ggen::p2p::yamux
