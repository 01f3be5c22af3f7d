#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/reqresp/message.hpp>

/// Requests and responses of our own services, `/ggen/<service>/<version>`.
///
/// On the wire, each on a stream of its own: the client sends one frame (base/frame.hpp) with one
/// msgpack map and finishes. The server sends one or more responses and finishes: each is a frame
/// with one map; when the map holds the key `body` with a positive number n, n raw bytes follow the
/// frame. A server that will not answer resets the stream.
namespace ggen::p2p::reqresp {

/// The key by which a response announces the raw bytes behind it.
inline constexpr std::string_view kBodyKey = "body";

/// Names a service of one engine.
enum class ServiceId : std::uint32_t {};

/// A protocol and its limits. Both sides should register a service with the same sizes.
struct Service {
  std::string protocol;
  std::size_t max_request = 64 * 1024;       ///< bytes of a request's map
  std::size_t max_response = 256 * 1024;     ///< bytes of a response's map
  std::size_t max_responses = 16;            ///< responses to one request
  std::uint64_t max_body = 4 * 1024 * 1024;  ///< bytes behind one response
  MessageLimits message{};
  /// A request or response that does not move for this long is reset. As a server this bounds how
  /// long a request may take to arrive, the owner to answer, and the client to read.
  base::Duration stall_timeout = std::chrono::seconds{20};
  /// Requests that we serve at a time, for one peer and in all.
  std::size_t max_inbound_per_peer = 8;
  std::size_t max_inbound = 256;
};

enum class Error : std::uint8_t {
  kOpenFailed,        ///< no stream to the peer could be opened
  kUnsupported,       ///< the peer does not speak the service's protocol
  kTimeout,           ///< the time that the caller gave is over
  kStalled,           ///< nothing moved for the service's stall_timeout
  kReset,             ///< the remote reset the stream: it refused, gave up or cancelled
  kConnectionLost,    ///< the connection ended
  kMalformed,         ///< not a frame, or not a valid map
  kTooLarge,          ///< a map or a body above the service's limit
  kTooManyResponses,  ///< above max_responses
  kEndedEarly,        ///< the remote finished in the middle, or without any response
  kUnexpectedData,    ///< bytes behind the request
  kTooManyRequests,   ///< above max_inbound_per_peer or max_inbound
};
[[nodiscard]] std::string_view to_string(Error error) noexcept;

struct RequestTag;
/// Names a request of ours until its RequestDone, or until it is cancelled.
using RequestId = base::Id<RequestTag>;
struct ServedTag;
/// Names a request of a remote from its Request event until the owner's finish() or refuse(), or
/// until ServedLost.
using ServedId = base::Id<ServedTag>;

// Events of the client.

/// One response. When `body` is not 0, as many bytes follow in ResponseBody events.
struct Response {
  RequestId id;
  Message message;
  std::uint64_t body = 0;
};
/// The next bytes of the last Response's body. They stay charged to the stream's receive window
/// until the owner gives consume() for them.
struct ResponseBody {
  RequestId id;
  base::Buffer data;
};
/// The last event of a request. Success means that every response is complete.
struct RequestDone {
  RequestId id;
  multiformats::PeerId peer;
  std::expected<void, Error> result;
};

// Events of the server.

/// A remote asks.
struct Request {
  ServedId id;
  multiformats::PeerId peer;
  ServiceId service{};
  Message message;
};
/// Answers one write_body, in order: its bytes are in the stream's bounded send queue.
struct BodyWritten {
  ServedId id;
};
/// The stream ended before the owner's finish() or refuse(). The id is dead.
struct ServedLost {
  ServedId id;
  Error error{};
};
/// A stream was reset before a request came of it, and why.
struct InboundDropped {
  connection::StreamRef stream;
  multiformats::PeerId peer;
  ServiceId service{};
  Error error{};
};

using Output = std::variant<connection::StreamOutput, Response, ResponseBody, RequestDone, Request,
                            BodyWritten, ServedLost, InboundDropped>;

/// Client and server of all registered services. An engine (base::Engine); not thread-safe.
class Engine {
 public:
  /// Before any stream of its protocol. Protocols must differ.
  ServiceId add_service(Service service);
  [[nodiscard]] const Service& service(ServiceId id) const;

  // The client.

  /// Asks `peer`, connecting to it if need be. RequestDone follows within `timeout`, unless the
  /// request is cancelled; with kTooLarge at once when the map is above max_request.
  RequestId request(const multiformats::PeerId& peer, ServiceId service, const MapBuilder& message,
                    base::Duration timeout, base::Instant now);
  /// Says that `size` bytes of ResponseBody have been dealt with: the server may send as many more.
  /// Does nothing on a dead id.
  void consume(RequestId id, std::size_t size, base::Instant now);
  /// Forgets a request: no event about it follows. Does nothing on a dead id.
  void cancel(RequestId id);

  // The server. All do nothing on a dead id.

  /// Sends a response: its map and, when `body` is not 0, the announcement of as many bytes, which
  /// write_body then sends. The map must not hold kBodyKey; above max_response, the stream is reset
  /// and ServedLost follows. The former response must be complete.
  void respond(ServedId id, const MapBuilder& message, std::uint64_t body, base::Instant now);
  /// Sends the next bytes of the last response's body, at most what is missing. BodyWritten
  /// follows; an owner that sends much keeps few of them unanswered.
  void write_body(ServedId id, base::Buffer data, base::Instant now);
  /// No more responses. Everything announced must have been written, otherwise the stream is reset,
  /// so that nobody takes a part for the whole.
  void finish(ServedId id, base::Instant now);
  /// Resets the stream: the request is not answered, or no further.
  void refuse(ServedId id);

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  struct ServiceState {
    Service service;
    std::size_t inbound = 0;
    base::HashMap<multiformats::PeerId, std::size_t> inbound_per_peer{};
  };
  struct Client {
    multiformats::PeerId peer;
    ServiceId service{};
    connection::OpenToken token = 0;
    base::Buffer request;
    base::FrameDecoder decoder;
    std::optional<connection::StreamRef> stream{};
    std::size_t responses = 0;
    std::uint64_t body_left = 0;  // not yet received
    std::size_t charged = 0;      // received of bodies, not yet consumed by the owner
  };
  enum class Wrote : std::uint8_t { kResponse, kBody };
  struct Served {
    multiformats::PeerId peer;
    ServiceId service{};
    connection::StreamRef stream;
    base::FrameDecoder decoder;
    bool asked = false;              // the owner knows of it
    bool finished = false;           // the owner is done with it; the client still reads
    std::uint64_t body_left = 0;     // not yet written
    base::Fifo<Wrote> unanswered{};  // Writes
  };

  [[nodiscard]] ServiceState& state(ServiceId id);

  void handle_input(const connection::stream_input::Opening& in, base::Instant now);
  void handle_input(const connection::stream_input::OpenFailed& in, base::Instant now);
  void handle_input(const connection::stream_input::Opened& in, base::Instant now);
  void handle_input(connection::stream_input::Data& in, base::Instant now);
  void handle_input(const connection::stream_input::Written& in, base::Instant now);
  void handle_input(const connection::stream_input::Finished& in, base::Instant now);
  void handle_input(const connection::stream_input::Closed& in, base::Instant now);

  // The client (client.cpp).
  void progress(RequestId id, const Client& client, base::Instant now);
  void receive(RequestId id, base::Buffer data, base::Instant now);
  [[nodiscard]] std::expected<void, Error> receive_responses(RequestId id, Client& client,
                                                             base::Buffer data);
  [[nodiscard]] std::expected<void, Error> accept_response(RequestId id, Client& client,
                                                           base::Buffer frame);
  void receive_end(RequestId id, base::Instant now);
  void fail(RequestId id, Error error);
  void forget(RequestId id);

  // The server (server.cpp).
  void accept(const connection::stream_input::Opened& in, base::Instant now);
  void receive(ServedId id, base::Buffer data, base::Instant now);
  [[nodiscard]] std::expected<void, Error> receive_request(ServedId id, Served& served,
                                                           base::Buffer data);
  [[nodiscard]] Served* owned(ServedId id);
  void write(Served& served, base::Buffer data, Wrote what);
  void lose(ServedId id, Error error);
  void forget(ServedId id);

  std::vector<ServiceState> services_;
  connection::OpenToken next_token_ = 1;
  base::SlotMap<Client, RequestTag> clients_;
  base::HashMap<connection::OpenToken, RequestId> opening_;
  base::HashMap<connection::StreamRef, RequestId> client_streams_;
  base::SlotMap<Served, ServedTag> served_;
  base::HashMap<connection::StreamRef, ServedId> served_streams_;
  base::TimerHeap<RequestId> deadlines_;
  base::TimerHeap<RequestId> stalls_;
  base::TimerHeap<ServedId> served_timers_;
  base::TimerHeap<connection::StreamRef> closing_;  // streams of ours that only have to close
  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::reqresp
