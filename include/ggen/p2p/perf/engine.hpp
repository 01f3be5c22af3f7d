#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <variant>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// The perf protocol (libp2p/specs perf/perf.md): the client uploads as much as it likes, then the
/// server sends as many bytes as the client asked for.
namespace ggen::p2p::perf {

inline constexpr std::string_view kProtocol = "/perf/1.0.0";

struct PerfTag;
/// Names one measurement of this engine until its PerfDone, or until it is cancelled.
using PerfId = base::Id<PerfTag>;

struct Config {
  /// Bytes of one Write. All Writes share one block of zeros of this size.
  std::size_t write_size = 64 * 1024;
  /// Writes that may be unanswered on one stream: enough to keep the multiplexer busy, few enough
  /// that a remote that does not read costs nothing.
  std::size_t writes_ahead = 4;
  /// A stream on which nothing moves for this long is reset.
  base::Duration stall_timeout = std::chrono::seconds{30};
  /// Measurements that we serve at a time, for one peer and in all. A client may ask for up to 2^64
  /// bytes: it gets them at the pace at which it reads.
  std::size_t max_inbound_per_peer = 2;
  std::size_t max_inbound = 16;
};

enum class PerfError : std::uint8_t {
  kOpenFailed,    ///< no stream to the peer could be opened
  kUnsupported,   ///< the peer does not serve the protocol
  kStalled,       ///< nothing moved for the stall timeout
  kTooMuch,       ///< the peer sent more than was asked for
  kEndedEarly,    ///< the peer finished before it had sent, or read, everything
  kStreamClosed,  ///< the stream or its connection ended
};
[[nodiscard]] std::string_view to_string(PerfError error) noexcept;

struct Result {
  std::uint64_t uploaded = 0;    ///< bytes
  std::uint64_t downloaded = 0;  ///< bytes
  /// From the opening of the stream until the last byte of the upload was in the send queue.
  base::Duration upload_time{};
  /// From then until the server's end of stream. The server has received everything by then, so
  /// that the sum of the two is what the specification measures.
  base::Duration download_time{};
};

struct PerfDone {
  PerfId id;
  multiformats::PeerId peer;
  std::expected<Result, PerfError> result;
};

enum class DropReason : std::uint8_t {
  kTooManyStreams,  ///< above max_inbound_per_peer or max_inbound
  kStalled,         ///< above stall_timeout
  kNoRequest,       ///< the client finished before it had said how much it wants
};
[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;

/// A stream on which the peer measured us was reset, and why.
struct InboundDropped {
  connection::StreamRef stream;
  multiformats::PeerId peer;
  DropReason reason{};
};

using Output = std::variant<connection::StreamOutput, PerfDone, InboundDropped>;

/// Client and server. An engine (base::Engine); not thread-safe. The specification asks that nodes
/// do not serve this protocol unless told to: that choice is the owner's.
class Engine {
 public:
  explicit Engine(const Config& config) : config_(config) {}

  /// Uploads and then downloads that many bytes. PerfDone follows, unless it is cancelled.
  PerfId run(const multiformats::PeerId& peer, std::uint64_t upload, std::uint64_t download,
             base::Instant now);
  /// Stops a measurement: no PerfDone follows. Does nothing on a dead id.
  void cancel(PerfId id);

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  // What is still to be sent on one stream.
  struct Sender {
    std::uint64_t left = 0;
    std::size_t unanswered = 0;
  };
  struct Client {
    multiformats::PeerId peer;
    std::uint64_t upload = 0;
    std::uint64_t download = 0;
    connection::OpenToken token = 0;
    std::optional<connection::StreamRef> stream{};
    bool agreed = false;    // the server speaks the protocol
    bool finished = false;  // our end of stream is sent
    Sender sender{};
    std::uint64_t received = 0;
    base::Instant opened{};
    base::Instant uploaded{};
  };
  struct Server {
    multiformats::PeerId peer;
    std::uint64_t wanted = 0;
    std::size_t header_size = 0;  // bytes of the request seen
    bool finished = false;        // our end of stream is sent
    Sender sender{};
  };

  void handle_input(const connection::stream_input::Opening& in, base::Instant now);
  void handle_input(const connection::stream_input::OpenFailed& in, base::Instant now);
  void handle_input(const connection::stream_input::Opened& in, base::Instant now);
  void handle_input(const connection::stream_input::Data& in, base::Instant now);
  void handle_input(const connection::stream_input::Written& in, base::Instant now);
  void handle_input(const connection::stream_input::Finished& in, base::Instant now);
  void handle_input(const connection::stream_input::Closed& in, base::Instant now);

  void send(connection::StreamRef stream, Sender& sender);
  [[nodiscard]] const base::Buffer& zeros();

  void advance(PerfId id, Client& client, base::Instant now);
  void succeed(PerfId id, const Client& client, base::Instant now);
  void fail(PerfId id, PerfError error);
  void abandon(PerfId id);
  [[nodiscard]] Client* client_of(connection::StreamRef stream, PerfId& id);

  void accept(const connection::stream_input::Opened& in, base::Instant now);
  void receive_request(Server& server, base::BytesView bytes);
  void advance(connection::StreamRef stream, Server& server, base::Instant now);
  void drop(connection::StreamRef stream, DropReason reason);
  void forget(connection::StreamRef stream);

  Config config_;
  base::Buffer zeros_;
  connection::OpenToken next_token_ = 1;
  base::SlotMap<Client, PerfTag> clients_;
  base::HashMap<connection::OpenToken, PerfId> opening_;
  base::HashMap<connection::StreamRef, PerfId> client_streams_;
  base::HashMap<connection::StreamRef, Server> servers_;
  base::HashMap<multiformats::PeerId, std::size_t> servers_per_peer_;
  base::TimerHeap<PerfId> client_timers_;
  base::TimerHeap<connection::StreamRef> stream_timers_;  // of servers, and of what must close
  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::perf
