#include "scenarios.hpp"

#include <array>

#include <ggen/p2p/sim/scenario.hpp>

namespace ggen::p2p::sim {
namespace {

// Of small machines, and of those that keep large messages.
constexpr double kSmallNode = 1.0 / 3;
constexpr double kLargeNode = 3.5;

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<Scenario, 21> kScenarios{{
    {"peer-discovery", "One node finds the whole network from one bootstrap address.", 8,
     Fidelity::kWire, Latency::kConstant, seconds{30}, play::peer_discovery, 3},
    {"multi-peer-connectivity", "Five nodes end up in a full mesh of connections.", 5,
     Fidelity::kWire, Latency::kConstant, seconds{30}, play::multi_peer_connectivity},
    {"publish-package", "A release goes to the DHT and is resolved on another node.", 4,
     Fidelity::kWire, Latency::kConstant, seconds{30}, play::publish_package},
    {"package-propagation", "In a ring of three, all resolve what one publishes.", 3,
     Fidelity::kWire, Latency::kConstant, seconds{30}, play::package_propagation},
    {"distributed-search", "Three nodes publish; a search finds exactly the right package.", 3,
     Fidelity::kWire, Latency::kConstant, seconds{30}, play::distributed_search, 3},
    {"search-with-timeout",
     "With slow peers a search ends at its timeout with what it has, and succeeds with more time.",
     3, Fidelity::kWire, Latency::kConstant, minutes{1}, play::search_with_timeout},
    {"dht-put-get", "What one node puts into the DHT, another gets.", 10, Fidelity::kWire,
     Latency::kConstant, seconds{30}, play::dht_put_get},
    {"dht-key-distribution",
     "Each record is held by exactly the closest nodes that an all-knowing oracle names.", 10,
     Fidelity::kWire, Latency::kConstant, minutes{2}, play::dht_key_distribution},
    {"network-partition", "Three peers are cut off, publish, and everybody catches up after it.", 8,
     Fidelity::kWire, Latency::kConstant, minutes{5}, play::network_partition, 4},
    {"peer-failure-recovery", "In a ring of five one crashes; the package is found and fetched.", 5,
     Fidelity::kWire, Latency::kConstant, minutes{2}, play::peer_failure_recovery, 5},
    {"peer-reputation", "A good peer is told from a bad one, which is no longer chosen.", 4,
     Fidelity::kWire, Latency::kConstant, minutes{5}, play::peer_reputation, 4},
    {"concurrent-publishes", "A hundred releases at once: none is lost.", 10, Fidelity::kWire,
     Latency::kConstant, minutes{1}, play::concurrent_publishes},
    {"large-network", "In a large network a package is heard of, found and fetched everywhere.", 50,
     Fidelity::kWire, Latency::kGeographic, minutes{1}, play::large_network},
    {"broadcast", "One release reaches every node of a network of small machines.", 1000,
     Fidelity::kMessage, Latency::kGeographic, minutes{2}, play::broadcast, 20, false, nullptr,
     kSmallNode},
    {"gossip",
     "Everybody hears all messages of a topic, small and large, about as fast as light allows.",
     1000, Fidelity::kWire, Latency::kGeographic, minutes{2}, play::gossip, 50, false, nullptr,
     kLargeNode},
    {"wan", "All over the world, news spread and lookups end about as fast as light allows.",
     10'000, Fidelity::kWire, Latency::kGeographic, minutes{5}, play::wan, 50},
    {"flash-crowd", "A thousand nodes want the same 100 MB at once, and serve each other.", 1001,
     Fidelity::kMessage, Latency::kGeographic, minutes{5}, play::flash_crowd, 20},
    {"eclipse",
     "Sybils all over try to shut one newcomer in: it must still find and hear what others do.",
     150, Fidelity::kMessage, Latency::kConstant, minutes{6}, play::eclipse, 20},
    {"sybil",
     "Sybils spread over the DHT, around keys and in meshes: honest nodes must still find and "
     "hear what others do.",
     250, Fidelity::kMessage, Latency::kConstant, minutes{5}, play::sybil, 30},
    {"churn", "Half of the nodes are replaced in an hour; releases reach all, fetches succeed.", 50,
     Fidelity::kWire, Latency::kGeographic, std::chrono::hours{1}, play::churn, 10, true},
    {"chaos", "Everything goes wrong that can, drawn from the seed; healed, nothing is lost.", 12,
     Fidelity::kWire, Latency::kGeographic, minutes{4}, play::chaos, 4, true, play::chaos_faults},
}};

}  // namespace

std::span<const Scenario> scenarios() {
  return kScenarios;
}

}  // namespace ggen::p2p::sim
