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
  MessageLimits message;
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
  /// request is cancelled. The map must fit the service's max_request.
  RequestId request(const multiformats::PeerId& peer, ServiceId service, const MapBuilder& message,
                    base::Duration timeout, base::Instant now);
  /// Says that `size` bytes of ResponseBody have been dealt with: the server may send as many more.
  void consume(RequestId id, std::size_t size, base::Instant now);
  /// Forgets a request: no event about it follows. Does nothing on a dead id.
  void cancel(RequestId id);

  // The server. All do nothing on a dead id.

  /// Sends a response: its map and, when `body` is not 0, the announcement of as many bytes, which
  /// write_body then sends. The map must not hold kBodyKey. The former response must be complete.
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
};

}  // namespace ggen::p2p::reqresp
