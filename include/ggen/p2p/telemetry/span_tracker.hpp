#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/node/node.hpp>
#include <ggen/p2p/telemetry/span.hpp>
#include <ggen/p2p/telemetry/span_recorder.hpp>

namespace ggen::p2p::telemetry {

/// Turns what one node reports, and what its driver asks of it, into spans. docs/telemetry.md lists
/// them with their attributes.
///
/// The driver shows it every output of the node in order, tells it of each operation within the
/// call that starts it (before the outputs of that call are drained), and polls finished spans. A
/// span begins a trace of its own, unless a parent is given or named here:
///
/// - `p2p.peer.connect` is a part of `p2p.network.init` while that is open;
/// - `p2p.peer.verify_connection` is a part of the `p2p.peer.connect` that it follows;
/// - `p2p.dht.put` of an archive is a part of the `p2p.package.publish` that announced it, and goes
///   on after it.
///
/// Not thread-safe. Never affects the node.
class SpanTracker {
 public:
  /// The same generator gives the same ids: a child of the node's. `wall_at_zero` is the calendar
  /// time at Instant{}.
  SpanTracker(base::Prng prng, base::WallTime wall_at_zero, const SpanLimits& limits = {});

  void observe(const node::Output& output, base::Instant now);

  /// The node begins to look for peers (Node::join()): `p2p.network.init` lasts until the first
  /// peer is verified. It fails when every bootstrap address has failed, and another begins with
  /// the next dial.
  void joined(const multiformats::PeerId& self, std::size_t bootstrap_addresses, base::Instant now);

  // Operations: each gives the context for what is a part of it; nothing when its span was left
  // out because too many are open.

  Parent publish_started(registry::OperationId id, const multiformats::PeerId& publisher,
                         const registry::Metadata& metadata, const registry::Archive& archive,
                         base::Instant now, Parent parent = {});
  Parent search_started(registry::OperationId id, const registry::SearchRequest& request,
                        base::Instant now, Parent parent = {});
  Parent fetch_started(registry::OperationId id, const registry::Archive& archive,
                       base::Instant now, Parent parent = {});

  /// A reference is looked up in the catalog, perhaps after asking peers.
  Parent resolve_started(const registry::Reference& reference, base::Instant now,
                         Parent parent = {});
  void resolve_done(const Parent& resolve,
                    const std::expected<registry::Resolved, registry::ResolveError>& result,
                    base::Instant now);

  /// put_value() or provide().
  Parent dht_put_started(kad::QueryId id, base::BytesView key, base::Instant now,
                         Parent parent = {});
  Parent dht_get_started(kad::QueryId id, base::BytesView key, base::Instant now,
                         Parent parent = {});
  Parent dht_closest_started(kad::QueryId id, base::BytesView key, base::Instant now,
                             Parent parent = {});
  Parent find_providers_started(kad::QueryId id, base::BytesView key, base::Instant now,
                                Parent parent = {});
  Parent find_peer_started(kad::QueryId id, const multiformats::PeerId& peer, base::Instant now,
                           Parent parent = {});
  /// kad::Engine::cancel(): no event follows.
  void query_cancelled(kad::QueryId id, base::Instant now);

  /// The node is gone, or stopped: what is open ends with an error, and nothing begins any more.
  void stop(base::Instant now);

  [[nodiscard]] std::optional<Span> poll() { return spans_.poll(); }
  [[nodiscard]] std::size_t open() const noexcept { return spans_.open(); }
  /// Spans left out for want of room, since the start.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return spans_.dropped(); }

 private:
  struct Fetch {
    SpanId span;
    std::uint64_t chunks = 0;
    std::uint64_t held = 0;  // as last reported
  };
  struct Joining {
    multiformats::PeerId self;
    std::size_t addresses = 0;
    Parent span{};
    std::set<std::string> failed{};  // of the addresses, since the span began
  };

  void on(const swarm::output::Dial& dial, base::Instant now);
  void on(const swarm::output::CancelDial& cancel, base::Instant now);
  void on(const node::output::Dialed& dialed, base::Instant now);
  void on(const swarm::event::ConnectionOpened& opened, base::Instant now);
  void on(const swarm::event::ConnectionClosed& closed, base::Instant now);
  void on(const node::output::BootstrapFailed& failed, base::Instant now);
  void on(const identify::Identified& identified, base::Instant now);
  void on(const identify::IdentifyFailed& failed, base::Instant now);
  void on(const registry::event::EntryAdded& added, base::Instant now);
  void on(const registry::event::PublishDone& done, base::Instant now);
  void on(const registry::event::Provided& provided, base::Instant now);
  void on(const registry::event::SearchDone& done, base::Instant now);
  void on(const registry::event::FetchProgress& progress, base::Instant now);
  void on(const registry::event::FetchDone& done, base::Instant now);
  void on(const kad::QueryHop& hop, base::Instant now);
  void on(const kad::QueryDone& done, base::Instant now);

  void begin_joining(base::Instant now);
  [[nodiscard]] Parent joining() const { return joining_ ? joining_->span : Parent{}; }
  Parent begin_connect(const multiformats::Multiaddr& address, connection::Direction direction,
                       base::Instant started);
  Parent connect_of(const swarm::ConnectionRecord& record);
  void end_connect(const SpanContext& connect, std::string_view outcome, bool failed,
                   base::Instant now);
  Parent begin_query(kad::QueryId id, std::string name, Attribute what, base::Instant now,
                     Parent parent);

  SpanRecorder spans_;
  std::size_t max_publishes_;
  bool stopped_ = false;
  bool verified_ = false;  // a peer, ever
  std::optional<Joining> joining_;
  // What is open, by what will end it. None of these outgrows the limit of open spans.
  base::HashMap<swarm::AttemptId, SpanContext> dialling_;
  base::HashMap<connection::ConnectionId, SpanContext> connecting_;
  base::HashMap<connection::ConnectionId, SpanContext> verifying_;
  base::HashMap<registry::OperationId, SpanContext> operations_;  // publishes and searches
  base::HashMap<registry::OperationId, Fetch> fetches_;
  base::HashMap<kad::QueryId, SpanContext> queries_;
  // Publishes whose archives the DHT has not taken yet, oldest first.
  std::deque<std::pair<crypto::Sha256Digest, SpanContext>> unprovided_;
};

}  // namespace ggen::p2p::telemetry
