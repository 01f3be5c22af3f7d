#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>

#include "message_channel.hpp"

// What frames of the remote do to a message channel.
namespace ggen::p2p::sim {

using connection::CloseReason;
using connection::Direction;
using connection::StreamEnd;
using connection::StreamId;
namespace event = connection::event;

void MessageChannel::receive(base::MutableBytes bytes, base::Instant) {
  base::BytesView input{bytes};
  while (!input.empty() && phase_ != Phase::kClosed) {
    if (body_left_ > 0) {
      take_body(input);
      continue;
    }
    const Checked taken = partial_.empty() ? take_frame(input) : take_rest_of_frame(input);
    if (taken) continue;
    end(phase_ == Phase::kHandshake ? CloseReason::kNegotiationFailed
                                    : CloseReason::kProtocolViolation,
        to_string(taken.error()));
  }
}

// The rule: a frame is there whole, or its payload is data, which needs not be.
MessageChannel::Checked MessageChannel::take_frame(base::BytesView& bytes) {
  const auto header = decode_header(bytes);
  if (!header) return std::unexpected(header.error());
  const bool data = *header && (*header)->kind == FrameKind::kData;
  if (!*header || (!data && bytes.size() - (*header)->size < (*header)->length)) {
    partial_ = base::to_bytes(bytes);
    bytes = {};
    return {};
  }
  const FrameHeader& frame = **header;
  bytes = bytes.subspan(frame.size);
  if (data) return on_data(frame);
  const base::BytesView payload = bytes.first(frame.length);
  bytes = bytes.subspan(frame.length);
  return on_frame(frame, payload);
}

// The exception: gathers as many bytes as the frame is known to need. What it will need is not
// believed before it is there: nothing is reserved.
MessageChannel::Checked MessageChannel::take_rest_of_frame(base::BytesView& bytes) {
  const auto known = decode_header(partial_);
  if (!known) return std::unexpected(known.error());
  const bool data = *known && (*known)->kind == FrameKind::kData;
  const std::size_t needed =
      *known ? (*known)->size + (data ? 0 : (*known)->length) : partial_.size() + 1;
  const std::size_t size = std::min(needed - partial_.size(), bytes.size());
  base::append(partial_, bytes.first(size));
  bytes = bytes.subspan(size);

  const auto header = decode_header(partial_);
  if (!header) return std::unexpected(header.error());
  if (!*header) return {};
  const FrameHeader& frame = **header;
  if (frame.kind == FrameKind::kData) {
    base::Bytes{}.swap(partial_);
    return on_data(frame);
  }
  if (partial_.size() < frame.size + frame.length) return {};
  const base::Bytes whole = std::exchange(partial_, {});
  return on_frame(frame, base::BytesView{whole}.subspan(frame.size));
}

// ---- Data ----

MessageChannel::Checked MessageChannel::on_data(const FrameHeader& frame) {
  if (phase_ != Phase::kOpen) return std::unexpected(FrameError::kOutOfPlace);
  body_left_ = frame.length;
  MessageStream* stream = find(frame.stream);
  // Late frames for a stream that this side has dropped: the remote has been told, or will be. Or a
  // remote's guess at an id that is opened while the body is still coming: nobody's bytes either.
  body_stream_ = stream == nullptr ? StreamId{} : frame.stream;
  if (stream == nullptr) return {};
  if (frame.length > stream->receive_credit) return std::unexpected(FrameError::kWindowExceeded);
  stream->receive_credit -= frame.length;
  stream->charged += frame.length;
  // Application bytes before it is agreed what they mean.
  if (stream->request != nullptr) drop(*stream, StreamEnd::kNegotiationFailed);
  return {};
}

void MessageChannel::take_body(base::BytesView& bytes) {
  const std::size_t size = std::min<std::size_t>(body_left_, bytes.size());
  body_left_ -= static_cast<std::uint32_t>(size);
  const MessageStream* stream = find(body_stream_);
  if (stream != nullptr && !stream->remote_finished) {
    events_.push(event::StreamData{body_stream_, base::Buffer::copy_of(bytes.first(size))});
  }
  bytes = bytes.subspan(size);
}

// ---- Whole frames ----

MessageChannel::Checked MessageChannel::on_frame(const FrameHeader& frame,
                                                 base::BytesView payload) {
  if (phase_ == Phase::kHandshake) return on_handshake(frame.kind, payload);
  switch (frame.kind) {
    case FrameKind::kKnock:
    case FrameKind::kHello:
      return std::unexpected(FrameError::kOutOfPlace);
    case FrameKind::kGoodbye:
      end(CloseReason::kRemoteClosed, {});
      return {};
    case FrameKind::kOpen:
      return on_open(frame.stream, payload);
    default:
      break;
  }
  MessageStream* stream = find(frame.stream);
  return stream == nullptr ? Checked{} : on_stream_frame(*stream, frame.kind, payload);
}

// The dialler knocks, the listener says who it is, and the dialler does only when it has found whom
// it wants.
MessageChannel::Checked MessageChannel::on_handshake(FrameKind kind, base::BytesView payload) {
  const bool listener = direction_ == Direction::kInbound;
  if (kind == FrameKind::kKnock && listener && !setup_->knocked) {
    setup_->knocked = true;
    hello_due_ = true;
    return {};
  }
  if (kind != FrameKind::kHello || (listener && !setup_->knocked)) {
    return std::unexpected(FrameError::kOutOfPlace);
  }
  on_hello(payload);
  return {};
}

void MessageChannel::on_hello(base::BytesView key_message) {
  auto key = crypto::PublicKey::decode(key_message);
  if (!key) return end(CloseReason::kSecurityFailed, to_string(key.error()));
  const auto peer = multiformats::PeerId::of(*key);
  if (setup_->expected_peer && *setup_->expected_peer != peer) {
    return end(CloseReason::kWrongPeer, {});
  }
  setup_.reset();
  phase_ = Phase::kOpen;
  if (direction_ == Direction::kOutbound) hello_due_ = true;
  events_.push(event::Secured{peer, std::move(*key)});
}

MessageChannel::Checked MessageChannel::on_open(StreamId id, base::BytesView payload) {
  // Both sides draw and announce their ids in order.
  if (!opened_by_remote(id) || id <= last_remote_id_) {
    return std::unexpected(FrameError::kReusedStream);
  }
  last_remote_id_ = id;
  const auto wanted = decode_protocols(payload);
  if (!wanted) return std::unexpected(wanted.error());
  const MessageChannelConfig& config = shared_->config;
  // A stream that has been reset counts until the remote could know.
  const std::size_t streams = inbound_streams_ + answers_.size();
  if (streams >= config.max_inbound_streams + config.max_pending_refusals) {
    end(CloseReason::kFlooded, {});
    return {};
  }
  if (streams >= config.max_inbound_streams) {
    answers_.push_back({id, FrameKind::kReset});
    return {};
  }
  const auto spoken = std::ranges::find_if(
      *wanted, [&](std::string_view protocol) { return protocols_->contains(protocol); });
  if (spoken == wanted->end()) {
    answers_.push_back({id, FrameKind::kRefuse});
  } else {
    accept(id, static_cast<std::size_t>(spoken - wanted->begin()), *spoken);
  }
  return {};
}

void MessageChannel::accept(StreamId id, std::size_t index, std::string_view protocol) {
  add_stream(id, true).accepted = static_cast<std::uint8_t>(index);
  events_.push(event::StreamOpened{id, Direction::kInbound, std::string{protocol}});
}

MessageChannel::Checked MessageChannel::on_stream_frame(MessageStream& stream, FrameKind kind,
                                                        base::BytesView payload) {
  const bool numbered = kind == FrameKind::kAccept || kind == FrameKind::kCredit;
  const auto number = numbered ? decode_number(payload) : 0;
  if (!number) return std::unexpected(number.error());
  const bool answer = kind == FrameKind::kAccept || kind == FrameKind::kRefuse;
  // A hostile remote may guess an id whose Open is not even sent.
  const bool awaited = stream.request != nullptr && stream.greeted;
  if (answer && !awaited) return std::unexpected(FrameError::kOutOfPlace);
  switch (kind) {
    case FrameKind::kAccept:
      on_accept(stream, *number);
      break;
    case FrameKind::kRefuse:
      close_stream(stream, StreamEnd::kProtocolRefused);
      break;
    case FrameKind::kFinish:
      on_finish(stream);
      break;
    case FrameKind::kReset:
      close_stream(stream, StreamEnd::kRemoteReset);
      break;
    case FrameKind::kCredit:
      return on_credit(stream, *number);
    default:
      return std::unexpected(FrameError::kOutOfPlace);
  }
  return {};
}

void MessageChannel::on_accept(MessageStream& stream, std::uint32_t index) {
  if (index >= stream.request->protocols.size()) return drop(stream, StreamEnd::kNegotiationFailed);
  events_.push(event::StreamOpened{stream.id, Direction::kOutbound,
                                   std::move(stream.request->protocols[index])});
  answered(stream);
  const bool room = stream.queue.size() <= shared_->config.send_queue_limit / 2;
  if (room && std::exchange(stream.write_refused, false)) {
    events_.push(event::StreamWritable{stream.id});
  }
  if (stream.has_output()) ready_.push(stream);
}

MessageChannel::Checked MessageChannel::on_credit(MessageStream& stream, std::uint32_t credit) {
  if (credit > UINT32_MAX - stream.send_window) {
    return std::unexpected(FrameError::kWindowOverflow);
  }
  stream.send_window += credit;
  if (stream.has_output()) ready_.push(stream);
  return {};
}

void MessageChannel::on_finish(MessageStream& stream) {
  // Nothing more comes, and nothing is agreed.
  if (stream.request != nullptr) return drop(stream, StreamEnd::kNegotiationFailed);
  if (std::exchange(stream.remote_finished, true)) return;
  stream.credit_due = false;  // it needs no more
  if (!stream.has_output()) ready_.remove(stream);
  events_.push(event::StreamFinished{stream.id});
  close_if_done(stream);
}

}  // namespace ggen::p2p::sim
