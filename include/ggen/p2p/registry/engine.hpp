#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/kad/engine.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/catalog.hpp>
#include <ggen/p2p/registry/metadata.hpp>
#include <ggen/p2p/registry/search.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/reqresp/engine.hpp>

/// The marketplace: keeps the logs of publishers, spreads and catches up with them, searches, and
/// moves archives.
namespace ggen::p2p::registry {

/// The topic on which new entries travel: a message's data is an entry's envelope.
inline constexpr std::string_view kUpdatesTopic = "ggen-marketplace/updates";

/// The id of a message on kUpdatesTopic: that of the entry in it; for data that is none, the
/// SHA-256 of it. Set it in gossipsub's configuration for the topic.
[[nodiscard]] gossipsub::MessageId update_message_id(const gossipsub::MessageFields& fields);

struct FetchConfig {
  /// Peers that are asked for chunks of one archive at a time.
  std::size_t max_providers = 8;
  /// Chunk requests to one peer at a time.
  std::size_t requests_per_peer = 2;
  /// A request that has not brought a chunk for so long is given to another peer.
  base::Duration chunk_timeout = std::chrono::seconds{20};
  /// A fetch that nobody could bring forward for so long has failed.
  base::Duration give_up_after = std::chrono::seconds{60};
  /// Fetches at a time; more wait for their turn.
  std::size_t max_active = 4;
  std::size_t max_waiting = 64;
  /// Bytes of chunks read from disk that wait to be sent, for all peers.
  std::size_t max_serving_bytes = 32 * 1024 * 1024;
};

struct SyncConfig {
  /// A peer that is connected is asked for its heads again so often, one peer at a time.
  base::Duration interval = std::chrono::minutes{2};
  base::Duration request_timeout = std::chrono::seconds{20};
  /// Peers that are asked at a time.
  std::size_t max_active = 4;
  /// Heads that one peer may tell in one round, all pages together.
  std::size_t max_heads = 64 * 1024;
};

struct SearchConfig {
  std::size_t max_peers = 16;  ///< asked by one search
  std::size_t max_active = 32;
  base::Duration max_timeout = std::chrono::seconds{60};
};

struct ReputationConfig {
  /// After so long, what a peer did counts half.
  base::Duration half_life = std::chrono::minutes{30};
  std::size_t max_peers = 4096;
};

struct Config {
  CatalogLimits catalog;
  FetchConfig fetch;
  SyncConfig sync;
  SearchConfig search;
  ReputationConfig reputation;
  /// Before a publisher's key signs for the first time after a start, peers are asked for its log,
  /// so that no entry is signed twice at one sequence number. Without any peer in this time, there
  /// is nobody to ask.
  base::Duration own_head_wait = std::chrono::seconds{3};
};

/// Who signs what this node publishes: a key, and the digest of the keys that will follow it.
struct Signer {
  crypto::KeyPair key;
  crypto::Sha256Digest next{};
};

/// Why nothing was published.
enum class PublishError : std::uint8_t {
  kNoSigner,       ///< this node has no publisher's key
  kNotLoaded,      ///< the journal is still being read
  kInvalid,        ///< a field beyond its limits, or an entry above kMaxEntry: `detail` says which
  kVersionExists,  ///< a name and version is final
  kNoRelease,      ///< a word about a release or package that there is not
  kNoArchive,      ///< the archive is not in the store as a whole
  kFrozen,         ///< the publisher's log has a fork
  kForeignKeys,    ///< the publisher's log has other keys than the signer's
  kFull,           ///< the log is at its limits
  kBusy,           ///< too many wait for their turn
  kStorage,        ///< the journal could not be written: `detail` says why
};
[[nodiscard]] std::string_view to_string(PublishError error) noexcept;

enum class FetchError : std::uint8_t {
  kNoProviders,  ///< nobody who holds the archive was found
  kUnavailable,  ///< those who hold it could not be reached, or did not send it
  kStorage,      ///< the disk failed or is full
  kBusy,         ///< too many wait for their turn
  kCancelled,
};
[[nodiscard]] std::string_view to_string(FetchError error) noexcept;

/// Names a publish, a search or a fetch until its last event.
using OperationId = std::uint64_t;

namespace event {

/// The journal has been read: publish, search and fetch are possible from here on.
struct Loaded {
  std::size_t entries = 0;
  std::size_t damaged = 0;  ///< records that are no entries any more
};
/// An entry is new here, and in its log: from a peer, or our own.
struct EntryAdded {
  Entry entry;
  /// Who brought it; nothing for our own.
  std::optional<multiformats::PeerId> from{};
};
/// A publisher signed two histories: nothing of it is installed until it chose.
struct ForkFound {
  multiformats::PeerId publisher;
  std::uint64_t seq = 0;
};
/// A peer sent what it should not have: for logs.
struct PeerMisbehaved {
  multiformats::PeerId peer;
  std::string_view what;
};
/// The store failed: what was to be kept is not. For logs.
struct StorageFailed {
  StoreError error;
};
/// The one answer to publish() and its kin.
struct PublishDone {
  struct Failure {
    PublishError error{};
    std::string detail{};
  };
  OperationId id = 0;
  /// The entry's; it is durable and on its way.
  std::expected<EntryId, Failure> result;
};

/// A release that a search found.
struct Hit {
  multiformats::PeerId publisher;
  Release release;
  Metadata metadata;
  std::string deprecated{};
  bool pinned = false;
  bool held = false;                              ///< the whole archive is here
  std::vector<multiformats::PeerId> providers{};  ///< peers that said they hold it
};
/// What the own index knows: at once.
struct SearchLocal {
  OperationId id = 0;
  std::vector<Hit> hits;
};
/// The last event of a search: everything found, best match first.
struct SearchDone {
  OperationId id = 0;
  std::vector<Hit> hits;
  std::size_t asked = 0;
  std::size_t answered = 0;
  bool timed_out = false;  ///< somebody who was asked did not answer in time
};

/// The DHT has been told that an archive is here, or nobody took it: then it is tried again when
/// the network has changed.
struct Provided {
  crypto::Sha256Digest root{};
  base::Bytes key{};  ///< of the archive in the DHT
  kad::result::Placed placed{};
  base::Duration took{};
};

/// How far a fetch is. Not more often than chunks come.
struct FetchProgress {
  OperationId id = 0;
  std::uint64_t chunks = 0;
  std::uint64_t chunks_held = 0;
  std::uint64_t bytes = 0;  ///< fetched by this operation
  std::size_t providers = 0;
};
/// Which peer gave how much.
struct FetchSource {
  multiformats::PeerId peer;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bad_chunks = 0;
};
/// The one answer to fetch(). With success the archive is in the store, whole and verified.
struct FetchDone {
  OperationId id = 0;
  std::expected<void, FetchError> result;
  std::vector<FetchSource> sources{};
  base::Duration took{};
};

}  // namespace event

using Output =
    std::variant<Store, event::Loaded, event::EntryAdded, event::ForkFound, event::PeerMisbehaved,
                 event::StorageFailed, event::PublishDone, event::SearchLocal, event::SearchDone,
                 event::Provided, event::FetchProgress, event::FetchDone>;

/// What a node's marketplace holds and has done.
struct Stats {
  std::size_t publishers = 0;
  std::size_t packages = 0;
  std::size_t releases = 0;
  std::size_t entries = 0;
  std::size_t archives = 0;  ///< held whole
  std::size_t partial_archives = 0;
  std::uint64_t archive_bytes = 0;  ///< held
  std::uint64_t fetched_bytes = 0;  ///< since the start
  std::uint64_t served_bytes = 0;   ///< since the start
};

/// How a peer has done lately: 0.5 for one of whom nothing is known.
struct PeerStanding {
  double success = 0.5;      ///< 0 to 1, decaying
  base::Duration latency{};  ///< a moving average; 0 when unknown
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
};

/// An engine (base::Engine); not thread-safe. It stands on other engines of the same node, which
/// outlive it, and calls them directly: provider records go to kad, new entries to gossipsub,
/// requests and answers to reqresp. The owner brings it what these report about it.
class Engine {
 public:
  struct Below {
    kad::Engine& kad;
    gossipsub::Engine& gossip;
    reqresp::Engine& requests;
    crypto::Crypto& crypto;
  };

  /// Registers its services with reqresp: the owner then announces protocols(). `wall_at_zero` is
  /// the calendar time at Instant{}. Without a signer nothing can be published.
  Engine(Config config, Below below, std::optional<Signer> signer, multiformats::PeerId local,
         base::Prng prng, base::WallTime wall_at_zero);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// `/ggen/sync/1.0.0` and the others that it serves.
  [[nodiscard]] static std::span<const std::string_view> protocols();

  /// Joins the topic, and begins to read the journal: Loaded follows. Nothing else is asked before.
  void start(base::Instant now);

  // What the owner knows.

  /// Identify has told, or told again, what a connected peer speaks.
  void peer_supports(const multiformats::PeerId& peer, std::span<const std::string> protocols,
                     base::Instant now);
  void peer_gone(const multiformats::PeerId& peer, base::Instant now);
  /// The DHT has got its first peer, or its answers begin to count: own provider records go out.
  void network_changed(base::Instant now);
  /// The calendar was set.
  void set_wall_at_zero(base::WallTime wall_at_zero);

  // The marketplace.

  /// Publishes a release whose archive is in the store (adopt_archive()). PublishDone follows.
  OperationId publish(Metadata metadata, const Archive& archive, base::Instant now);
  OperationId yank(Name name, Version version, std::string reason, base::Instant now);
  OperationId unyank(Name name, Version version, base::Instant now);
  /// An empty reason takes a deprecation back.
  OperationId deprecate(Name name, std::optional<Version> version, std::string reason,
                        base::Instant now);

  /// Searches here and, unless `timeout` is 0, asks peers: entries that they know and this node
  /// does not are fetched and verified first. SearchLocal, then SearchDone follows, within the
  /// timeout, SearchConfig::max_timeout at most, and a second for a last look into the own index.
  OperationId search(SearchRequest request, base::Duration timeout, base::Instant now);
  /// Brings an archive here. `hints` are peers that may hold it; the DHT is asked for others.
  /// FetchDone follows; at once when it is here already.
  OperationId fetch(const Archive& archive, std::span<const multiformats::PeerId> hints,
                    base::Instant now);
  /// Ends a search or a fetch early: SearchDone with what there is, FetchDone with kCancelled. What
  /// a fetch has brought stays.
  void cancel(OperationId id, base::Instant now);

  /// The driver has put a whole archive into the store by itself (a directory that was packed):
  /// serve and provide it.
  void adopt_archive(const Archive& archive, base::Instant now);

  /// The driver has found that the store lost a part of an archive: fetch() looks again what is
  /// held, and brings the rest.
  void doubt_archive(const Archive& archive);

  /// What a name means, pins, petnames.
  [[nodiscard]] const Catalog& catalog() const noexcept;
  [[nodiscard]] Catalog& catalog() noexcept;
  /// The publisher that this node signs for; nothing without a signer.
  [[nodiscard]] std::optional<multiformats::PeerId> publisher() const;
  [[nodiscard]] bool is_loaded() const noexcept;
  [[nodiscard]] Stats stats() const;
  /// Fetches that have not ended, waiting ones included.
  [[nodiscard]] std::size_t fetches() const noexcept;
  /// Bytes of chunks read from disk, or being read, that are not sent yet.
  [[nodiscard]] std::size_t serving_bytes() const noexcept;
  [[nodiscard]] PeerStanding standing(const multiformats::PeerId& peer, base::Instant now) const;

  // What the engines below report. True when it was for this engine.

  void handle(StoreDone done, base::Instant now);
  bool handle(gossipsub::Validate& message, base::Instant now);
  bool handle(reqresp::Response& response, base::Instant now);
  bool handle(reqresp::ResponseBody& body, base::Instant now);
  bool handle(const reqresp::RequestDone& done, base::Instant now);
  bool handle(reqresp::Request& request, base::Instant now);
  bool handle(const reqresp::BodyWritten& written, base::Instant now);
  bool handle(const reqresp::ServedLost& lost, base::Instant now);
  bool handle(const kad::ProvidersFound& found, base::Instant now);
  bool handle(const kad::QueryDone& done, base::Instant now);

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ggen::p2p::registry
