#pragma once

#include <ggen/p2p/sim/world.hpp>

// What the built-in scenarios play: each is listed in scenarios.cpp.
namespace ggen::p2p::sim::play {

/// What people have at home, bytes a second.
inline constexpr LinkSpec kHome{.up = 12'500'000, .down = 50'000'000};

// Finding peers.
void peer_discovery(World& world);
void multi_peer_connectivity(World& world);

// Packages.
void publish_package(World& world);
void package_propagation(World& world);
void distributed_search(World& world);
void search_with_timeout(World& world);
void concurrent_publishes(World& world);
void peer_reputation(World& world);

// The DHT.
void dht_put_get(World& world);
void dht_key_distribution(World& world);

// Faults.
void network_partition(World& world);
void peer_failure_recovery(World& world);
void chaos(World& world);
[[nodiscard]] FaultPlan chaos_faults(const base::Prng& prng, std::uint32_t nodes,
                                     base::Duration duration);

// Attacks.
void sybil(World& world);
void eclipse(World& world);

// Many nodes.
void large_network(World& world);
void broadcast(World& world);
void gossip(World& world);
void wan(World& world);
void flash_crowd(World& world);
void churn(World& world);

}  // namespace ggen::p2p::sim::play
