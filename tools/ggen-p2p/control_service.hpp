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
///     status   {"peer_id", "publisher_id", "addresses": [...], "peers", "packages", ...}
///     peers    {"peers": [{"peer_id", "address", "direction", "purpose", "agent",
///              "connected_ms", "success"}...], "history": [{"ms_ago", "what", "peer_id",
///              "address", "reason"}...]}
///     stop     {"peer_id"}
///
/// Progress has a "phase" ("pack", "find", "fetch", "unpack", ...) and, where they are known,
/// "bytes", "total", "providers" and "files".
class Service {
 public:
  /// May be called at any time until the coroutine has ended; never blocks. When the client reads
  /// slowly, only the latest report is kept for it.
  using Report = std::function<void(Json)>;
  using Answer = asio::awaitable<Result<Json>>;

  virtual ~Service() = default;

  [[nodiscard]] virtual Answer publish(request::Publish request, Report report) = 0;
  [[nodiscard]] virtual Answer search(request::Search request, Report report) = 0;
  [[nodiscard]] virtual Answer get(request::Get request, Report report) = 0;
  [[nodiscard]] virtual Answer dht_query(request::DhtQuery request) = 0;
  [[nodiscard]] virtual Answer dht_table() = 0;
  [[nodiscard]] virtual Answer status() = 0;
  [[nodiscard]] virtual Answer peers() = 0;
  /// Begins to stop the node. Its socket stays open until the node has ended: see ControlServer.
  [[nodiscard]] virtual Answer stop() = 0;
};

}  // namespace ggen::p2p::cli
