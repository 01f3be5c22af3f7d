#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>

#include "error.hpp"
#include "json.hpp"

/// What travels over the control socket: frames (base::encode_frame) of one JSON object each. A
/// connection carries one request, `{"command": ..., arguments}`, then any number of
/// `{"progress": {...}}`, then one `{"ok": {...}}` or `{"error": {"code", "exit", "message",
/// "hint"}}`. A client that goes away cancels what it asked for.
namespace ggen::p2p::cli {

/// Bytes of a message to publish; what gossipsub adds to it must fit a frame of so many, too.
inline constexpr std::size_t kMaxMessage = 1024 * 1024;
/// Bytes of the frames. A request may hold a message in hexadecimal digits.
inline constexpr std::size_t kMaxRequestFrame = 2 * kMaxMessage + 64 * 1024;
inline constexpr std::size_t kMaxResponseFrame = 16 * 1024 * 1024;
/// Bytes of one text in a request: a path, a reference, a word.
inline constexpr std::size_t kMaxRequestText = 4096;

namespace request {

struct Publish {
  std::string directory;  ///< absolute
  bool operator==(const Publish&) const = default;
};
struct Search {
  std::vector<std::string> words{};
  std::string category{};  ///< empty: any
  std::string tag{};       ///< empty: any
  std::uint64_t limit = 20;
  base::Duration timeout = std::chrono::seconds{5};  ///< of asking peers; 0: this node's index only
  bool operator==(const Search&) const = default;
};
struct Get {
  std::string reference;  ///< see registry::Reference
  std::string output;     ///< the folder to make; absolute
  bool operator==(const Get&) const = default;
};
/// A question to the DHT, or something to put there.
struct DhtQuery {
  enum class Kind : std::uint8_t { kPut, kGet, kClosest, kFindPeer, kProviders, kProvide };
  Kind kind{};
  base::Bytes key;      ///< of kFindPeer: a peer id
  base::Bytes value{};  ///< of kPut
  bool trace = false;   ///< tell each request that was made
  bool operator==(const DhtQuery&) const = default;
};
struct DhtTable {
  bool operator==(const DhtTable&) const = default;
};
/// What this node knows of pubsub: its topics, or those who take part in one or all of them.
struct PubsubLook {
  enum class Kind : std::uint8_t { kTopics, kPeers, kMesh, kScores };
  Kind kind{};
  std::string about{};  ///< a topic, of kScores a peer id; empty: all
  bool operator==(const PubsubLook&) const = default;
};
struct PubsubSubscribe {
  std::string topic;
  std::uint64_t count = 0;  ///< messages after which it is done; 0: never
  bool operator==(const PubsubSubscribe&) const = default;
};
struct PubsubPublish {
  std::string topic;
  base::Bytes data{};
  bool operator==(const PubsubPublish&) const = default;
};
struct Status {
  bool operator==(const Status&) const = default;
};
struct Peers {
  bool operator==(const Peers&) const = default;
};
struct Stop {
  bool operator==(const Stop&) const = default;
};

}  // namespace request

using Request =
    std::variant<request::Publish, request::Search, request::Get, request::DhtQuery,
                 request::DhtTable, request::PubsubLook, request::PubsubSubscribe,
                 request::PubsubPublish, request::Status, request::Peers, request::Stop>;

/// The command that a request carries out, as it is typed.
[[nodiscard]] std::string_view command_of(const Request& request);

/// Whole frames, to be written to the socket.
[[nodiscard]] base::Buffer encode(const Request& request);
[[nodiscard]] base::Buffer encode_progress(const Json& progress);
[[nodiscard]] base::Buffer encode_ok(const Json& result);
[[nodiscard]] base::Buffer encode_error(const Error& error);

/// The payload of a frame. The error is one sentence.
[[nodiscard]] std::expected<Request, std::string> decode_request(base::BytesView payload);

struct Progress {
  Json state;
};
/// A progress report, or the last word.
using Response = std::variant<Progress, Result<Json>>;
[[nodiscard]] std::expected<Response, std::string> decode_response(base::BytesView payload);

/// `{"code", "exit", "message", "hint"}`: also what --json prints under "error".
[[nodiscard]] Json error_to_json(const Error& error);

}  // namespace ggen::p2p::cli
