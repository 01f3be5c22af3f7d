#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/identify/message.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// Identify and identify/push (libp2p/specs identify/README.md): peers tell each other who they
/// are, where they listen and what they speak.
namespace ggen::p2p::identify {

inline constexpr std::string_view kProtocol = "/ipfs/id/1.0.0";
inline constexpr std::string_view kPushProtocol = "/ipfs/id/push/1.0.0";

struct Config {
  /// A stream of either protocol is over by then, or is reset.
  base::Duration timeout = std::chrono::seconds{10};
  /// What is sent in one message. rust-libp2p refuses messages above 4 KiB, go-libp2p and
  /// js-libp2p above 8 KiB; what does not fit goes into further messages, which js-libp2p does not
  /// read.
  std::size_t max_sent_message = 4096;
  /// go-libp2p reads this many messages of one identify.
  std::size_t max_sent_messages = 10;
  /// Bytes of all messages of one identify or push together.
  std::size_t max_received = 64 * 1024;
  Limits limits{};
  /// Streams of one connection on which we answer, or are told, at a time.
  std::size_t max_inbound_per_connection = 4;
  /// Pushes that a connection may send at once; after that, one every push_interval.
  std::size_t push_burst = 4;
  /// The least time between two rounds of our own pushes, and see push_burst.
  base::Duration push_interval = std::chrono::seconds{5};
  /// Our pushes that may be under way at a time; the other connections wait for their turn.
  std::size_t max_pushes_at_once = 32;
};

enum class Error : std::uint8_t {
  kTimeout,
  kOpenFailed,      ///< no stream could be opened
  kUnsupported,     ///< the peer does not speak the protocol
  kStreamClosed,    ///< the stream or its connection ended in the middle
  kTooLarge,        ///< above max_received
  kMalformed,       ///< not an Identify message, or none at all
  kBadKey,          ///< the public key is invalid, or is not the one the peer has proven
  kTooManyStreams,  ///< above max_inbound_per_connection
  kTooManyPushes,   ///< above push_burst and push_interval
};
[[nodiscard]] std::string_view to_string(Error error) noexcept;

/// The peer's answer to our question, which each connection is asked once.
struct Identified {
  connection::ConnectionId connection;
  multiformats::PeerId peer;
  Info info;
};
/// There is no such answer.
struct IdentifyFailed {
  connection::ConnectionId connection;
  multiformats::PeerId peer;
  Error error{};
};
/// The peer told us of a change. Fields that are absent or empty have not changed; lists that are
/// present replace the former ones.
struct Pushed {
  connection::ConnectionId connection;
  multiformats::PeerId peer;
  Info info;
};
/// A stream on which the peer asked or told us was reset, and why.
struct InboundDropped {
  connection::ConnectionId connection;
  multiformats::PeerId peer;
  Error error{};
};

using Output =
    std::variant<connection::StreamOutput, Identified, IdentifyFailed, Pushed, InboundDropped>;

/// An engine (base::Engine); not thread-safe. The owner announces each connection before it hands
/// on any of its streams, and keeps what it learns: this engine remembers no Info but its own.
class Engine {
 public:
  /// `local` is what we say about ourselves. It must hold the public key; observed_addr is filled
  /// in for each connection.
  Engine(const Config& config, Info local);

  /// Replaces what we say about ourselves. When it differs from before, the connected peers that
  /// speak push are told, at most once every push_interval.
  void set_local(Info local, base::Instant now);

  /// A new connection: the peer is asked at once. Identified, IdentifyFailed or disconnected()
  /// follows. `remote_address` is what we see the peer as (without /p2p).
  void connected(connection::ConnectionId connection, const multiformats::PeerId& peer,
                 const multiformats::Multiaddr& remote_address, base::Instant now);
  /// The connection is gone: nothing more is said about it. Its streams may get their Closed before
  /// or after.
  void disconnected(connection::ConnectionId connection, base::Instant now);

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;
};

}  // namespace ggen::p2p::identify
