#include <algorithm>

#include "message_channel.hpp"

// How frames are made of a message channel, when the transport pulls them.
namespace ggen::p2p::sim {
namespace {

// Bytes of one stream before the next has its turn.
constexpr std::size_t kTurn = 16 * 1024;

}  // namespace

bool MessageChannel::wants_transmit() const {
  return !unsent_.empty() || knock_due_ || hello_due_ || goodbye_due_ || !answers_.empty() ||
         !ready_.empty();
}

std::size_t MessageChannel::transmit(base::MutableBytes out, base::Instant) {
  FrameWriter writer{out, unsent_};
  write_setup(writer);
  write_answers(writer);
  while (!writer.full() && !ready_.empty()) write_stream(writer, ready_.pop());
  return writer.written();
}

void MessageChannel::write_setup(FrameWriter& out) {
  const auto put = [&out](bool& due, FrameKind kind, base::BytesView payload) {
    if (!due || out.full()) return;
    out.put(kind, {}, payload);
    due = false;
  };
  put(knock_due_, FrameKind::kKnock, {});
  put(hello_due_, FrameKind::kHello, shared_->key);
  put(goodbye_due_, FrameKind::kGoodbye, {});
}

void MessageChannel::write_answers(FrameWriter& out) {
  if (answers_.empty()) return;
  auto at = answers_.begin();
  for (; at != answers_.end() && !out.full(); ++at) out.put(at->kind, at->stream);
  answers_.erase(answers_.begin(), at);
  if (answers_.empty()) std::vector<Answer>{}.swap(answers_);
}

void MessageChannel::write_stream(FrameWriter& out, MessageStream& stream) {
  if (!stream.greeted) {
    stream.greeted = true;
    if (stream.inbound) {
      out.put_number(FrameKind::kAccept, stream.id, stream.accepted);
    } else {
      out.put(FrameKind::kOpen, stream.id, encode_protocols(stream.request->protocols));
    }
  }
  if (stream.credit_due && !out.full()) {
    stream.credit_due = false;
    const std::uint32_t credit = stream.owed();
    stream.receive_credit += credit;
    out.put_number(FrameKind::kCredit, stream.id, credit);
  }
  if (stream.sendable() && !out.full()) write_data(out, stream);
  if (stream.finish_due() && !out.full()) {
    stream.finish_sent = true;
    out.put(FrameKind::kFinish, stream.id);
    return close_if_done(stream);
  }
  if (stream.has_output()) ready_.push(stream);
}

void MessageChannel::write_data(FrameWriter& out, MessageStream& stream) {
  const std::size_t turn = ready_.empty() ? kStreamWindow : kTurn;
  const std::size_t size = std::min<std::size_t>(
      {stream.queue.size(), stream.send_window, turn, out.room() - kMaxHeader});
  out.put(FrameKind::kData, stream.id, stream.queue.view().first(size));
  stream.queue.pop(size);
  stream.send_window -= static_cast<std::uint32_t>(size);
  if (stream.write_refused && stream.queue.size() <= shared_->config.send_queue_limit / 2) {
    stream.write_refused = false;
    events_.push(connection::event::StreamWritable{stream.id});
  }
}

}  // namespace ggen::p2p::sim
