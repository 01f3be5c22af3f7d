#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/kad/config.hpp>
#include <ggen/p2p/kad/lookup_health.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/kad/provide_stats.hpp>
#include <ggen/p2p/kad/validator.hpp>
#include <ggen/p2p/multiformats/ip_address.hpp>

/// The distributed hash table (libp2p/specs kad-dht): finds peers by id, values by key, and the
/// providers of a key, without a server.
namespace ggen::p2p::kad {

/// Why a call cannot start a query.
enum class InputError : std::uint8_t {
  kBadKey,       ///< empty, or above the limit for its kind
  kNoValidator,  ///< no validator answers for the key's namespace
  kTooLarge,     ///< a value above ValueStoreConfig::max_value
  kInvalid,      ///< the validator refuses the value
  kOld,          ///< a better value is stored here
};
[[nodiscard]] std::string_view to_string(InputError error) noexcept;

/// One node of the table. An engine (base::Engine); not thread-safe.
///
/// It learns whom there is from the owner alone, who tells it what identify found: a peer enters
/// the routing table only after it has proved its identity and announced the protocol. Peers named
/// by others are asked, not believed.
///
/// Each query ends with exactly one QueryDone, at the latest QueryConfig::timeout after its call,
/// with what there is by then; its statistics say how sure that is.
class Engine {
 public:
  /// `crypto` gives randomness and outlives the engine. `wall_at_zero` is the calendar time at
  /// Instant{}: records that leave this node say when they were received.
  Engine(const Config& config, const multiformats::PeerId& local, crypto::Crypto& crypto,
         base::WallTime wall_at_zero);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// Before values of its namespace come.
  void add_validator(std::string name_space, std::unique_ptr<Validator> validator);

  // What the owner knows.

  /// As a client, inbound streams are reset; the owner must also stop (or start again) to announce
  /// the protocol.
  void set_mode(Mode mode, base::Instant now);
  [[nodiscard]] Mode mode() const noexcept;
  /// Where this node can be reached: what own provider records say.
  void set_addresses(std::vector<multiformats::Multiaddr> addresses);
  /// The calendar was set.
  void set_wall_at_zero(base::WallTime wall_at_zero);
  /// Identify, or a later push, has told about a connected peer: where it listens, and whether it
  /// announces Config::protocol. `remote` is the address of its connection.
  void peer_identified(const multiformats::PeerId& peer,
                       std::span<const multiformats::Multiaddr> addresses,
                       std::optional<multiformats::IpAddress> remote, bool serves,
                       base::Instant now);
  /// The last connection with the peer is gone. It keeps its place in the table.
  void peer_gone(const multiformats::PeerId& peer);

  // Queries.

  /// Looks up the own id, then a random key in each bucket. Happens by itself when the first peer
  /// enters the table, and at every refresh interval. The query is the lookup of the own id.
  QueryId bootstrap(base::Instant now);
  /// Where is this peer? Gives FoundPeer.
  QueryId find_peer(const multiformats::PeerId& peer, base::Instant now);
  /// Gives Closest.
  [[nodiscard]] std::expected<QueryId, InputError> closest(base::BytesView key, base::Instant now);
  /// The best value under `key`; gives FoundValue. Ends when `quorum` genuine values have been
  /// seen, one held here counting; with 0 only when the nearest peers have all been asked. Peers
  /// with a worse value, and the nearest without any, are then given the best one.
  [[nodiscard]] std::expected<QueryId, InputError> get_value(base::BytesView key,
                                                             std::size_t quorum, base::Instant now);
  /// Puts a value to the k nearest peers, and again at every republish interval until
  /// forget_value(); gives Placed.
  [[nodiscard]] std::expected<QueryId, InputError> put_value(base::BytesView key,
                                                             base::BytesView value,
                                                             base::Instant now);
  void forget_value(base::BytesView key);
  /// Tells the k nearest peers that this node provides `key`, and again at every republish interval
  /// until stop_providing(); gives Placed. Keys are multihashes where others are to understand
  /// them. Where many keys are near one another, those peers are told again of all at once, which
  /// takes one hundredth of the lookups; provide_stats() and ReprovideBehind say whether that keeps
  /// up.
  [[nodiscard]] std::expected<QueryId, InputError> provide(base::BytesView key, base::Instant now);
  /// The same for a key that others were told of before, by a run of the program that has ended: it
  /// is due now, and is told as part of the next sweep; no query. Does nothing on a key that this
  /// node provides.
  [[nodiscard]] std::expected<void, InputError> resume_providing(base::BytesView key,
                                                                 base::Instant now);
  void stop_providing(base::BytesView key);
  /// Gives ProvidersFound as they come and FoundProviders; ends when `limit` are found. With 0 it
  /// collects what there is, up to QueryConfig::max_providers.
  [[nodiscard]] std::expected<QueryId, InputError> find_providers(base::BytesView key,
                                                                  std::size_t limit,
                                                                  base::Instant now);
  /// Forgets a query: no event about it follows. Does nothing on a dead id.
  void cancel(QueryId id);

  [[nodiscard]] const RoutingTable& table() const noexcept;
  /// Peers that serve the DHT, without this node, as far as lookups tell (NetworkSize).
  [[nodiscard]] std::optional<double> network_size(base::Instant now) const;
  [[nodiscard]] const LookupHealth& lookup_health() const noexcept;
  [[nodiscard]] const ValueStore& values() const noexcept;
  [[nodiscard]] const ProviderStore& providers() const noexcept;
  /// Takes time in proportion to the keys that are provided: about a millisecond for a million.
  [[nodiscard]] ProvideStats provide_stats(base::Instant now) const;

  void handle(connection::StreamInput input, base::Instant now);
  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ggen::p2p::kad
