#include "marketplace.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace ggen::p2p;
using node::Node;
using namespace ggen::p2p::node::test;
using namespace std::chrono_literals;
namespace event = registry::event;

TEST_CASE("node: a release reaches twelve nodes within a second, and is found by a search") {
  Network net;
  const auto nodes = marketplace_of(net, 12);
  const Package tabs = package("tabs", 1000);
  publish(net, nodes[7], tabs);
  const auto published_at = net.now;
  net.run_until(
      [&] { return std::ranges::all_of(nodes, [&](auto i) { return knows(net, i, tabs); }); });
  CHECK(net.now - published_at < 1s);

  registry::SearchRequest request;
  request.words = {"tabs"};
  net.drive(nodes[2], [&](Node& n) { n.registry(net.now).search(request, 2s, net.now); });
  net.run_until([&] { return net.last<event::SearchDone>(nodes[2]) != nullptr; });
  const auto* found = net.last<event::SearchDone>(nodes[2]);
  REQUIRE(found->hits.size() == 1);
  CHECK(found->hits.front().metadata == tabs.metadata);
  CHECK(found->asked == found->answered);
  CHECK(found->asked > 0);
}

TEST_CASE("node: a package outlives its publisher") {
  Network net;
  const auto nodes = marketplace_of(net, 6);
  const Package tabs = package("tabs", 5 * 256 * 1024 + 7);
  publish(net, nodes[1], tabs);
  net.run_until(
      [&] { return std::ranges::all_of(nodes, [&](auto i) { return knows(net, i, tabs); }); });

  const auto& first = fetch(net, nodes[3], tabs);
  REQUIRE(first.result.has_value());
  REQUIRE(first.sources.size() == 1);
  CHECK(first.sources.front().peer == net.node(nodes[1]).id());

  net.drive(nodes[1], [&](Node& n) { n.stop(net.now); });
  net.run_for(1s);
  const auto& second = fetch(net, nodes[5], tabs);
  REQUIRE(second.result.has_value());
  REQUIRE(second.sources.size() == 1);
  CHECK(second.sources.front().peer == net.node(nodes[3]).id());
  for (std::size_t i = 0; i < tabs.chunks.size(); ++i) {
    const auto chunk = net[nodes[5]].storage.run(registry::store::ReadChunk{tabs.archive.root, i});
    REQUIRE(chunk.has_value());
    CHECK(base::to_bytes(std::get<registry::store::Chunk>(*chunk).bytes.view()) == tabs.chunks[i]);
  }
}

TEST_CASE("node: who was away when a release was announced catches up") {
  Network net;
  const auto nodes = marketplace_of(net, 3);
  const Package tabs = package("tabs", 1000);
  publish(net, nodes[1], tabs);

  node::Config config;
  config.kad.emplace();
  config.gossipsub.emplace();
  const auto late = net.add(config);
  net.drive(late, [&](Node& n) {
    n.open_registry({}, signer_of(late), net.now);
    n.join({net[nodes[0]].address}, net.now);
  });
  net.run_until([&] { return knows(net, late, tabs); });
}
