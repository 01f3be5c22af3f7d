// Attacks on the mesh by many nodes that follow the protocol in everything but the messages, which
// they keep for themselves. Each defence is turned off once, to see that it is what helps.

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "network.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using test::Network;

namespace {

constexpr std::string_view kTopic = "test/topic";

/// Honest nodes, each of which has dialled a few others, and Sybils that dial every one of them.
struct Siege {
  Siege(std::uint64_t seed, std::size_t good, std::size_t sybils,
        const gossipsub::Config& config = {})
      : network(seed, good + sybils, config), honest(good), prng(seed) {
    network.lose = [this](Network::Index from, Network::Index, const gossipsub::Rpc& rpc) {
      if (from < honest || !hostile) return false;
      return !rpc.messages.empty() || !rpc.ihave.empty();
    };
    network.subscribe_all(kTopic);
    // The Sybils are there first, and fill every mesh.
    for (Network::Index sybil = honest; sybil < network.size(); ++sybil) {
      for (Network::Index node = 0; node < honest; ++node) network.connect(sybil, node);
    }
    network.run_for(10s);
    for (Network::Index node = 0; node < honest; ++node) {
      for (int i = 0; i < 4; ++i) network.connect(node, prng.below(honest));
    }
  }
  // The share of honest nodes that honest messages reach within five seconds each.
  double delivered(int messages) {
    std::size_t got = 0;
    std::size_t all = 0;
    for (int i = 0; i < messages; ++i) {
      const Network::Index publisher = prng.below(honest);
      const auto id = network.publish(publisher, kTopic, "message " + std::to_string(next_++));
      network.run_for(5s);
      for (Network::Index node = 0; node < honest; ++node) {
        if (node == publisher) continue;
        ++all;
        got += network.deliveries(node, id);
      }
    }
    return static_cast<double>(got) / static_cast<double>(all);
  }
  [[nodiscard]] std::size_t honest_in_mesh(Network::Index node) {
    std::size_t count = 0;
    for (const auto& peer : network[node].engine.mesh(kTopic)) {
      for (Network::Index other = 0; other < honest; ++other) {
        count += network[other].id == peer ? 1 : 0;
      }
    }
    return count;
  }

  Network network;
  std::size_t honest;
  bool hostile = true;
  base::Prng prng;

 private:
  int next_ = 0;
};

gossipsub::Config undefended() {
  gossipsub::Config config;
  config.flood_publish = false;
  config.mesh.degree_out = 0;
  config.gossip.degree_lazy = 0;
  config.gossip.factor = 0;
  return config;
}

}  // namespace

TEST_CASE("gossipsub attack: four Sybils to one honest node do not stop messages") {
  const auto delivered = [](const gossipsub::Config& config) {
    Siege siege{51, 10, 40, config};
    siege.network.run_for(90s);
    return siege.delivered(20);
  };
  CHECK(delivered({}) >= 0.99);
  CHECK(delivered(undefended()) < 0.5);
  // Most of it is done by the mesh and gossip, not by flooding one's own messages.
  gossipsub::Config quiet;
  quiet.flood_publish = false;
  CHECK(delivered(quiet) >= 0.9);
}

TEST_CASE("gossipsub attack: Sybils that come first do not stay the whole mesh of a newcomer") {
  const auto run = [](const gossipsub::Config& config) {
    Siege siege{53, 10, 30, config};
    // The newcomer dials nobody: all its connections are inbound, most of them from Sybils.
    const Network::Index victim = siege.network.add(config);
    siege.network.subscribe(victim, kTopic);
    for (Network::Index sybil = 10; sybil < 40; ++sybil) siege.network.connect(sybil, victim);
    siege.network.run_for(10s);
    for (Network::Index node = 0; node < 4; ++node) siege.network.connect(node, victim);
    siege.network.run_for(10s);
    REQUIRE(siege.honest_in_mesh(victim) == 0);
    for (int i = 0; i < 40; ++i) {
      siege.network.publish(siege.prng.below(10), kTopic, "news " + std::to_string(i));
      siege.network.run_for(5s);
    }
    return std::pair{siege.network[victim].delivered.size(), siege.honest_in_mesh(victim)};
  };
  const auto [heard, honest] = run({});
  CHECK(heard == 40);  // by gossip and flooding at first
  CHECK(honest >= 1);
  gossipsub::Config passive;
  passive.score.opportunistic_graft_threshold = 1000;
  passive.mesh.opportunistic_grafts = 0;
  CHECK(run(passive).second == 0);
}

TEST_CASE("gossipsub attack: nodes that earn a good score and then turn do not stop messages") {
  const auto run = [](const gossipsub::Config& config) {
    Siege siege{57, 10, 20, config};
    siege.hostile = false;
    siege.network.run_for(10s);
    for (int i = 0; i < 60; ++i) {
      siege.network.publish(siege.prng.below(30), kTopic, "good " + std::to_string(i));
      siege.network.run_for(1s);
    }
    siege.hostile = true;
    return siege.delivered(30);
  };
  CHECK(run({}) >= 0.99);
  CHECK(run(undefended()) < 0.9);
}

TEST_CASE("gossipsub attack: who earned a good score is out with one invalid message") {
  Siege siege{59, 4, 1};
  siege.hostile = false;
  siege.network.run_for(5s);
  const auto sybil = siege.network[4].id;
  for (int i = 0; i < 60; ++i) {
    siege.network.publish(4, kTopic, "good " + std::to_string(i));
    siege.network.run_for(1s);
  }
  const double best = *siege.network[0].engine.score(sybil);
  CHECK(best > 5);
  CHECK(best < 20);
  siege.network[0].judge = [](const gossipsub::Message&) { return gossipsub::Verdict::kReject; };
  siege.network.publish(4, kTopic, "bad");
  siege.network.run_for(2s);
  CHECK(*siege.network[0].engine.score(sybil) < 0);
  const auto mesh = siege.network[0].engine.mesh(kTopic);
  CHECK(std::ranges::find(mesh, sybil) == mesh.end());
}
