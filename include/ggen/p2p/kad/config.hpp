#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/lookup.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/kad/provider_store.hpp>
#include <ggen/p2p/kad/routing_table.hpp>
#include <ggen/p2p/kad/value_store.hpp>

namespace ggen::p2p::kad {

/// Whether a node answers (libp2p/specs kad-dht, "Client and server mode"). A client asks like a
/// server, but others don't put it into their tables.
enum class Mode : std::uint8_t { kClient, kServer };

/// How a node asks.
struct QueryConfig {
  /// `k` is also the number of peers that a value or a provider record is put to.
  LookupConfig lookup;
  base::Duration timeout = std::chrono::seconds{60};  ///< of a query as a whole
  /// From asking for a stream to the answer: dialling is part of it.
  base::Duration request_timeout = std::chrono::seconds{10};
  /// Requests under way to one peer; more of them wait. Half of what rust-libp2p and js-libp2p
  /// take, who reset the streams beyond.
  std::size_t max_streams_per_peer = 16;
  /// Another peer is asked meanwhile when an answer takes longer than this.
  base::Duration slow_after = std::chrono::seconds{3};
  /// Providers that a search without limit of its own collects at most.
  std::size_t max_providers = 100;
  /// Bytes of an answer: twice 20 peers of 8 KiB, and a value.
  std::size_t max_response = 384 * 1024;
};

/// How a node answers.
struct ServerConfig {
  std::size_t max_streams = 256;          ///< inbound, in all
  std::size_t max_streams_per_peer = 32;  ///< what rust-libp2p and js-libp2p use at most
  /// A stream on which no request was completed for so long is reset.
  base::Duration idle = std::chrono::seconds{60};
  std::size_t max_request = 64 * 1024;  ///< bytes
  /// Bytes of requests received on one stream while the answer to an earlier one is not under way:
  /// the initial window of yamux.
  std::size_t max_pending = 256 * 1024;
  /// Answers with peers are kept below this size, since rust-libp2p refuses larger ones by default.
  /// A value may exceed it; the peers beside it then take at most half of this.
  std::size_t response_size = 16 * 1024;
  std::size_t max_key = 1024;         ///< bytes of a key that a peer may ask about
  std::size_t max_provider_key = 80;  ///< bytes of a key that may be provided, as in go-libp2p
};

/// What a node does without being asked.
struct MaintenanceConfig {
  /// Lookups of the own id and of a random key in each bucket.
  base::Duration refresh_interval = std::chrono::minutes{10};
  /// Whoever has just joined knows few peers, and few know it: the own id is looked up again after
  /// this, then after four times the time and so on, until the first refresh is due.
  base::Duration first_refresh = std::chrono::seconds{10};
  /// Buckets deeper than this are left to the lookup of the own id.
  std::size_t max_refreshed_buckets = 12;
  /// Own values and provider records are put again so often, well before they expire; those that
  /// nobody took after one refresh interval.
  base::Duration republish_interval = std::chrono::hours{22};
  /// Whoever is not told of a provider record again within this time after it was due is late
  /// (ReprovideBehind).
  base::Duration reprovide_slack = std::chrono::hours{1};
  /// Regions of the key space whose provider records are put again at a time, where there are many.
  std::size_t max_regions = 2;
  /// Peers that are given such records at a time, each on one stream, with 16 KiB under way.
  std::size_t max_announced = 8;
  /// Expired records are dropped so often. They are never served.
  base::Duration expiry_interval = std::chrono::minutes{10};
  /// Queries of maintenance under way at a time.
  std::size_t max_queries = 4;
  /// The peer of a full bucket that was silent for so long is asked for a sign of life when another
  /// one waits for its place.
  base::Duration stale_after = std::chrono::minutes{5};
};

struct Config {
  std::string protocol = "/ggen/marketplace/1.0.0";
  Mode mode = Mode::kServer;
  MessageLimits message;
  TableConfig table;
  QueryConfig query;
  ServerConfig server;
  MaintenanceConfig maintenance;
  ValueStoreConfig values;
  ProviderStoreConfig providers;
};

}  // namespace ggen::p2p::kad
