#include "message_channel.hpp"

#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/multistream/negotiation.hpp>

namespace ggen::p2p::sim {

using connection::CloseReason;
using connection::Direction;
using connection::OpenError;
using connection::StreamEnd;
using connection::StreamId;
namespace event = connection::event;

MessageChannel::MessageChannel(const Shared& shared, Direction direction,
                               std::optional<multiformats::PeerId> expected_peer,
                               const connection::ProtocolSet& protocols, base::Instant now)
    : shared_(&shared),
      protocols_(&protocols),
      setup_(
          std::make_unique<Setup>(std::move(expected_peer), now + shared.config.handshake_timeout)),
      next_id_(direction == Direction::kOutbound ? 1 : 2),
      direction_(direction),
      knock_due_(direction == Direction::kOutbound) {}

void MessageChannel::receive_end(bool clean, base::Instant) {
  const bool cut = !clean || phase_ != Phase::kOpen || !partial_.empty() || body_left_ > 0;
  end(cut ? CloseReason::kTransportLost : CloseReason::kRemoteClosed, {});
}

// ---- Streams, as the owner sees them ----

std::expected<StreamId, OpenError> MessageChannel::open(std::span<const std::string> protocols,
                                                        base::Instant now) {
  GGEN_INVARIANT(!protocols.empty() && protocols.size() <= kMaxProtocols);
  GGEN_INVARIANT(std::ranges::all_of(protocols, multistream::valid_protocol));
  if (phase_ == Phase::kClosed) return std::unexpected(OpenError::kClosing);
  if (phase_ != Phase::kOpen) return std::unexpected(OpenError::kNotReady);
  if (outbound_streams_ >= shared_->config.max_outbound_streams || next_id_ > UINT32_MAX) {
    return std::unexpected(OpenError::kTooManyStreams);
  }
  const StreamId id{static_cast<std::uint32_t>(next_id_)};
  next_id_ += 2;
  MessageStream& stream = add_stream(id, false);
  stream.request =
      std::make_unique<Request>(std::vector<std::string>{protocols.begin(), protocols.end()},
                                now + shared_->config.stream_negotiation_timeout);
  ++requests_;
  return id;
}

std::size_t MessageChannel::write(StreamId id, base::BytesView bytes, base::Instant) {
  MessageStream* stream = find(id);
  if (stream == nullptr || stream->finishing) return 0;
  const bool early = stream->request != nullptr && !stream->request->lazy();
  const std::size_t room = early ? 0 : shared_->config.send_queue_limit - stream->queue.size();
  const std::size_t size = std::min(bytes.size(), room);
  if (size > 0) stream->queue.push(bytes.first(size));
  if (size < bytes.size()) stream->write_refused = true;
  if (stream->has_output()) ready_.push(*stream);
  return size;
}

void MessageChannel::finish(StreamId id, base::Instant) {
  MessageStream* stream = find(id);
  if (stream == nullptr) return;
  stream->finishing = true;
  stream->write_refused = false;
  if (stream->has_output()) ready_.push(*stream);
}

void MessageChannel::reset(StreamId id, base::Instant) {
  if (MessageStream* stream = find(id)) drop(*stream, StreamEnd::kLocalReset);
}

void MessageChannel::consume(StreamId id, std::size_t size, base::Instant) {
  MessageStream* stream = find(id);
  if (stream == nullptr) return;
  GGEN_INVARIANT(size <= stream->charged);
  stream->charged -= static_cast<std::uint32_t>(size);
  // Half a window at a time: crumbs of credit would cost a frame each.
  if (stream->remote_finished || stream->owed() < kStreamWindow / 2) return;
  stream->credit_due = true;
  ready_.push(*stream);
}

void MessageChannel::close(base::Instant) {
  end(CloseReason::kLocal, {});
}

// ---- The table of streams ----

bool MessageChannel::opened_by_remote(StreamId id) const noexcept {
  return (id.value % 2 == 1) == (direction_ == Direction::kInbound);
}

MessageStream* MessageChannel::find(StreamId id) noexcept {
  const auto at = std::ranges::lower_bound(streams_, id, {}, [](const auto& s) { return s->id; });
  return at != streams_.end() && (*at)->id == id ? at->get() : nullptr;
}

MessageStream& MessageChannel::add_stream(StreamId id, bool inbound) {
  const auto at = std::ranges::lower_bound(streams_, id, {}, [](const auto& s) { return s->id; });
  MessageStream& stream = **streams_.insert(at, std::make_unique<MessageStream>());
  stream.id = id;
  stream.inbound = inbound;
  ++(inbound ? inbound_streams_ : outbound_streams_);
  ready_.push(stream);
  return stream;
}

// All requests have the same time limit and ids only grow: the first is the first to be late.
MessageStream* MessageChannel::oldest_request() const noexcept {
  if (requests_ == 0) return nullptr;
  const auto at =
      std::ranges::find_if(streams_, [](const auto& s) { return s->request != nullptr; });
  return at->get();
}

void MessageChannel::answered(MessageStream& stream) noexcept {
  if (stream.request == nullptr) return;
  stream.request.reset();
  --requests_;
}

void MessageChannel::drop(MessageStream& stream, StreamEnd end) {
  if (stream.inbound || stream.greeted) answers_.push_back({stream.id, FrameKind::kReset});
  close_stream(stream, end);
}

void MessageChannel::close_if_done(MessageStream& stream) {
  if (stream.remote_finished && stream.finish_sent) close_stream(stream, StreamEnd::kClosed);
}

void MessageChannel::close_stream(MessageStream& stream, StreamEnd end) {
  events_.push(event::StreamClosed{stream.id, end});
  answered(stream);
  --(stream.inbound ? inbound_streams_ : outbound_streams_);
  ready_.remove(stream);
  const auto at =
      std::ranges::lower_bound(streams_, stream.id, {}, [](const auto& s) { return s->id; });
  streams_.erase(at);
  if (streams_.capacity() > 16 && streams_.size() < streams_.capacity() / 4) {
    streams_.shrink_to_fit();
  }
}

// ---- The end ----

void MessageChannel::end(CloseReason reason, std::string_view detail) {
  if (phase_ == Phase::kClosed) return;
  const bool listens =
      reason != CloseReason::kRemoteClosed && reason != CloseReason::kTransportLost;
  goodbye_due_ = phase_ == Phase::kOpen && listens;
  // Without an identity of the remote it is not told the own one, nor why.
  if (phase_ == Phase::kHandshake) knock_due_ = hello_due_ = false;
  phase_ = Phase::kClosed;
  setup_.reset();
  for (const auto& stream : streams_) {
    events_.push(event::StreamClosed{stream->id, StreamEnd::kConnectionClosed});
  }
  ready_ = {};
  std::vector<std::unique_ptr<MessageStream>>{}.swap(streams_);
  std::vector<Answer>{}.swap(answers_);
  base::Bytes{}.swap(partial_);
  body_left_ = 0;
  requests_ = inbound_streams_ = outbound_streams_ = 0;
  events_.push(event::Closed{reason, detail});
}

// ---- As an engine ----

void MessageChannel::handle_timeout(base::Instant now) {
  if (phase_ == Phase::kHandshake && setup_->deadline <= now) {
    return end(CloseReason::kHandshakeTimeout, {});
  }
  for (MessageStream* stream = oldest_request();
       stream != nullptr && stream->request->deadline <= now; stream = oldest_request()) {
    drop(*stream, StreamEnd::kNegotiationFailed);
  }
}

std::optional<base::Instant> MessageChannel::next_deadline() const {
  if (phase_ == Phase::kHandshake) return setup_->deadline;
  const MessageStream* stream = oldest_request();
  if (stream == nullptr) return std::nullopt;
  return stream->request->deadline;
}

// ---- Making them ----

namespace {

class MessageChannels final : public node::ChannelFactory {
 public:
  MessageChannels(MessageChannelConfig config, const crypto::KeyPair& identity)
      : shared_{config, identity.public_key().encode()} {}

  std::unique_ptr<connection::Channel> make(connection::ConnectionId, Direction direction,
                                            std::optional<multiformats::PeerId> expected_peer,
                                            const connection::ProtocolSet& protocols,
                                            base::Instant now) override {
    return std::make_unique<MessageChannel>(shared_, direction, std::move(expected_peer), protocols,
                                            now);
  }

 private:
  MessageChannel::Shared shared_;
};

}  // namespace

std::unique_ptr<node::ChannelFactory> make_message_channels(MessageChannelConfig config,
                                                            const crypto::KeyPair& identity) {
  return std::make_unique<MessageChannels>(config, identity);
}

}  // namespace ggen::p2p::sim
