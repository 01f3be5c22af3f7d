#include <algorithm>
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
