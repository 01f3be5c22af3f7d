#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/connection/secure_channel.hpp>

namespace ggen::p2p::connection {
namespace {

// Less room than this in the transport's span is not worth a Noise frame of its own.
constexpr std::size_t kMinPlaintext = 512;
static_assert(kMinPlaintext + noise::kOverhead <= Channel::kMinTransmit);
static_assert(kMinPlaintext >= yamux::Session::kMinTransmit);

CloseReason reason_of(noise::Error error) {
  switch (error) {
    case noise::Error::kWrongPeer:
      return CloseReason::kWrongPeer;
    case noise::Error::kNoCommonMuxer:
      return CloseReason::kNegotiationFailed;
    default:
      return CloseReason::kSecurityFailed;
  }
}

CloseReason reason_of(yamux::Error error) {
  switch (error) {
    case yamux::Error::kLocalGoAway:
      return CloseReason::kLocal;
    case yamux::Error::kRemoteGoAway:
      return CloseReason::kRemoteClosed;
    case yamux::Error::kFlooded:
      return CloseReason::kFlooded;
    case yamux::Error::kKeepAliveTimeout:
      return CloseReason::kKeepAliveTimeout;
    default:
      return CloseReason::kProtocolViolation;
  }
}

StreamEnd end_of(yamux::StreamEnd end) {
  switch (end) {
    case yamux::StreamEnd::kClosed:
      return StreamEnd::kClosed;
    case yamux::StreamEnd::kLocalReset:
      return StreamEnd::kLocalReset;
    case yamux::StreamEnd::kRemoteReset:
      return StreamEnd::kRemoteReset;
    case yamux::StreamEnd::kSession:
      return StreamEnd::kConnectionClosed;
  }
  return StreamEnd::kConnectionClosed;
}

// The only security protocol and the only multiplexer, as multistream wants them.
const std::array<std::string, 1> kNoise{std::string{kNoiseProtocol}};
const std::array<std::string, 1> kYamux{std::string{kYamuxProtocol}};

using Negotiation = std::variant<multistream::Dialer, multistream::Listener>;

std::unique_ptr<Negotiation> negotiation_of(Direction direction,
                                            std::span<const std::string> protocols) {
  return direction == Direction::kOutbound
             ? std::make_unique<Negotiation>(multistream::Dialer{protocols})
             : std::make_unique<Negotiation>(multistream::Listener{});
}

std::expected<std::size_t, multistream::Error> receive(Negotiation& negotiation,
                                                       base::BytesView bytes,
                                                       std::span<const std::string> supported) {
  return std::visit(
      base::Overloaded{
          [&](multistream::Dialer& dialer) { return dialer.receive(bytes); },
          [&](multistream::Listener& listener) { return listener.receive(bytes, supported); },
      },
      negotiation);
}

std::optional<std::string_view> negotiated(const Negotiation& negotiation) {
  return std::visit([](const auto& n) { return n.negotiated(); }, negotiation);
}

base::BytesView pending(const Negotiation& negotiation) {
  return std::visit([](const auto& n) { return n.pending(); }, negotiation);
}

void sent(Negotiation& negotiation, std::size_t size) {
  std::visit([&](auto& n) { n.sent(size); }, negotiation);
}

// Moves what a negotiation has to say into `out`.
std::size_t transmit_pending(Negotiation& negotiation, base::MutableBytes out) {
  const base::BytesView bytes = pending(negotiation);
  const std::size_t size = std::min(bytes.size(), out.size());
  std::ranges::copy(bytes.first(size), out.begin());
  sent(negotiation, size);
  return size;
}

StreamId ours(yamux::StreamId id) {
  return {id.value};
}
yamux::StreamId theirs(StreamId id) {
  return {id.value};
}

}  // namespace

SecureChannel::SecureChannel(const Shared& shared, Direction direction,
                             std::optional<multiformats::PeerId> expected_peer,
                             const ProtocolSet& protocols, base::Instant now)
    : shared_(&shared),
      protocols_(&protocols),
      direction_(direction),
      handshake_deadline_(now + shared.config.handshake_timeout),
      negotiation_(negotiation_of(direction, kNoise)) {
  noise::HandshakeConfig config;
  config.expected_peer = std::move(expected_peer);
  // The dialler's first Noise message travels right behind its only proposal.
  handshake_ = std::make_unique<noise::Handshake>(
      direction == Direction::kOutbound ? noise::Role::kInitiator : noise::Role::kResponder,
      shared.static_key, shared.crypto, std::move(config));
}

// ---- Setting up ----

void SecureChannel::receive(base::MutableBytes bytes, base::Instant now) {
  base::BytesView input{bytes};
  bool going = true;
  while (going && !input.empty() && phase_ != Phase::kClosed) {
    switch (phase_) {
      case Phase::kSecurity:
        going = negotiate_security(input);
        break;
      case Phase::kHandshake:
        going = shake_hands(input, now);
        break;
      case Phase::kMuxer:
      case Phase::kOpen:
        going = open_message(input, now);
        break;
      case Phase::kClosed:
        break;
    }
  }
}

bool SecureChannel::negotiate_security(base::BytesView& bytes) {
  const auto taken = connection::receive(*negotiation_, bytes, kNoise);
  if (!taken) {
    end(CloseReason::kNegotiationFailed, to_string(taken.error()), yamux::GoAwayCode::kNormal);
    return false;
  }
  bytes = bytes.subspan(*taken);
  const bool agreed = negotiated(*negotiation_).has_value();
  if (agreed) phase_ = Phase::kHandshake;
  return agreed;
}

bool SecureChannel::shake_hands(base::BytesView& bytes, base::Instant now) {
  auto session = handshake_->receive(bytes);
  if (!session) {
    end(reason_of(session.error()), to_string(session.error()), yamux::GoAwayCode::kNormal);
    return false;
  }
  if (!*session) return !bytes.empty();
  noise::Session& secured = **session;
  remote_key_ = std::move(secured.remote_key);
  remote_peer_ = secured.remote_peer;
  sender_ = std::make_unique<noise::Sender>(std::move(secured.sender));
  receiver_ = std::make_unique<noise::Receiver>(std::move(secured.receiver));
  if (secured.muxer) {
    start_session(now);
  } else {
    phase_ = Phase::kMuxer;
    muxer_negotiation_ = negotiation_of(direction_, kYamux);
  }
  drain_session(now);
  return true;
}

bool SecureChannel::open_message(base::BytesView& bytes, base::Instant now) {
  auto message = receiver_->next(bytes);
  if (!message) {
    end(CloseReason::kSecurityFailed, to_string(message.error()),
        yamux::GoAwayCode::kProtocolError);
    return false;
  }
  if (!*message) return false;
  base::Buffer plaintext = std::move(**message);
  if (phase_ == Phase::kMuxer && !negotiate_muxer(plaintext, now)) return phase_ == Phase::kMuxer;
  if (!plaintext.empty()) session_->receive(std::move(plaintext), now);
  drain_session(now);
  return true;
}

// True once the multiplexer is agreed on; what is then left of the plaintext is for its session.
bool SecureChannel::negotiate_muxer(base::Buffer& plaintext, base::Instant now) {
  const auto taken = connection::receive(*muxer_negotiation_, plaintext.view(), kYamux);
  if (!taken) {
    end(CloseReason::kNegotiationFailed, to_string(taken.error()), yamux::GoAwayCode::kNormal);
    return false;
  }
  plaintext.remove_prefix(*taken);
  const bool agreed = negotiated(*muxer_negotiation_).has_value();
  if (agreed) start_session(now);
  return agreed;
}

void SecureChannel::start_session(base::Instant now) {
  phase_ = Phase::kOpen;
  session_.emplace(direction_ == Direction::kOutbound ? yamux::Role::kClient : yamux::Role::kServer,
                   shared_->config.yamux, now);
  events_.push(event::Secured{*remote_peer_, std::move(*remote_key_)});
  remote_key_.reset();
}

void SecureChannel::receive_end(bool clean, base::Instant) {
  const bool cut = !clean || phase_ != Phase::kOpen || receiver_->inside_frame();
  end(cut ? CloseReason::kTransportLost : CloseReason::kRemoteClosed, {},
      yamux::GoAwayCode::kNormal);
}

// ---- Transmitting ----

bool SecureChannel::wants_transmit() const {
  const auto negotiating = [](const std::unique_ptr<Negotiation>& negotiation) {
    return negotiation != nullptr && !pending(*negotiation).empty();
  };
  return negotiating(negotiation_) || (handshake_ != nullptr && handshake_->wants_transmit()) ||
         negotiating(muxer_negotiation_) || (session_ && session_->wants_transmit());
}

std::size_t SecureChannel::transmit(base::MutableBytes out, base::Instant now) {
  std::size_t size = transmit_setup(out);
  while (negotiation_ == nullptr && handshake_ == nullptr && sender_ != nullptr) {
    const base::MutableBytes frame = out.subspan(size);
    if (frame.size() < kMinPlaintext + noise::kOverhead) break;
    const std::size_t room = std::min(frame.size() - noise::kOverhead, noise::kBestPlaintext);
    const std::size_t plaintext = fill_plaintext(frame.subspan(noise::kLengthSize, room), now);
    if (plaintext == 0) break;
    const auto sealed = sender_->seal(frame, plaintext);
    if (!sealed) {
      end(CloseReason::kSecurityFailed, to_string(sealed.error()), yamux::GoAwayCode::kNormal);
      break;
    }
    size += *sealed;
  }
  drain_session(now);
  return size;
}

// What goes out in the clear: the negotiation of Noise, then its handshake.
std::size_t SecureChannel::transmit_setup(base::MutableBytes out) {
  std::size_t size = 0;
  if (negotiation_ != nullptr) {
    size = transmit_pending(*negotiation_, out);
    if (!pending(*negotiation_).empty()) return size;
    if (phase_ != Phase::kSecurity) negotiation_.reset();
  }
  if (handshake_ != nullptr && size < out.size()) {
    size += handshake_->transmit(out.subspan(size));
    if (sender_ != nullptr && !handshake_->wants_transmit()) handshake_.reset();
  }
  return size;
}

std::size_t SecureChannel::fill_plaintext(base::MutableBytes out, base::Instant now) {
  std::size_t size = 0;
  if (muxer_negotiation_ != nullptr) {
    size = transmit_pending(*muxer_negotiation_, out);
    if (phase_ == Phase::kMuxer || !pending(*muxer_negotiation_).empty()) return size;
    muxer_negotiation_.reset();
  }
  if (session_) size += session_->transmit(out.subspan(size), now);
  return size;
}

// ---- Streams, as the owner sees them ----

std::expected<StreamId, OpenError> SecureChannel::open(std::span<const std::string> protocols,
                                                       base::Instant now) {
  GGEN_INVARIANT(!protocols.empty());
  if (phase_ == Phase::kClosed) return std::unexpected(OpenError::kClosing);
  if (phase_ != Phase::kOpen) return std::unexpected(OpenError::kNotReady);
  if (outbound_streams_ >= shared_->config.max_outbound_streams) {
    return std::unexpected(OpenError::kTooManyStreams);
  }
  const auto opened = session_->open(now);
  if (!opened) {
    return std::unexpected(opened.error() == yamux::OpenError::kSessionClosed
                               ? OpenError::kClosing
                               : OpenError::kTooManyStreams);
  }
  const StreamId id = ours(*opened);
  Stream& stream = streams_[id];
  ++outbound_streams_;
  stream.direction = Direction::kOutbound;
  stream.lazy = protocols.size() == 1;
  stream.negotiation = negotiation_of(Direction::kOutbound, protocols);
  send_negotiation(id, *stream.negotiation);
  negotiation_deadlines_.set(id, now + shared_->config.stream_negotiation_timeout);
  return id;
}

std::size_t SecureChannel::write(StreamId id, base::BytesView bytes, base::Instant) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr || stream->finish_wanted) return 0;
  if (stream->negotiation != nullptr && !stream->lazy) {
    stream->write_refused = true;
    return 0;
  }
  return session_->write(theirs(id), bytes);
}

void SecureChannel::finish(StreamId id, base::Instant) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  stream->finish_wanted = true;
  // Some remotes lose the end of a stream that arrives together with the negotiation: it waits for
  // their reply.
  if (stream->negotiation == nullptr) session_->finish(theirs(id));
}

void SecureChannel::reset(StreamId id, base::Instant now) {
  if (!streams_.contains(id)) return;
  session_->reset(theirs(id));
  drain_session(now);
}

void SecureChannel::consume(StreamId id, std::size_t size, base::Instant now) {
  if (streams_.contains(id)) session_->consume(theirs(id), size, now);
}

void SecureChannel::close(base::Instant) {
  end(CloseReason::kLocal, {}, yamux::GoAwayCode::kNormal);
}

// ---- Streams, as the session tells of them ----

void SecureChannel::drain_session(base::Instant now) {
  if (!session_) return;
  while (auto event = session_->poll()) on_session_event(*event, now);
}

void SecureChannel::on_session_event(yamux::Event& event, base::Instant now) {
  std::visit(
      base::Overloaded{
          [&](yamux::event::StreamOpened& e) { on_stream_opened(e.stream, now); },
          [&](yamux::event::Data& e) { on_stream_data(ours(e.stream), std::move(e.data), now); },
          [&](yamux::event::Writable& e) {
            const StreamId id = ours(e.stream);
            if (streams_.contains(id)) events_.push(event::StreamWritable{id});
          },
          [&](yamux::event::Finished& e) { on_stream_finished(ours(e.stream)); },
          [&](yamux::event::StreamClosed& e) { close_stream(ours(e.stream), end_of(e.end)); },
          [&](yamux::event::SessionClosed& e) {
            if (phase_ == Phase::kClosed) return;  // end() has said so already
            phase_ = Phase::kClosed;
            const CloseReason reason = reason_of(e.error);
            const bool plain = reason == CloseReason::kLocal ||
                               (reason == CloseReason::kRemoteClosed && e.remote_code == 0);
            events_.push(
                event::Closed{reason, plain ? std::string_view{} : yamux::to_string(e.error)});
          },
      },
      event);
}

void SecureChannel::on_stream_opened(yamux::StreamId id, base::Instant now) {
  Stream& stream = streams_[ours(id)];
  stream.direction = Direction::kInbound;
  stream.negotiation = negotiation_of(Direction::kInbound, {});
  negotiation_deadlines_.set(ours(id), now + shared_->config.stream_negotiation_timeout);
}

void SecureChannel::on_stream_data(StreamId id, base::Buffer data, base::Instant now) {
  Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  if (stream->refused) {
    session_->consume(theirs(id), data.size(), now);
    return;
  }
  if (stream->negotiation != nullptr) {
    negotiate_stream(id, *stream, data, now);
    if (!streams_.contains(id)) return;
  }
  if (!data.empty()) events_.push(event::StreamData{id, std::move(data)});
}

// Takes the negotiation's bytes off the front of `data`.
void SecureChannel::negotiate_stream(StreamId id, Stream& stream, base::Buffer& data,
                                     base::Instant now) {
  const auto taken = connection::receive(*stream.negotiation, data.view(), protocols_->all());
  if (!taken && taken.error() == multistream::Error::kRefused &&
      stream.direction == Direction::kInbound) {
    // The `na` must still arrive: the stream stays, deaf, until the remote ends it or the time is
    // up.
    send_negotiation(id, *stream.negotiation);
    session_->finish(theirs(id));
    session_->consume(theirs(id), data.size(), now);
    stream.refused = true;
    data = base::Buffer{};
    return;
  }
  if (!taken) {
    give_up_stream(id, taken.error() == multistream::Error::kRefused
                           ? StreamEnd::kProtocolRefused
                           : StreamEnd::kNegotiationFailed);
    return;
  }
  session_->consume(theirs(id), *taken, now);
  data.remove_prefix(*taken);
  send_negotiation(id, *stream.negotiation);
  const auto protocol = negotiated(*stream.negotiation);
  if (!protocol) return;
  events_.push(event::StreamOpened{id, stream.direction, std::string{*protocol}});
  stream.negotiation.reset();
  negotiation_deadlines_.set(id, std::nullopt);
  if (std::exchange(stream.write_refused, false)) events_.push(event::StreamWritable{id});
  if (stream.finish_wanted) session_->finish(theirs(id));
}

// The few bytes of a negotiation always fit the send queue of a stream that carries nothing else
// yet.
void SecureChannel::send_negotiation(StreamId id, Negotiation& negotiation) {
  const base::BytesView bytes = pending(negotiation);
  if (!bytes.empty()) sent(negotiation, session_->write(theirs(id), bytes));
}

void SecureChannel::on_stream_finished(StreamId id) {
  const Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  if (stream->negotiation == nullptr) {
    events_.push(event::StreamFinished{id});
  } else if (!stream->refused) {
    give_up_stream(id, StreamEnd::kNegotiationFailed);  // nothing more comes, and nothing is agreed
  }
}

void SecureChannel::give_up_stream(StreamId id, StreamEnd end) {
  close_stream(id, end);
  session_->reset(theirs(id));
}

void SecureChannel::close_stream(StreamId id, StreamEnd end) {
  const Stream* stream = streams_.find(id);
  if (stream == nullptr) return;
  // The owner has not heard of an inbound stream whose protocol was never agreed on.
  const bool known = stream->direction == Direction::kOutbound || stream->negotiation == nullptr;
  if (stream->direction == Direction::kOutbound) --outbound_streams_;
  negotiation_deadlines_.set(id, std::nullopt);
  streams_.erase(id);
  if (known) events_.push(event::StreamClosed{id, end});
}

// ---- The end ----

void SecureChannel::end(CloseReason reason, std::string_view detail, yamux::GoAwayCode code) {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (session_) {
    session_->go_away(code);
    while (auto event = session_->poll()) {
      if (const auto* closed = std::get_if<yamux::event::StreamClosed>(&*event)) {
        close_stream(ours(closed->stream), StreamEnd::kConnectionClosed);
      }
    }
  }
  events_.push(event::Closed{reason, detail});
}

// ---- As an engine ----

void SecureChannel::handle_timeout(base::Instant now) {
  if (phase_ == Phase::kClosed) return;
  if (phase_ != Phase::kOpen) {
    if (handshake_deadline_ <= now) {
      end(CloseReason::kHandshakeTimeout, {}, yamux::GoAwayCode::kNormal);
    }
    return;
  }
  while (const auto id = negotiation_deadlines_.pop_due(now)) {
    give_up_stream(*id, StreamEnd::kNegotiationFailed);
  }
  session_->handle_timeout(now);
  drain_session(now);
}

std::optional<ChannelEvent> SecureChannel::poll() {
  return events_.pop();
}

std::optional<base::Instant> SecureChannel::next_deadline() const {
  if (phase_ == Phase::kClosed) return std::nullopt;
  if (phase_ != Phase::kOpen) return handshake_deadline_;
  return base::earlier(session_->next_deadline(), negotiation_deadlines_.earliest());
}

}  // namespace ggen::p2p::connection
