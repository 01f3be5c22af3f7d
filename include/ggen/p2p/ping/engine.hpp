#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <string_view>
#include <variant>

#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// The ping protocol (libp2p/specs ping/ping.md): 32 random bytes go out and must come back.
namespace ggen::p2p::ping {

inline constexpr std::string_view kProtocol = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPayloadSize = 32;

struct PingTag;
/// Names one ping of this engine until its PingDone, or until it is cancelled.
using PingId = base::Id<PingTag>;

struct Config {
  /// A ping fails this long after it was asked for, whatever it was waiting for. Also how long a
  /// stream may take to close once both payloads have passed.
  base::Duration timeout = std::chrono::seconds{10};
  /// Streams on which one peer may ping us at a time; the specification says two.
  std::size_t max_inbound_per_peer = 2;
  /// An inbound stream without progress is reset after this long. Some implementations ping every
  /// 15 seconds on the same stream.
  base::Duration inbound_idle = std::chrono::seconds{60};
  /// Bytes a peer may have sent on a stream whose echo is not yet under way. One payload at a time
  /// is usual; a peer that sends more than this without reading is dropped.
  std::size_t max_unechoed = 4096;
};

enum class PingError : std::uint8_t {
  kTimeout,
  kOpenFailed,    ///< no stream to the peer could be opened
  kUnsupported,   ///< the peer does not speak the protocol: it is alive all the same
  kWrongEcho,     ///< other bytes came back than were sent
  kStreamClosed,  ///< the stream or its connection ended before the echo was complete
};
[[nodiscard]] std::string_view to_string(PingError error) noexcept;

/// The time from sending the payload to receiving all of its echo, or why there is none.
using RoundTrip = std::expected<base::Duration, PingError>;

/// The end of a ping.
struct PingDone {
  PingId id;
  multiformats::PeerId peer;
  RoundTrip round_trip;
};

enum class DropReason : std::uint8_t {
  kTooManyStreams,  ///< above max_inbound_per_peer
  kIdle,            ///< above inbound_idle
  kFlooded,         ///< above max_unechoed
};
[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;

/// A stream on which the peer pinged us was reset, and why.
struct InboundDropped {
  connection::StreamRef stream;
  multiformats::PeerId peer;
  DropReason reason{};
};

using Output = std::variant<connection::StreamOutput, PingDone, InboundDropped>;

/// Answers pings and sends them. An engine (base::Engine); not thread-safe.
///
/// At most one outbound stream exists per peer: pings of one peer wait for each other, and those
/// asked for in time go over the same stream. When none is left the stream is finished, so that a
/// peer which allows a single inbound ping stream sees only one.
class Engine {
 public:
  /// `crypto` draws the payloads and outlives the engine.
  Engine(const Config& config, crypto::Crypto& crypto) : config_(config), crypto_(crypto) {}

  /// Pings `peer`, on `on` if given, else on the best connection. PingDone follows, unless the ping
  /// is cancelled.
  PingId ping(const multiformats::PeerId& peer, std::optional<connection::ConnectionId> on,
              base::Instant now);
  /// Forgets a ping: no PingDone follows. Does nothing on a dead id.
  void cancel(PingId id, base::Instant now);

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  struct Ping {
    multiformats::PeerId peer;
    std::optional<connection::ConnectionId> on;
  };
  // The pings of one peer, in the order asked for; the first is in flight unless the stream only
  // waits to be closed. Lives while it has a ping or a stream.
  struct Lane {
    std::deque<PingId> pings;
    std::optional<connection::OpenToken> token;
    std::optional<connection::StreamRef> stream;
    bool finished = false;  // our end of stream is sent: it only waits to be closed
    std::array<std::uint8_t, kPayloadSize> payload{};
    std::size_t echoed = 0;
    base::Instant sent;
  };
  struct Inbound {
    multiformats::PeerId peer;
    base::ByteQueue unechoed;
    std::size_t writing = 0;  // bytes of the Write that is not yet answered
    bool remote_finished = false;
  };

  void handle_input(const connection::stream_input::Opening& in, base::Instant now);
  void handle_input(const connection::stream_input::OpenFailed& in, base::Instant now);
  void handle_input(const connection::stream_input::Opened& in, base::Instant now);
  void handle_input(const connection::stream_input::Data& in, base::Instant now);
  void handle_input(const connection::stream_input::Written& in, base::Instant now);
  void handle_input(const connection::stream_input::Finished& in, base::Instant now);
  void handle_input(const connection::stream_input::Closed& in, base::Instant now);

  void advance(const multiformats::PeerId& peer, base::Instant now);
  void send_payload(Lane& lane, base::Instant now);
  void receive_echo(const multiformats::PeerId& peer, base::BytesView bytes, base::Instant now);
  void end(PingId id, std::optional<RoundTrip> report, base::Instant now);
  void abandon_stream(Lane& lane);
  void forget_stream(Lane& lane);

  void accept(const connection::stream_input::Opened& in, base::Instant now);
  void echo(connection::StreamRef stream, Inbound& inbound, base::Instant now);
  void drop_inbound(connection::StreamRef stream, DropReason reason);
  void forget_inbound(connection::StreamRef stream);

  Config config_;
  crypto::Crypto& crypto_;
  connection::OpenToken next_token_ = 1;
  base::SlotMap<Ping, PingTag> pings_;
  base::HashMap<multiformats::PeerId, Lane> lanes_;
  base::HashMap<connection::OpenToken, multiformats::PeerId> opening_;
  base::HashMap<connection::StreamRef, multiformats::PeerId> outbound_;
  base::HashMap<connection::StreamRef, Inbound> inbound_;
  base::HashMap<multiformats::PeerId, std::size_t> inbound_per_peer_;
  base::TimerHeap<PingId> ping_timers_;
  base::TimerHeap<connection::StreamRef> stream_timers_;
  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::ping
