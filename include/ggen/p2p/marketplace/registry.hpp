#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/marketplace/config.hpp>
#include <ggen/p2p/marketplace/dht.hpp>
#include <ggen/p2p/marketplace/failure.hpp>
#include <ggen/p2p/marketplace/pubsub.hpp>
#include <ggen/p2p/marketplace/subscription.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/registry/reference.hpp>
#include <ggen/p2p/telemetry/span_tracker.hpp>

/// The package marketplace on a real machine: a node, its disk, and what people do with them.
namespace ggen::p2p::marketplace {

/// How far a long operation is. `total` is 0 while it is not known.
struct Progress {
  enum class Step : std::uint8_t { kPacking, kSearching, kFetching, kUnpacking };
  Step step{};
  std::uint64_t done = 0;   ///< bytes
  std::uint64_t total = 0;  ///< bytes
  std::size_t peers = 0;    ///< that chunks are fetched from
};
using ProgressHandler = std::function<void(const Progress&)>;

struct Published {
  multiformats::PeerId publisher;
  registry::EntryId entry;
  registry::Metadata metadata;
  registry::Archive archive;
  std::uint64_t files = 0;
  base::Duration took{};
};

struct Query {
  registry::SearchRequest request;
  /// How long peers are waited for; 0 asks nobody.
  base::Duration timeout = std::chrono::seconds{2};
};
struct Found {
  std::vector<registry::event::Hit> hits;  ///< best match first
  std::size_t asked = 0;                   ///< peers
  std::size_t answered = 0;
  bool timed_out = false;
};

struct Got {
  registry::Resolved release;
  registry::Metadata metadata;
  std::filesystem::path path;  ///< the directory that was made
  std::uint64_t files = 0;
  bool was_here = false;  ///< the archive needed not be fetched
  std::vector<registry::event::FetchSource> sources;
  base::Duration took{};
};

/// A node of the marketplace. Made by RegistryBuilder. Lives on the executor of the coroutine that
/// built it: call it there only. Destroying it closes everything at once, waiting for disk work
/// only, and ends what is under way with Reason::kStopped; stop() says goodbye first.
///
/// search(), get() and ask_dht() honour asio's cancellation (terminal): a search then gives what it
/// has; a fetch ends with Reason::kCancelled, and what it has brought so far stays in the store; so
/// does a query of the DHT.
class Registry {
 public:
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;
  ~Registry();

  /// Packs a directory with a `ggen.toml`, signs the release and announces it. When this returns,
  /// entry and archive are durable here, and on their way to the peers.
  [[nodiscard]] asio::awaitable<Result<Published>> publish(std::filesystem::path directory,
                                                           ProgressHandler progress = {});
  [[nodiscard]] asio::awaitable<Result<Found>> search(Query query);
  /// Finds the release that a reference means, asking peers when it is unknown here; fetches it
  /// from whoever holds it, verifying each chunk; unpacks it into `output`, which must not exist or
  /// be empty. Without `output`, it is only fetched.
  [[nodiscard]] asio::awaitable<Result<Got>> get(registry::Reference reference,
                                                 std::optional<std::filesystem::path> output,
                                                 ProgressHandler progress = {});
  /// How the query ended: its result is the one that `query` is said to give. Reason::kInput when
  /// it cannot be asked.
  [[nodiscard]] asio::awaitable<Result<dht::Answer>> ask_dht(dht::Query query);
  /// Joins a topic, whose every signed message is accepted and passed on. The marketplace's own,
  /// registry::kUpdatesTopic, can be read too: there the registry is who accepts. Reason::kInput
  /// when the topic cannot be joined.
  [[nodiscard]] Result<pubsub::Subscription> subscribe_to(const std::string& topic);
  /// Signs a message with the node's key and sends it. Reason::kInput when it cannot be sent, and
  /// for registry::kUpdatesTopic, where only entries may stand.
  [[nodiscard]] Result<pubsub::Published> publish_to(const std::string& topic,
                                                     base::BytesView data);
  [[nodiscard]] Subscription subscribe();
  [[nodiscard]] registry::Stats stats() const;

  [[nodiscard]] const multiformats::PeerId& id() const;
  [[nodiscard]] const multiformats::PeerId& publisher() const;
  /// Where others can reach this node, each with /p2p/<id>.
  [[nodiscard]] std::vector<multiformats::Multiaddr> addresses() const;
  /// Pins and petnames, and what names mean.
  [[nodiscard]] const registry::Catalog& catalog() const;
  [[nodiscard]] registry::PeerStanding standing(const multiformats::PeerId& peer) const;

  /// Places where the disk has damaged the journal. What stood there comes again from peers, if
  /// they have it.
  [[nodiscard]] std::size_t journal_damage() const;

  /// The node beneath: connections, pings, streams of other protocols.
  [[nodiscard]] host::Host& host();
  /// Says goodbye, waits for the disk, and ends what is under way with Reason::kStopped.
  [[nodiscard]] asio::awaitable<void> stop();

 private:
  friend class RegistryBuilder;
  class Impl;
  explicit Registry(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;  // shared with operations that are under way
};

/// Makes a Registry: `co_await RegistryBuilder().with_config(config).build()`.
class RegistryBuilder {
 public:
  RegistryBuilder& with_config(Config config);
  /// Sees everything that the node reports, for logs and metrics; must not call back.
  RegistryBuilder& with_observer(host::Host::Observer observer);
  /// Tells `spans`, which outlives the registry, of all that the node does. Who polls it may do so
  /// from the observer: it has seen by then what the observer sees.
  RegistryBuilder& with_spans(telemetry::SpanTracker& spans);
  /// Opens the home, reads the journal, listens and begins to look for peers. Keys that the home
  /// lacks are made. Once for each builder.
  [[nodiscard]] asio::awaitable<Result<Registry>> build();

 private:
  static asio::awaitable<Result<Registry>> build_with(Config config, host::Host::Observer observer,
                                                      telemetry::SpanTracker* spans);
  Config config_;
  host::Host::Observer observer_;
  telemetry::SpanTracker* spans_ = nullptr;
};

}  // namespace ggen::p2p::marketplace
