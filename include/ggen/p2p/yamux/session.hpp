#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/yamux/config.hpp>
#include <ggen/p2p/yamux/event.hpp>
#include <ggen/p2p/yamux/frame.hpp>
#include <ggen/p2p/yamux/types.hpp>

namespace ggen::p2p::yamux {

/// One connection multiplexed into streams: `/yamux/1.0.0` (libp2p/specs, yamux). An engine
/// (base::Engine): after every call that is not const, drain poll(), then note next_deadline() and
/// wants_transmit(). Not thread-safe.
///
/// Sending: frames are made when transmit() pulls them. Frames of the session and of flow control
/// go first, then streams that have just got something to send, then those with much to send, in
/// turn. So neither a ping nor a short message waits behind bulk.
///
/// Receiving: bytes are handed on as they come and stay charged to their stream's window until
/// consume() returns them. A window doubles while the remote uses it up within about two round
/// trips.
///
/// What is tolerated, because big implementations send it: frames for streams that are closed or
/// never were, SYN on data, credit on SYN, data and credit after FIN, repeated FIN, unknown flags,
/// pongs nobody asked for. What ends the session is listed in Error.
class Session {
 public:
  /// The first ping is due at once. `config` is copied.
  Session(Role role, const Config& config, base::Instant now);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Towards the secure channel.

  /// The next bytes of the remote, cut anywhere; the whole of one decrypted message is best.
  /// Ignored once the session has ended.
  void receive(base::Buffer bytes, base::Instant now);
  /// True while transmit() would write something.
  [[nodiscard]] bool wants_transmit() const noexcept;
  /// Writes as many whole frames to `out` as there are and fit; returns the bytes written. It
  /// writes something if wants_transmit() and `out` has kMinTransmit bytes or more. What is written
  /// is no longer held here, so call it only with what can be sent now.
  std::size_t transmit(base::MutableBytes out, base::Instant now);
  static constexpr std::size_t kMinTransmit = 64;

  // Streams. All but open() do nothing on a dead id.

  /// Opens a stream. The remote learns of it with its first bytes, or by the next transmit().
  [[nodiscard]] std::expected<StreamId, OpenError> open(base::Instant now);
  /// Queues bytes and returns how many were taken: fewer than given (also none) when the send queue
  /// is full, in which case Writable follows. Takes nothing on a finished stream.
  std::size_t write(StreamId stream, base::BytesView bytes);
  /// Bytes that write() would take now.
  [[nodiscard]] std::size_t writable(StreamId stream) const noexcept;
  /// No more writes; the remote sees the end after what is queued. Repeating it does nothing.
  void finish(StreamId stream);
  /// Drops the stream at once, both ways. StreamClosed follows.
  void reset(StreamId stream);
  /// Returns credit for `size` received bytes that the owner has dealt with: never more than it got
  /// as Data.
  void consume(StreamId stream, std::size_t size, base::Instant now);

  // The session.

  /// Says goodbye and ends the session: open streams and what they have queued are dropped.
  /// SessionClosed follows, and the GO_AWAY can still be transmitted.
  void go_away(GoAwayCode code);
  /// The round trip to the remote and back, from pings: follows the fastest of late, since a ping
  /// that waits behind bulk measures the bulk. None before the first pong.
  [[nodiscard]] std::optional<base::Duration> rtt() const noexcept;
  /// Streams that exist, reset ones whose RST is not transmitted yet included.
  [[nodiscard]] std::size_t stream_count() const noexcept;

  // As an engine.

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Event> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ggen::p2p::yamux
