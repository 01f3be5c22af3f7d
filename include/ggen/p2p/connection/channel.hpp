#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::connection {

/// Who opened a connection or a stream, seen from this side.
enum class Direction : std::uint8_t { kInbound, kOutbound };

/// Names a stream of one channel. Never used again during the channel's life; 0 names nothing.
struct StreamId {
  std::uint32_t value = 0;
  auto operator<=>(const StreamId&) const = default;
};

/// Why a channel ended.
enum class CloseReason : std::uint8_t {
  kLocal,          ///< closed by this side
  kRemoteClosed,   ///< the remote said goodbye (GO_AWAY, normal) or ended its byte stream between
                   ///< frames
  kTransportLost,  ///< the byte stream broke, or ended in the middle of a frame
  kHandshakeTimeout,   ///< not secured and multiplexed in time
  kNegotiationFailed,  ///< no security or multiplexer protocol in common
  kSecurityFailed,     ///< the Noise handshake failed: bad signature, malformed payload, failed
                       ///< decryption
  kWrongPeer,          ///< the remote proved another identity than the one dialled
  kProtocolViolation,  ///< the remote broke the multiplexer's rules
  kFlooded,            ///< the remote made us queue more control frames than the limit
  kKeepAliveTimeout,   ///< no answer to a keep-alive ping
};
[[nodiscard]] std::string_view to_string(CloseReason reason) noexcept;

/// How a stream ended.
enum class StreamEnd : std::uint8_t {
  kClosed,  ///< both sides finished
  kLocalReset,
  kRemoteReset,        ///< the remote reset it, or refused to accept it
  kProtocolRefused,    ///< the remote speaks none of the protocols asked for
  kNegotiationFailed,  ///< the remote broke multistream's rules or took too long
  kConnectionClosed,
};
[[nodiscard]] std::string_view to_string(StreamEnd end) noexcept;

enum class OpenError : std::uint8_t {
  kNotReady,        ///< not yet secured
  kClosing,         ///< the channel is going away
  kTooManyStreams,  ///< this side's limit of outbound streams, or the remote's backlog of
                    ///< unacknowledged ones, is full
};
[[nodiscard]] std::string_view to_string(OpenError error) noexcept;

namespace event {

/// The remote has proven its identity, and streams may be opened. Comes first, once.
struct Secured {
  multiformats::PeerId peer;
  crypto::PublicKey key;
};
/// Outbound: the remote agreed to `protocol`. Inbound: the remote opened a stream for `protocol`,
/// one of the supported.
struct StreamOpened {
  StreamId stream;
  Direction direction{};
  std::string protocol;
};
/// Bytes of the remote. They stay charged to the stream's window until consume() returns them.
struct StreamData {
  StreamId stream;
  base::Buffer data;
};
/// write() refused bytes before, and would take some now.
struct StreamWritable {
  StreamId stream;
};
/// The remote will send no more; this side may still write.
struct StreamFinished {
  StreamId stream;
};
/// The last event of a stream: the id is dead.
struct StreamClosed {
  StreamId stream;
  StreamEnd end{};
};
/// The last event of the channel; each open stream has got its StreamClosed before it. What is left
/// to transmit (a goodbye) may still be sent.
struct Closed {
  CloseReason reason{};
  /// What exactly went wrong in the layer that ended it, for logs; empty when the reason says it
  /// all. Static text.
  std::string_view detail;
};

}  // namespace event

using ChannelEvent =
    std::variant<event::Secured, event::StreamOpened, event::StreamData, event::StreamWritable,
                 event::StreamFinished, event::StreamClosed, event::Closed>;

/// One peer's connection, as the layers above know it. An engine (base::Engine): after every call
/// that is not const, drain poll(), then note next_deadline() and wants_transmit().
///
/// `connection` implements it with multistream, Noise and yamux over a byte stream; the simulator
/// also implements it by plain ordered delivery. Not thread-safe.
class Channel {
 public:
  virtual ~Channel() = default;

  // Towards the transport.

  /// Bytes from the transport, in order. The span may be used as scratch space and dies when the
  /// call returns.
  virtual void receive(base::MutableBytes bytes, base::Instant now) = 0;
  /// The transport's byte stream ended: cleanly (the remote closed it) or not.
  virtual void receive_end(bool clean, base::Instant now) = 0;
  /// True while transmit() would write something.
  [[nodiscard]] virtual bool wants_transmit() const = 0;
  /// Writes the next bytes for the transport to `out` and returns how many. Call it only with what
  /// the transport can take now: what is written here is no longer held by the channel. `out` of
  /// 128 KiB or more is used best; fewer than kMinTransmit bytes may yield nothing.
  virtual std::size_t transmit(base::MutableBytes out, base::Instant now) = 0;
  static constexpr std::size_t kMinTransmit = 1024;

  // Streams.

  /// Opens a stream for the first of `protocols` that the remote speaks. With exactly one,
  /// negotiation is lazy: bytes may be written at once and travel with the request. StreamOpened or
  /// StreamClosed follows.
  virtual std::expected<StreamId, OpenError> open(std::span<const std::string> protocols,
                                                  base::Instant now) = 0;
  /// Queues bytes and returns how many were taken: fewer than given (also none) when the stream's
  /// send queue is full, in which case StreamWritable follows. Takes nothing on a dead, reset or
  /// finished stream.
  virtual std::size_t write(StreamId stream, base::BytesView bytes, base::Instant now) = 0;
  /// No more writes; the remote sees the end after what is queued. Repeating it does nothing.
  virtual void finish(StreamId stream, base::Instant now) = 0;
  /// Drops the stream at once, both ways. StreamClosed follows. Does nothing on a dead id.
  virtual void reset(StreamId stream, base::Instant now) = 0;
  /// Returns credit for `size` received bytes that the owner has dealt with.
  virtual void consume(StreamId stream, std::size_t size, base::Instant now) = 0;
  /// Ends the channel in good order: streams are reset, the goodbye can still be transmitted.
  /// Closed follows.
  virtual void close(base::Instant now) = 0;

  // As an engine.

  virtual void handle_timeout(base::Instant now) = 0;
  [[nodiscard]] virtual std::optional<ChannelEvent> poll() = 0;
  [[nodiscard]] virtual std::optional<base::Instant> next_deadline() const = 0;
};

}  // namespace ggen::p2p::connection

template <>
struct std::hash<ggen::p2p::connection::StreamId> {
  std::size_t operator()(ggen::p2p::connection::StreamId id) const noexcept {
    return std::hash<std::uint32_t>{}(id.value);
  }
};
