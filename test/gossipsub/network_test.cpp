#include "network.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Verdict;
using test::Network;

namespace {

constexpr std::string_view kTopic = "test/topic";

bool mesh_symmetric(Network& network) {
  for (Network::Index a = 0; a < network.size(); ++a) {
    for (const auto& peer : network[a].engine.mesh(kTopic)) {
      for (Network::Index b = 0; b < network.size(); ++b) {
        if (network[b].id != peer) continue;
        const auto back = network[b].engine.mesh(kTopic);
        if (std::ranges::find(back, network[a].id) == back.end()) return false;
      }
    }
  }
  return true;
}

}  // namespace

TEST_CASE("gossipsub: two nodes pass a message") {
  Network network{1, 2};
  network.connect(0, 1);
  network.subscribe_all(kTopic);
  network.run_for(1s);
  const auto id = network.publish(0, kTopic, "hello");
  network.run_for(100ms);
  REQUIRE(network[1].delivered.size() == 1);
  const auto& message = network[1].delivered[0];
  CHECK(message.id == id);
  CHECK(message.topic == kTopic);
  CHECK(message.author == network[0].id);
  CHECK(message.source == network[0].id);
  CHECK(base::as_text(message.data.view()) == "hello");
  CHECK(network[0].delivered.empty());
}

TEST_CASE("gossipsub: an empty message is a message") {
  Network network{1, 2};
  network.connect(0, 1);
  network.subscribe_all(kTopic);
  network.run_for(1s);
  network.publish(0, kTopic, "");
  network.run_for(100ms);
  REQUIRE(network[1].delivered.size() == 1);
  CHECK(network[1].delivered[0].data.empty());
}

TEST_CASE("gossipsub: every message reaches every subscriber once, and meshes stay in bounds") {
  for (const std::size_t size : {10U, 40U}) {
    CAPTURE(size);
    Network network{size, size};
    network.connect_at_random(8);
    network.subscribe_all(kTopic);
    network.run_for(10s);
    std::vector<std::pair<Network::Index, gossipsub::MessageId>> published;
    for (std::size_t i = 0; i < 20; ++i) {
      const Network::Index node = i * 7 % size;
      published.emplace_back(node, network.publish(node, kTopic, "message " + std::to_string(i)));
      network.run_for(150ms);
    }
    network.run_for(5s);
    for (const auto& [node, id] : published) CHECK(network.reached_all(node, id));
    CHECK(mesh_symmetric(network));
    for (Network::Index node = 0; node < size; ++node) {
      const std::size_t degree = network[node].engine.mesh(kTopic).size();
      CHECK(degree >= 5);
      CHECK(degree <= 12);
      CHECK(network[node].misbehaved.empty());
      CHECK(network[node].slow.empty());
      CHECK(network[node].engine.stats().pending == 0);
      CHECK(network[node].most_unanswered <= 2);
    }
  }
}

TEST_CASE("gossipsub: a hundred nodes, all connected, form small meshes that deliver") {
  Network network{3, 100};
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(20s);
  for (Network::Index node = 0; node < network.size(); ++node) {
    const std::size_t degree = network[node].engine.mesh(kTopic).size();
    CHECK(degree >= 5);
    CHECK(degree <= 12);
  }
  CHECK(mesh_symmetric(network));
  const auto before = network.traffic().messages;
  const auto id = network.publish(17, kTopic, "x");
  network.run_for(3s);
  CHECK(network.reached_all(17, id));
  // A few copies for each node, not one from every peer.
  CHECK(network.traffic().messages - before < 1200);
}

TEST_CASE("gossipsub: the same seed gives the same run") {
  const auto run = [] {
    Network network{5, 20};
    network.connect_at_random(6);
    network.subscribe_all(kTopic);
    network.run_for(3s);
    for (int i = 0; i < 5; ++i) network.publish(3, kTopic, std::to_string(i));
    network.run_for(3s);
    std::vector<std::vector<multiformats::PeerId>> meshes;
    for (Network::Index node = 0; node < network.size(); ++node) {
      meshes.push_back(network[node].engine.mesh(kTopic));
      for (const auto& message : network[node].delivered) meshes.push_back({message.source});
    }
    return meshes;
  };
  CHECK(run() == run());
}

TEST_CASE("gossipsub: one who does not subscribe publishes all the same") {
  for (const bool flood : {true, false}) {
    CAPTURE(flood);
    gossipsub::Config config;
    config.flood_publish = flood;
    Network network{7, 15, config};
    network.connect_all();
    for (Network::Index node = 1; node < network.size(); ++node) network.subscribe(node, kTopic);
    network.run_for(3s);
    const auto before = network.traffic().messages;
    const auto id = network.publish(0, kTopic, "from outside");
    network.run_for(5ms);  // nobody has passed it on yet
    CHECK(network.traffic().messages - before == (flood ? 14 : 6));
    network.run_for(3s);
    CHECK(network.reached_all(0, id));
  }
}

TEST_CASE("gossipsub: what one publishes while alone is not an error, and goes to nobody") {
  Network network{1, 1};
  network.subscribe_all(kTopic);
  network.publish(0, kTopic, "alone");
  network.run_for(10s);
  CHECK(network[0].engine.stats().published == 1);
  CHECK(network[0].engine.stats().cached_bytes == 0);
}

TEST_CASE("gossipsub: messages lost in the mesh are fetched by gossip") {
  Network network{11, 30};
  // Only what was asked for arrives: everything else that carries a message is lost.
  std::set<std::pair<Network::Index, Network::Index>> asked;
  network.lose = [&](Network::Index from, Network::Index to, const gossipsub::Rpc& rpc) {
    if (!rpc.iwant.empty()) asked.insert({to, from});
    return !rpc.messages.empty() && !asked.contains({from, to}) && from % 3 != 0;
  };
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(5s);
  const auto id = network.publish(1, kTopic, "mislaid");
  network.run_for(200ms);
  CHECK_FALSE(network.reached_all(1, id));
  network.run_for(6s);
  CHECK(network.reached_all(1, id));
  CHECK(network.traffic().ihave > 0);
  CHECK(network.traffic().iwant > 0);
}

TEST_CASE("gossipsub: IDONTWANT spares peers large messages, and is not used for small ones") {
  const auto run = [](std::size_t size, bool idontwant) {
    gossipsub::Config config;
    Network network{13, 20, config};
    if (!idontwant) {
      for (Network::Index node = 0; node < network.size(); ++node) {
        network[node].protocols = {"/meshsub/1.1.0"};
      }
    }
    network.validation = 50ms;  // time for the word to spread
    network.connect_at_random(8);
    network.subscribe_all(kTopic);
    network.run_for(5s);
    const auto before = network.traffic().messages;
    for (Network::Index node = 0; node < 5; ++node) {
      const auto id =
          network.publish(node, kTopic, std::string(size, static_cast<char>('a' + node)));
      network.run_for(2s);
      CHECK(network.reached_all(node, id));
    }
    CHECK((network.traffic().idontwant > 0) == (idontwant && size >= 1024));
    return network.traffic().messages - before;
  };
  const std::size_t with = run(4096, true);
  const std::size_t without = run(4096, false);
  CHECK(with * 2 < without);
  run(900, true);
}

namespace {

// Whom node 0, which all others surround, has sent the message that node 1 publishes, after each
// 100 ms. Nodes 6 and 7 have it from 1 itself.
std::vector<std::size_t> told_by_turns(std::size_t eager, std::size_t size) {
  gossipsub::Config config;
  config.gossip.stagger_size = 2000;
  config.gossip.eager = eager;
  Network network{19, 8, config};
  for (Network::Index node = 1; node < network.size(); ++node) network.connect(node, 0);
  network.connect(6, 1);
  network.connect(7, 1);
  network.subscribe_all(kTopic);
  network.run_for(3s);
  std::set<Network::Index> told;
  network.lose = [&](Network::Index from, Network::Index to, const gossipsub::Rpc& rpc) {
    if (from == 0 && !rpc.messages.empty()) told.insert(to);
    return false;
  };
  const auto id = network.publish(1, kTopic, std::string(size, 'x'));
  std::vector<std::size_t> counts;
  network.run_for(50ms);
  for (int i = 0; i < 8; ++i) {
    counts.push_back(told.size());
    network.run_for(100ms);
  }
  CHECK(network.reached_all(1, id));
  CHECK(told.size() + network[0].engine.stats().unwanted == 6);
  return counts;
}

}  // namespace

TEST_CASE("gossipsub: the mesh gets a large message by turns, and who has it is left out") {
  CHECK(told_by_turns(2, 1000) == std::vector<std::size_t>(8, 6));
  const auto eager = told_by_turns(2, 2000);
  CHECK(eager[0] == 2);
  CHECK(eager.back() >= 4);
  const auto by_turns = told_by_turns(0, 2000);
  CHECK(by_turns[0] == 0);
  for (std::size_t i = 1; i < by_turns.size(); ++i) CHECK(by_turns[i] <= by_turns[i - 1] + 1);
  CHECK(by_turns.back() == 4);
}

TEST_CASE("gossipsub: one's own large message goes to the mesh, and to D where there is none") {
  Network network{7, 20};
  network.connect_all();
  for (Network::Index node = 1; node < network.size(); ++node) network.subscribe(node, kTopic);
  network.run_for(3s);
  const auto at_once = [&](Network::Index node) {
    const auto before = network.traffic().messages;
    const auto id = network.publish(node, kTopic, std::string(32 * 1024, 'x'));
    network.run_for(5ms);  // nobody has passed it on yet
    const auto sent = network.traffic().messages - before;
    network.run_for(3s);
    CHECK(network.reached_all(node, id));
    return sent;
  };
  CHECK(at_once(0) == 6);
  network.subscribe(0, kTopic);
  network.run_for(3s);
  CHECK(at_once(0) == network[0].engine.mesh(kTopic).size());
}

TEST_CASE("gossipsub: nobody's turn comes after a large message has been forgotten") {
  gossipsub::Config config;
  config.gossip.stagger = 3s;
  Network network{19, 8, config};
  for (Network::Index node = 1; node < network.size(); ++node) network.connect(node, 0);
  network.subscribe_all(kTopic);
  network.run_for(3s);
  const auto id = network.publish(1, kTopic, std::string(32 * 1024, 'x'));
  network.run_for(50ms);
  CHECK(network.reached_all(1, id));
  CHECK(network[0].engine.stats().in_turn == 0);
}

TEST_CASE("gossipsub: who sends us a large message does not get it from us") {
  gossipsub::Config config;
  config.gossip.eager = 0;
  Network network{19, 6, config};
  network.connect(1, 0);
  network.connect(1, 2);
  for (const Network::Index node : {2, 3, 4, 5}) network.connect(0, node);
  network.subscribe_all(kTopic);
  network.run_for(3s);
  // Node 2 does not say that it has the message from 1: it passes it on to 0, in its first turn.
  std::vector<Network::Index> told;
  network.lose = [&](Network::Index from, Network::Index to, const gossipsub::Rpc& rpc) {
    if (from == 0 && !rpc.messages.empty()) told.push_back(to);
    return !rpc.idontwant.empty();
  };
  const auto id = network.publish(1, kTopic, std::string(32 * 1024, 'x'));
  network.run_for(1s);
  CHECK(network.reached_all(1, id));
  REQUIRE(told.size() >= 3);
  CHECK(std::ranges::find(told, 2) == told.end());
}

TEST_CASE("gossipsub: who cannot say IDONTWANT does not wait for a turn") {
  gossipsub::Config config;
  config.gossip.stagger_size = 2000;
  Network network{19, 8, config};
  for (Network::Index node = 2; node < network.size(); ++node) {
    network[node].protocols = {"/meshsub/1.1.0"};
  }
  for (Network::Index node = 1; node < network.size(); ++node) network.connect(node, 0);
  network.subscribe_all(kTopic);
  network.run_for(3s);
  const auto id = network.publish(1, kTopic, std::string(2000, 'x'));
  network.run_for(50ms);
  CHECK(network.reached_all(1, id));
}

TEST_CASE("gossipsub: who leaves before its turn is forgotten") {
  gossipsub::Config config;
  config.gossip.stagger_size = 2000;
  config.gossip.eager = 0;
  Network network{19, 3, config};
  network.connect(1, 0);
  network.connect(2, 0);
  network.subscribe_all(kTopic);
  network.run_for(3s);
  const auto before = network.traffic().messages;
  network.publish(1, kTopic, std::string(2000, 'x'));
  network.run_for(50ms);
  network.unsubscribe(2, kTopic);
  network.run_for(1s);
  CHECK(network.traffic().messages - before == 1);
}

TEST_CASE("gossipsub: peers of every version get every message") {
  Network network{17, 20};
  for (Network::Index node = 0; node < network.size(); ++node) {
    const std::vector<std::string> all = network[node].protocols;
    network[node].protocols = {all.begin() + static_cast<std::ptrdiff_t>(node % 5), all.end()};
  }
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(5s);
  for (Network::Index node = 0; node < network.size(); ++node) {
    const auto id = network.publish(node, kTopic, "from " + std::to_string(node));
    network.run_for(1s);
    CHECK(network.reached_all(node, id));
    // Floodsub peers are in no mesh.
    for (const auto& peer : network[node].engine.mesh(kTopic)) {
      for (Network::Index flood = 4; flood < network.size(); flood += 5) {
        CHECK(peer != network[flood].id);
      }
    }
  }
}

TEST_CASE("gossipsub: nothing is passed on before it is accepted, and rejected messages never") {
  Network network{19, 10};
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(5s);
  for (Network::Index node = 1; node < network.size(); ++node) {
    network[node].judge = [](const gossipsub::Message& message) {
      const auto text = base::as_text(message.data.view());
      return text == "bad" ? Verdict::kReject : text == "odd" ? Verdict::kIgnore : Verdict::kAccept;
    };
  }
  const auto before = network.traffic();
  const auto bad = network.publish(0, kTopic, "bad");
  const auto odd = network.publish(0, kTopic, "odd");
  network.run_for(800ms);
  for (Network::Index node = 1; node < network.size(); ++node) {
    CHECK(network.deliveries(node, bad) == 0);
    CHECK(network.deliveries(node, odd) == 0);
    // Only the bad one is somebody's fault.
    REQUIRE(network[node].misbehaved.size() == 1);
    CHECK(network[node].misbehaved[0].peer == network[0].id);
    CHECK(network[node].misbehaved[0].offence == gossipsub::Offence::kRejectedMessage);
  }
  // Each was sent by its author, and by nobody else.
  CHECK(network.traffic().messages - before.messages == 18);
}

TEST_CASE("gossipsub: a message that takes long to judge is held once and passed on after") {
  Network network{23, 6};
  network.validation = 10s;
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(2s);
  const auto id = network.publish(0, kTopic, "slow");
  network.run_for(9s);
  for (Network::Index node = 1; node < network.size(); ++node) {
    CHECK(network[node].engine.stats().pending == 1);
    CHECK(network[node].delivered.empty());
  }
  network.run_for(5s);
  CHECK(network.reached_all(0, id));
}

TEST_CASE("gossipsub: leaving a topic prunes, with a backoff that both sides keep") {
  Network network{29, 8};
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(3s);
  network.unsubscribe(0, kTopic);
  network.run_for(100ms);
  CHECK(network[0].engine.mesh(kTopic).empty());
  CHECK(network[0].engine.subscriptions().empty());
  for (Network::Index node = 1; node < network.size(); ++node) {
    const auto mesh = network[node].engine.mesh(kTopic);
    CHECK(std::ranges::find(mesh, network[0].id) == mesh.end());
    CHECK(network[node].engine.subscribers(kTopic).size() == 6);
  }
  network.subscribe(0, kTopic);
  network.run_for(9s);
  CHECK(network[0].engine.mesh(kTopic).empty());
  network.run_for(5s);
  CHECK(network[0].engine.mesh(kTopic).size() >= 5);
  for (Network::Index node = 0; node < network.size(); ++node) {
    CHECK(network[node].misbehaved.empty());
  }
}

TEST_CASE("gossipsub: meshes mend when nodes go and come") {
  Network network{31, 20};
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(5s);
  for (Network::Index gone = 0; gone < 8; ++gone) {
    for (Network::Index node = 0; node < network.size(); ++node) {
      if (node != gone) network.disconnect(gone, node);
    }
  }
  network.run_for(5s);
  const auto id = network.publish(10, kTopic, "after");
  network.run_for(2s);
  for (Network::Index node = 8; node < network.size(); ++node) {
    CHECK(network.deliveries(node, id) == (node == 10 ? 0U : 1U));
    CHECK(network[node].engine.mesh(kTopic).size() >= 5);
    CHECK(network[node].engine.stats().peers == 11);
  }
  CHECK(network[0].engine.stats().peers == 0);
  network.connect(0, 12);
  network.run_for(2s);
  const auto again = network.publish(15, kTopic, "welcome back");
  network.run_for(2s);
  CHECK(network.deliveries(0, again) == 1);
}

TEST_CASE("gossipsub: direct peers get everything and are in no mesh") {
  const multiformats::PeerId first = test::peer_id(1);
  const multiformats::PeerId second = test::peer_id(2);
  gossipsub::Config config;
  config.direct_peers = {first, second};
  Network network{37, 2, config};
  network.connect(0, 1);
  network.subscribe_all(kTopic);
  network.run_for(3s);
  CHECK(network[0].engine.mesh(kTopic).empty());
  CHECK(network[1].engine.mesh(kTopic).empty());
  const auto id = network.publish(0, kTopic, "direct");
  network.run_for(1s);
  CHECK(network.reached_all(0, id));
}

TEST_CASE("gossipsub: a reader that stalls costs a bounded amount and delays nobody") {
  gossipsub::Config config;
  config.limits.max_queued_messages = 64 * 1024;
  Network network{41, 8, config};
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(3s);
  network[7].stalled = true;
  for (int i = 0; i < 100; ++i) {
    const auto id = network.publish(0, kTopic, std::string(4000, 'x') + std::to_string(i));
    network.run_for(100ms);
    for (Network::Index node = 1; node < 7; ++node) CHECK(network.deliveries(node, id) == 1);
  }
  for (Network::Index node = 0; node < 7; ++node) {
    CHECK(network[node].engine.stats().queued_bytes <= 64 * 1024 + 600 * 1024);
    CHECK(network[node].most_unanswered <= 2);
  }
  network.run_for(2s);
  REQUIRE_FALSE(network[0].slow.empty());
  CHECK(network[0].slow[0].peer == network[7].id);
  CHECK(network[0].slow[0].dropped > 0);
}

TEST_CASE("gossipsub: messages with the hash of their data as id are published once") {
  gossipsub::Config config;
  config.topics[std::string{kTopic}].message_id = gossipsub::content_hash_id;
  Network network{43, 5, config};
  network.connect_all();
  network.subscribe_all(kTopic);
  network.run_for(2s);
  const auto id = network.publish(0, kTopic, "entry");
  CHECK(base::to_hex(id) ==
        base::to_hex(gossipsub::content_hash_id({kTopic, {}, {}, base::as_bytes("entry")})));
  network.run_for(1s);
  // Another node has it already.
  network.call(1, [&](gossipsub::Engine& engine) {
    CHECK(engine.publish(kTopic, base::as_bytes("entry"), network.now()) ==
          std::unexpected(gossipsub::PublishError::kDuplicate));
  });
  network.run_for(1s);
  CHECK(network.reached_all(0, id));
}
