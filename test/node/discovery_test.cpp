#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "network.hpp"

using namespace ggen::p2p;
using node::Node;
using node::test::Network;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTopic = "news";

// Nodes that know only the first one's address.
std::vector<std::size_t> network_of(Network& net, std::size_t count) {
  node::Config config;
  config.kad.emplace();
  config.gossipsub.emplace();
  std::vector<std::size_t> nodes{net.add(config)};
  while (nodes.size() < count) {
    nodes.push_back(net.add(config));
    net.drive(nodes.back(), [&](Node& n) { n.join({net[nodes[0]].address}, net.now); });
  }
  return nodes;
}

std::size_t table_size(const Network& net, std::size_t index) {
  return net.node(index).kad()->table().size();
}

bool delivered(Network& net, std::size_t index) {
  return net.last<gossipsub::Delivered>(index) != nullptr;
}

void accept_all(Network& net, std::size_t index) {
  const auto* ask = net.last<gossipsub::Validate>(index);
  if (ask == nullptr) return;
  net.drive(index, [&, token = ask->token](Node& n) {
    n.gossipsub(net.now).report(token, gossipsub::Verdict::kAccept, net.now);
  });
}

}  // namespace

TEST_CASE("node: twelve nodes that know one address find each other by the DHT") {
  Network net;
  const auto nodes = network_of(net, 12);
  net.run_until([&] {
    return std::ranges::all_of(nodes, [&](std::size_t i) { return table_size(net, i) == 11; });
  });

  // A peer that no address was ever given of can be reached.
  const multiformats::PeerId target = net.node(nodes[11]).id();
  net.drive(nodes[5], [&](Node& n) { n.kad(net.now).find_peer(target, net.now); });
  net.run_until([&] { return net.last<kad::QueryDone>(nodes[5]) != nullptr; });
  const auto* found =
      std::get_if<kad::result::FoundPeer>(&net.last<kad::QueryDone>(nodes[5])->result);
  REQUIRE(found);
  CHECK(found->peer.has_value());
}

TEST_CASE("node: a lookup does not wait for its own connections while they are few") {
  Network net;
  const auto nodes = network_of(net, 12);
  net.run_until([&] {
    return std::ranges::all_of(nodes, [&](std::size_t i) { return table_size(net, i) == 11; });
  });

  node::Config small;
  small.kad.emplace();
  small.gossipsub.emplace();  // its streams stay open, which is not what a lookup waits for
  small.swarm.limits = swarm::Config::Limits::for_connections(4);
  small.swarm.trimming = swarm::Config::Trimming::for_connections(4);
  const std::size_t newcomer = net.add(small);
  net.connect(newcomer, nodes[0]);
  const base::Bytes key{7};
  net.drive(newcomer, [&](Node& n) { REQUIRE(n.kad(net.now).closest(key, net.now)); });
  net.run_until([&] { return net.last<kad::QueryDone>(newcomer) != nullptr; });
  const kad::QueryDone& done = *net.last<kad::QueryDone>(newcomer);
  CHECK(done.stats.answered == 12);
  CHECK(done.stats.took < small.swarm.trimming.in_use);
}

TEST_CASE("node: a message reaches every subscriber, and nobody before it was validated") {
  Network net;
  const auto nodes = network_of(net, 12);
  for (const std::size_t i : nodes) {
    net.drive(i, [&](Node& n) { n.gossipsub(net.now).subscribe(kTopic, net.now); });
  }
  net.run_until([&] {
    return std::ranges::all_of(nodes, [&](std::size_t i) { return table_size(net, i) == 11; });
  });
  net.run_for(3s);  // heartbeats, in which meshes form

  const base::Bytes data{1, 2, 3};
  net.drive(nodes[7], [&](Node& n) {
    CHECK(n.gossipsub(net.now).publish(kTopic, data, net.now).has_value());
  });
  net.run_until([&] { return net.last<gossipsub::Validate>(nodes[3]) != nullptr; });
  CHECK_FALSE(delivered(net, nodes[3]));

  const auto published_at = net.now;
  net.run_until([&] {
    for (const std::size_t i : nodes) accept_all(net, i);
    return std::ranges::all_of(nodes,
                               [&](std::size_t i) { return i == nodes[7] || delivered(net, i); });
  });
  CHECK(net.now - published_at < 1s);
  CHECK(net.last<gossipsub::Delivered>(nodes[3])->message.author == net.node(nodes[7]).id());
}

TEST_CASE("node: who is pruned connects to the peers that the PRUNE names") {
  Network net;
  node::Config config;
  config.gossipsub.emplace();
  config.gossipsub->mesh.degree = 1;
  config.gossipsub->mesh.degree_low = 1;
  config.gossipsub->mesh.degree_high = 1;
  config.gossipsub->mesh.degree_out = 0;
  config.gossipsub->peer_exchange = true;
  const auto hub = net.add(config);
  config.gossipsub.emplace();
  config.gossipsub->score.accept_exchange_threshold = 0;
  const auto first = net.add(config);
  const auto second = net.add(config);
  for (const std::size_t i : {hub, first, second}) {
    net.drive(i, [&](Node& n) { n.gossipsub(net.now).subscribe(kTopic, net.now); });
  }
  net.connect(first, hub);
  net.connect(second, hub);
  // Neither has another way to hear of the other.
  net.run_until([&] { return net.node(second).swarm().connected(net.node(first).id()); });
}

TEST_CASE("node: a client is not in anybody's table until it becomes a server") {
  Network net;
  node::Config config;
  config.kad.emplace();
  const auto server = net.add(config);
  config.kad->mode = kad::Mode::kClient;
  const auto client = net.add(config);
  net.connect(client, server);
  net.run_for(1s);
  CHECK(table_size(net, client) == 1);
  CHECK(table_size(net, server) == 0);

  net.drive(client, [&](Node& n) { n.set_dht_mode(kad::Mode::kServer, net.now); });
  net.run_until([&] { return table_size(net, server) == 1; });
}

TEST_CASE("node: who has lost every peer comes back by its bootstrap addresses") {
  Network net;
  const auto nodes = network_of(net, 2);
  const auto connected = [&] {
    return net.node(nodes[1]).swarm().connected(net.node(nodes[0]).id());
  };
  net.run_until(connected);
  net.cut(nodes[1]);
  net.run_until([&] { return !connected(); });
  net.run_until(connected);

  // After stop() it stays alone.
  net.drive(nodes[1], [&](Node& n) { n.stop(net.now); });
  net.run_for(10min);
  CHECK_FALSE(connected());
}

TEST_CASE("node: the parts of a broken network come back together, though each has peers") {
  Network net;
  const auto nodes = network_of(net, 6);
  const auto whole = [&] {
    return std::ranges::all_of(nodes, [&](std::size_t i) { return table_size(net, i) == 5; });
  };
  net.run_until(whole);
  const std::size_t cut = 4;
  const auto across = [&] {
    std::size_t count = 0;
    for (std::size_t a = 0; a < cut; ++a) {
      for (std::size_t b = cut; b < nodes.size(); ++b) {
        count += net.node(a).swarm().connected(net.node(b).id()) ? 1 : 0;
      }
    }
    return count;
  };
  net.refuse_dials(true);
  for (std::size_t a = 0; a < cut; ++a) {
    for (std::size_t b = cut; b < nodes.size(); ++b) net.break_between(a, b);
  }
  net.run_for(3min);
  REQUIRE(across() == 0);
  REQUIRE(net.node(cut).swarm().connected(net.node(cut + 1).id()));

  net.refuse_dials(false);
  net.run_for(4min);
  CHECK(across() == cut * (nodes.size() - cut));
}

TEST_CASE("node: a bootstrap address that failed is tried again while there are other peers") {
  Network net;
  const auto here = net.add();
  const auto node = net.add();
  const auto late = net.add();
  net.refuse_dials(true);
  net.drive(node, [&](Node& n) { n.join({net[late].address}, net.now); });
  net.run_for(1s);
  net.refuse_dials(false);
  net.connect(node, here);
  net.run_for(30s);
  CHECK(net.node(node).swarm().connected(net.node(late).id()));
}

TEST_CASE("node: who has few peers left finds others in its routing table") {
  Network net;
  const auto nodes = network_of(net, 12);
  const std::size_t node = nodes.back();
  net.run_until([&] { return net.node(node).swarm().connected_peer_count() == 11; });
  // No lookup of its own is near.
  net.run_for(4min);
  for (std::size_t other = 0; other < 9; ++other) {
    net.drive(other, [&](Node& n) { n.swarm(net.now).disconnect(net.node(node).id(), net.now); });
  }
  net.run_for(1s);
  REQUIRE(net.node(node).swarm().connected_peer_count() == 2);
  net.run_for(10s);
  CHECK(net.node(node).swarm().connected_peer_count() >= node::Bootstrap{}.min_peers);
}

TEST_CASE("node: who remembers peers of an earlier run comes back without bootstrap addresses") {
  Network net;
  const auto nodes = network_of(net, 12);
  net.run_until([&] {
    return std::ranges::all_of(nodes, [&](std::size_t i) { return table_size(net, i) == 11; });
  });
  node::Config config;
  config.kad.emplace();
  const std::size_t again = net.add(config);
  std::vector<multiformats::Multiaddr> remembered{
      *multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/1"),  // of whom?
      *multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/2/p2p/" +
                                      net.node(again).id().to_string())};
  for (const std::size_t i : {3U, 4U}) {
    remembered.push_back(*multiformats::Multiaddr::parse(net[i].address.to_string() + "/p2p/" +
                                                         net.node(i).id().to_string()));
  }
  net.drive(again, [&](Node& n) { n.remember(remembered, net.now); });
  net.run_for(10s);
  CHECK(table_size(net, again) == 12);
  CHECK(net.node(again).swarm().connected_peer_count() >= node::Bootstrap{}.min_peers);
}

TEST_CASE("node: who starts dials at once, whether or not it remembers anybody") {
  Network net;
  const auto there = net.add();
  const auto node = net.add();
  net.drive(node, [&](Node& n) {
    n.join({net[there].address}, net.now);
    n.remember({}, net.now);
  });
  net.run_for(1s);
  CHECK(net.node(node).swarm().connected(net.node(there).id()));
}

TEST_CASE("node: in auto mode a node becomes a server once a peer has come in") {
  Network net;
  node::Config config;
  config.kad.emplace();
  const auto server = net.add(config);
  config.kad->mode = kad::Mode::kClient;
  config.dht_auto_mode = true;
  const auto node = net.add(config);
  net.connect(node, server);
  net.run_for(1s);
  CHECK(net.node(node).kad()->mode() == kad::Mode::kClient);
  CHECK(table_size(net, server) == 0);

  const auto other = net.add();
  net.connect(other, node);
  net.run_until([&] { return table_size(net, server) == 1; });
  CHECK(net.node(node).kad()->mode() == kad::Mode::kServer);
}

TEST_CASE("node: who said goodbye is not dialled again") {
  Network net;
  const auto node = net.add();
  const auto other = net.add();
  const auto leaving = net.add();
  net.drive(node, [&](Node& n) { n.join({net[leaving].address}, net.now); });
  net.connect(node, other);
  net.run_for(1s);
  REQUIRE(net.node(node).swarm().connected(net.node(leaving).id()));

  std::size_t dials = 0;
  net.observer = [&](std::size_t, const node::Output& output) {
    const auto* of_swarm = std::get_if<swarm::Output>(&output);
    if (of_swarm != nullptr && std::holds_alternative<swarm::output::Dial>(*of_swarm)) ++dials;
  };
  net.drive(leaving, [&](Node& n) { n.swarm(net.now).disconnect(net.node(node).id(), net.now); });
  net.run_for(30min);
  CHECK_FALSE(net.node(node).swarm().connected(net.node(leaving).id()));
  CHECK(dials == 0);
}

TEST_CASE("node: peers that stay away are tried less and less often, and no more than a few") {
  node::AbsentConfig config;
  config.max_lost = 2;
  node::AbsentPeers absent{config, base::Prng{1}};
  base::Instant now;
  const auto peer = [](std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return multiformats::PeerId::of(crypto::KeyPair::from_seed(bytes).public_key());
  };
  for (std::uint8_t i = 1; i <= 3; ++i) absent.add({peer(i), std::nullopt}, now);
  std::map<multiformats::PeerId, int> tried;
  const base::Instant end = now + 1h;
  while (*absent.earliest() <= end) {
    now = *absent.earliest();
    while (const auto due = absent.next_due(now)) ++tried[*due->peer];
  }
  CHECK_FALSE(tried.contains(peer(1)));  // gave way
  for (const std::uint8_t i : {std::uint8_t{2}, std::uint8_t{3}}) {
    CHECK(tried[peer(i)] >= 10);
    CHECK(tried[peer(i)] <= 20);
  }
  absent.remove(peer(2));
  absent.remove(peer(3));
  CHECK_FALSE(absent.earliest());
}
