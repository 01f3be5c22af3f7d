#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::yamux {

/// The limits of one session. Together they bound what a remote can make it hold:
///   received and not consumed: max_inbound_streams (and the streams opened by this side) x 256 KiB
///     plus max_window_growth; the bytes are with the owner, who got them as Data;
///   waiting to be sent: send_queue_limit for each stream, 4 bytes for each pong and refusal.
struct Config {
  /// Streams opened by the remote that exist at once; further ones are refused with RST.
  std::size_t max_inbound_streams = 512;
  /// Of those, streams that this side has not acknowledged yet; further ones are refused. The spec
  /// wants a remote to stop opening at 256.
  std::size_t max_unacknowledged_inbound = 256;
  /// Streams opened by this side that the remote has not acknowledged yet (spec, "ACK backlog").
  std::size_t max_ack_backlog = 256;

  /// Bytes that one stream's receive window may grow to; at least the initial 256 KiB, and below 2
  /// GiB. No DATA frame may be longer.
  std::uint32_t max_stream_window = 16 * 1024 * 1024;
  /// Bytes by which the windows of all streams together may exceed their initial size.
  std::size_t max_window_growth = 64 * 1024 * 1024;
  /// Bytes written to a stream and not transmitted yet.
  std::size_t send_queue_limit = 256 * 1024;

  /// Pings received and not answered yet. One more ends the session: the remote is not reading.
  std::size_t max_pending_pongs = 32;
  /// Refused streams whose RST is not transmitted yet. One more ends the session.
  std::size_t max_pending_refusals = 256;

  /// From a pong to the next ping. Pings keep the path open and measure the round trip, without
  /// which windows do not grow; the first is sent at once.
  base::Duration keep_alive_interval = std::chrono::seconds{30};
  /// How long the remote may give no sign of life after a ping became due: neither bytes, nor room
  /// for more of them in a transport that was full.
  base::Duration keep_alive_timeout = std::chrono::seconds{10};
};

}  // namespace ggen::p2p::yamux
