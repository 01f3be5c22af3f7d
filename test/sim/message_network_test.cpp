// Whole nodes over message channels: nothing above the channels may tell the difference.
#include <doctest/doctest.h>

#include <ggen/p2p/sim/message_channel.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>

#include "../node/network.hpp"

using namespace ggen::p2p;
using node::Node;
using node::test::Network;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kTopic = "news";

std::unique_ptr<node::ChannelFactory> message_channels(crypto::Crypto&,
                                                       const crypto::KeyPair& identity) {
  return sim::make_message_channels({}, identity);
}

node::Config full_config() {
  node::Config config;
  config.kad.emplace();
  config.gossipsub.emplace();
  return config;
}

/// Counts what passes for each protocol.
class Counter final : public sim::StreamObserver {
 public:
  std::unique_ptr<sim::StreamWatch> opened(connection::StreamRef, connection::Direction,
                                           std::string_view protocol) override {
    return std::make_unique<Watch>(sent_bytes[std::string{protocol}],
                                   received_bytes[std::string{protocol}]);
  }
  void closed(connection::StreamRef, connection::StreamEnd) override {}

  std::map<std::string, std::size_t> sent_bytes;
  std::map<std::string, std::size_t> received_bytes;

 private:
  class Watch final : public sim::StreamWatch {
   public:
    Watch(std::size_t& sent, std::size_t& received) : sent_(sent), received_(received) {}
    void sent(base::BytesView bytes) override { sent_ += bytes.size(); }
    void received(base::BytesView bytes) override { received_ += bytes.size(); }

   private:
    std::size_t& sent_;
    std::size_t& received_;
  };
};

}  // namespace

TEST_CASE("message network: two nodes connect, identify and ping") {
  Network net{5ms, message_channels};
  const auto a = net.add(full_config());
  const auto b = net.add(full_config());
  net.connect(a, b);
  const auto* identified = net.last<identify::Identified>(a);
  CHECK(identified->peer == net.node(b).id());
  CHECK(identified->info.listen_addrs == std::vector{net[b].address});

  net.drive(a, [&](Node& n) { n.ping(net.now).ping(net.node(b).id(), std::nullopt, net.now); });
  net.run_until([&] { return net.last<ping::PingDone>(a) != nullptr; });
  const auto round_trip = net.last<ping::PingDone>(a)->round_trip;
  REQUIRE(round_trip);
  CHECK(*round_trip == 10ms);  // twice the latency: the request travels with the first bytes
}

TEST_CASE("message network: connecting takes as long as over the real channels") {
  const auto time_to_identify = [](Network::MakeChannels make) {
    Network net{5ms, std::move(make)};
    const auto a = net.add(full_config());
    const auto b = net.add(full_config());
    net.connect(a, b);
    return net.now;
  };
  CHECK(time_to_identify(message_channels) == time_to_identify(Network::secure_channels));
}

TEST_CASE("message network: the DHT joins nodes, and gossip reaches them, as an observer sees") {
  Counter counter;
  bool first = true;
  Network net{5ms, [&](crypto::Crypto& crypto, const crypto::KeyPair& identity) {
                auto channels = message_channels(crypto, identity);
                return std::exchange(first, false) ? sim::observe(std::move(channels), counter)
                                                   : std::move(channels);
              }};
  std::vector<std::size_t> nodes{net.add(full_config())};
  while (nodes.size() < 12) {
    nodes.push_back(net.add(full_config()));
    net.drive(nodes.back(), [&](Node& n) { n.join({net[nodes[0]].address}, net.now); });
  }
  for (const std::size_t i : nodes) {
    net.drive(i, [&](Node& n) { n.gossipsub(net.now).subscribe(kTopic, net.now); });
  }
  net.run_until([&] {
    return std::ranges::all_of(
        nodes, [&](std::size_t i) { return net.node(i).kad()->table().size() == 11; });
  });
  net.run_for(3s);  // heartbeats, in which meshes form

  const base::Bytes data(1000, 7);
  net.drive(nodes[7], [&](Node& n) {
    CHECK(n.gossipsub(net.now).publish(kTopic, data, net.now).has_value());
  });
  const auto published_at = net.now;
  net.run_until([&] {
    return std::ranges::all_of(nodes, [&](std::size_t i) {
      const auto* ask = net.last<gossipsub::Validate>(i);
      if (ask == nullptr) return i == nodes[7];
      net.drive(i, [&, token = ask->token](Node& n) {
        n.gossipsub(net.now).report(token, gossipsub::Verdict::kAccept, net.now);
      });
      return net.last<gossipsub::Delivered>(i) != nullptr;
    });
  });
  CHECK(net.now - published_at < 1s);

  CHECK(counter.received_bytes.at(std::string{gossipsub::kProtocols[0]}) > data.size());
  CHECK(counter.sent_bytes.at("/ipfs/id/1.0.0") > 0);
  CHECK(counter.received_bytes.at("/ggen/marketplace/1.0.0") > 0);
}
