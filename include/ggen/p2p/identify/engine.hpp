#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
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
  void disconnected(connection::ConnectionId connection);

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  struct ExchangeTag;
  using ExchangeId = base::Id<ExchangeTag>;

  enum class Role : std::uint8_t {
    kAsking,     // our question
    kPushing,    // our push
    kAnswering,  // their question
    kListening,  // their push
  };
  // One stream, from the request for it to its end.
  struct Exchange {
    connection::ConnectionId connection;
    Role role{};
    base::FrameDecoder decoder;
    connection::OpenToken token = 0;
    std::optional<connection::StreamRef> stream{};
    Info info{};  // as received so far
    std::size_t received = 0;
    bool spoken = false;  // a message was received
    bool done = false;    // what was received is learnt

    [[nodiscard]] bool reading() const noexcept {
      return !done && (role == Role::kAsking || role == Role::kListening);
    }
  };
  struct Connection {
    multiformats::PeerId peer;
    multiformats::Multiaddr remote_address;
    std::uint64_t told = 0;  // the version of local_ that the peer may be taken to know
    bool takes_pushes = false;
    bool push_queued = false;
    std::size_t inbound = 0;
    base::Instant pushes_due{};  // by when the pushes so far are due, at one every push_interval
  };

  void handle_input(const connection::stream_input::Opening& in, base::Instant now);
  void handle_input(const connection::stream_input::OpenFailed& in, base::Instant now);
  void handle_input(const connection::stream_input::Opened& in, base::Instant now);
  void handle_input(connection::stream_input::Data& in, base::Instant now);
  void handle_input(const connection::stream_input::Finished& in, base::Instant now);
  void handle_input(const connection::stream_input::Closed& in, base::Instant now);

  // Pushes (engine.cpp).
  void start_round(base::Instant now);
  void queue_push(connection::ConnectionId connection);
  void start_pushes(base::Instant now);

  // Streams (exchange.cpp).
  void open(connection::ConnectionId connection, Role role, base::Instant now);
  void accept(const connection::stream_input::Opened& in, base::Instant now);
  [[nodiscard]] std::optional<Error> refusal(Connection& connection, Role role, base::Instant now);
  void send_info(const Exchange& exchange);
  [[nodiscard]] std::optional<Error> receive(Exchange& exchange, base::Buffer data);
  void end_in_time(ExchangeId id, base::Instant now);
  [[nodiscard]] std::optional<Error> conclude(ExchangeId id, Error incomplete, base::Instant now);
  void fail(ExchangeId id, Error error, base::Instant now);
  void drop(ExchangeId id, base::Instant now);

  Config config_;
  Info local_;
  std::uint64_t version_ = 0;  // of local_
  base::HashMap<connection::ConnectionId, Connection> connections_;

  base::SlotMap<Exchange, ExchangeTag> exchanges_;
  base::HashMap<connection::OpenToken, ExchangeId> opening_;
  base::HashMap<connection::StreamRef, ExchangeId> streams_;
  base::TimerHeap<ExchangeId> timers_;
  connection::OpenToken next_token_ = 1;

  std::optional<base::Instant> round_due_;
  std::optional<base::Instant> last_round_;
  base::Fifo<connection::ConnectionId> to_push_;
  std::size_t pushing_ = 0;

  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::identify
