#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/config.hpp>
#include <ggen/p2p/kad/lookup_health.hpp>
#include <ggen/p2p/kad/network_size.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/kad/provider_store.hpp>
#include <ggen/p2p/kad/routing_table.hpp>
#include <ggen/p2p/kad/validator.hpp>
#include <ggen/p2p/kad/value_store.hpp>

#include "provided.hpp"

namespace ggen::p2p::kad {

/// A peer with a connection, as identify has described it.
struct ConnectedPeer {
  std::vector<multiformats::Multiaddr> addresses;
  std::optional<multiformats::IpAddress> remote;
  bool serves = false;
};

/// What asking, answering and maintenance share: what this node knows.
struct State {
  State(const Config& config_in, const multiformats::PeerId& local_in, base::Prng prng_in,
        base::WallTime wall)
      : config(config_in),
        local(local_in),
        local_key(Key::of(local_in)),
        wall_at_zero(wall),
        prng(prng_in),
        table(config.table, local_key),
        values(config.values, local_key, validators),
        providers(config.providers, local_key) {}
  State(const State&) = delete;

  const Config config;
  const multiformats::PeerId local;
  const Key local_key;
  base::WallTime wall_at_zero;
  base::Prng prng;
  Validators validators;
  RoutingTable table;
  ValueStore values;
  ProviderStore providers;
  NetworkSize size;
  LookupHealth health;
  std::vector<multiformats::Multiaddr> addresses;  // own
  base::HashMap<multiformats::PeerId, ConnectedPeer> connected;
  std::map<base::Bytes, base::Bytes> own_values;  // by key, until the owner forgets them
  Provided provided;                              // until the owner stops providing them
  base::Fifo<Output> outputs;

  /// As estimated, and not less than are known.
  [[nodiscard]] std::optional<double> network_size(base::Instant now) const {
    const auto estimate = size.estimate(now);
    if (!estimate) return estimate;
    return std::max(*estimate, static_cast<double>(table.size()));
  }
  /// The local node as others get to know it.
  [[nodiscard]] PeerRecord own_record() const {
    return {local, addresses, Connectedness::kConnected};
  }
  /// A peer as this node tells of it to others.
  [[nodiscard]] PeerRecord record_of(const TableEntry& entry) const;
  /// What this node knows of any peer, the local one included.
  [[nodiscard]] std::optional<PeerRecord> find_peer(const multiformats::PeerId& peer) const;
  /// The nearest `count` peers of the table.
  [[nodiscard]] std::vector<PeerRecord> nearest(const Key& key, std::size_t count,
                                                RoutingTable::Which which) const;
  /// All peers with a connection that serve the protocol, in the table or not.
  [[nodiscard]] std::vector<PeerRecord> connected_servers() const;
  /// The best value held here: stored for others, or an own one.
  [[nodiscard]] std::optional<base::Bytes> find_value(base::BytesView key, base::Instant now) const;
  [[nodiscard]] Record make_record(base::BytesView key, base::BytesView value,
                                   base::Instant received) const;
};

}  // namespace ggen::p2p::kad
