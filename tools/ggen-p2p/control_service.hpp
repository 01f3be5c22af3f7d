#pragma once

#include <functional>

#include <asio/awaitable.hpp>

#include "control_protocol.hpp"
#include "error.hpp"
#include "json.hpp"

namespace ggen::p2p::cli {

/// What a running node does for the command line. Called on the node's executor only.
///
/// A client that goes away, and a server that closes, cancel a call by Asio's cancellation, with
/// asio::cancellation_type::terminal: the operation that the coroutine waits for then ends with
/// asio::error::operation_aborted, and the coroutine leaves nothing half-done behind. What a
/// coroutine throws is told to the client as Exit::kFailed.
///
/// Results, which --json prints as they are:
///
///     publish  {"reference", "publisher", "name", "version", "entry", "root", "files", "bytes"}
///     search   {"results": [{"reference", "publisher", "name", "version", "description",
///              "category", "tags", "license", "bytes", "held", "pinned", "deprecated",
///              "providers": [peer id...]}...], "asked", "answered", "timed_out"}
///     get      {"reference", "publisher", "name", "version", "output", "bytes", "fetched",
///              "took_ms", "trusted", "deprecated", "sources": [{"peer", "chunks", "bytes",
///              "bad_chunks"}...]}
///     dht put        {"key", "stored", "failed"} and what each query has
///     dht provide    the same
///     dht get        {"key", "value", "same", "outdated", "invalid"}, likewise
///     dht closest    {"key", "peers": [{"peer_id", "addresses": [...]}...]}, likewise
///     dht find-peer  {"peer": {"peer_id", "addresses": [...]} or null, "reached"}, likewise
///     dht providers  {"key", "providers": [{"peer_id", "addresses": [...]}...]}, likewise
///     each query     {"found", "asked", "answered", "end", "took_ms"}, and when it is traced
///                    "hops": [{"peer_id", "asked", "shared_bits", "error", "closer",
///                    "providers", "value", "took_ms"}...]
///     dht table      {"buckets": [{"shared_bits", "peers": [{"peer_id", "address", "latency_ms",
///                    "seen_ms_ago", "failures"}...]}...], "peers", "mode"}
///     pubsub topics   {"topics": [{"topic", "subscribed", "peers", "mesh"}...]}
///     pubsub peers    {"topic" or null, "peers": [{"peer_id", "protocol", "agent", "score",
///                     "meshes", "in_mesh" with a topic}...]}
///     pubsub mesh     {"topics": [{"topic", "subscribed", "subscribers", "peers": [{"peer_id",
///                     "score", "in_mesh_ms"}...]}...]}
///     pubsub scores   {"thresholds": {"gossip", "publish", "graylist"}, "topic_cap", "peers":
///                     [{"peer_id", "score", "standing", "topic_points", "topics": [{"topic",
///                     "points", "in_mesh_ms" or null, P1 to P4}...], P5, P6, P7}...]}, the worst
///                     first; each term is {"counted", "points"}
///     pubsub publish  {"topic", "id", "peers"}
///     pubsub subscribe  {"topic", "messages"}
///     status   {"peer_id", "publisher_id", "addresses": [...], "peers", "packages", ...}
///     peers    {"peers": [{"peer_id", "address", "direction", "purpose", "agent",
///              "connected_ms", "success"}...], "history": [{"ms_ago", "what", "peer_id",
///              "address", "reason"}...]}
///     stop     {"peer_id"}
///
/// Progress has a "phase" ("pack", "find", "fetch", "unpack", ...) and, where they are known,
/// "bytes", "total", "providers" and "files". That of `pubsub subscribe` begins with {"topic",
/// "peers"} when the node is in the topic; then comes {"message": {"topic", "author", "source",
/// "id", "time_ms", "bytes", "text" or null, "data", "dropped"}} for each.
class Service {
 public:
  /// May be called at any time until the coroutine has ended; never blocks. When the client reads
  /// slowly, only the latest report is kept for it.
  using Report = std::function<void(Json)>;
  /// The same without loss: done when the client has taken what was sent before this, however long
  /// that is. At most one is under way.
  using Send = std::function<asio::awaitable<void>(Json)>;
  using Answer = asio::awaitable<Result<Json>>;

  virtual ~Service() = default;

  [[nodiscard]] virtual Answer publish(request::Publish request, Report report) = 0;
  [[nodiscard]] virtual Answer search(request::Search request, Report report) = 0;
  [[nodiscard]] virtual Answer get(request::Get request, Report report) = 0;
  [[nodiscard]] virtual Answer dht_query(request::DhtQuery request) = 0;
  [[nodiscard]] virtual Answer dht_table() = 0;
  [[nodiscard]] virtual Answer pubsub_look(request::PubsubLook request) = 0;
  [[nodiscard]] virtual Answer pubsub_subscribe(request::PubsubSubscribe request, Send send) = 0;
  [[nodiscard]] virtual Answer pubsub_publish(request::PubsubPublish request) = 0;
  [[nodiscard]] virtual Answer status() = 0;
  [[nodiscard]] virtual Answer peers() = 0;
  /// Begins to stop the node. Its socket stays open until the node has ended: see ControlServer.
  [[nodiscard]] virtual Answer stop() = 0;
};

}  // namespace ggen::p2p::cli
