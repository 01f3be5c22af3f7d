#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/key_set.hpp>
#include <ggen/p2p/registry/merkle.hpp>

#include "network.hpp"

using namespace ggen::p2p;
using node::Node;
using node::test::Network;
using namespace std::chrono_literals;
namespace event = registry::event;

namespace {

crypto::KeyPair key_of(std::size_t number) {
  std::array<std::uint8_t, 32> seed{};
  base::store_big_endian(seed.data(), static_cast<std::uint64_t>(number));
  return crypto::KeyPair::from_seed(seed);
}

registry::Signer signer_of(std::size_t index) {
  const auto next = registry::KeySet::of({key_of(2000 + index).public_key()});
  return {key_of(1000 + index), next->digest()};
}

// A marketplace whose nodes know only the first one's address.
std::vector<std::size_t> marketplace_of(Network& net, std::size_t count) {
  node::Config config;
  config.kad.emplace();
  config.gossipsub.emplace();
  std::vector<std::size_t> nodes;
  while (nodes.size() < count) {
    const std::size_t index = net.add(config);
    net.drive(index,
              [&](Node& n) { n.open_registry(registry::Config{}, signer_of(index), net.now); });
    nodes.push_back(index);
    if (index == nodes[0]) continue;
    net.drive(index, [&](Node& n) { n.join({net[nodes[0]].address}, net.now); });
  }
  net.run_until([&] {
    return std::ranges::all_of(
        nodes, [&](std::size_t i) { return net.node(i).kad()->table().size() == count - 1; });
  });
  net.run_for(3s);  // heartbeats, in which meshes form
  return nodes;
}

struct Package {
  registry::Metadata metadata;
  registry::Archive archive;
  std::vector<base::Bytes> chunks;
  std::vector<crypto::Sha256Digest> hashes;
};

Package package(const std::string& name, std::size_t size) {
  Package made{{*registry::Name::parse(name), *registry::Version::parse("1.0.0")}, {}, {}, {}};
  made.metadata.description = "The package called " + name;
  made.archive.packed_size = size;
  made.archive.tar_size = size;
  made.archive.chunk_size = registry::Archive::chunk_size_for(size);
  for (std::size_t i = 0; i < made.archive.chunk_count(); ++i) {
    made.chunks.emplace_back(made.archive.chunk_bytes(i), static_cast<std::uint8_t>(i + size));
    made.hashes.push_back(registry::chunk_hash(made.chunks.back()));
  }
  made.archive.root = registry::merkle_root(made.hashes);
  return made;
}

// As a driver does that has packed a directory.
void publish(Network& net, std::size_t index, const Package& what) {
  auto& storage = net[index].storage;
  REQUIRE(storage.run(registry::store::CreateBlob{what.archive, what.hashes}).has_value());
  for (std::size_t i = 0; i < what.chunks.size(); ++i) {
    REQUIRE(storage
                .run(registry::store::WriteChunk{what.archive.root, i,
                                                 base::Buffer::copy_of(what.chunks[i])})
                .has_value());
  }
  net.drive(index, [&](Node& n) {
    n.registry(net.now).adopt_archive(what.archive, net.now);
    n.registry(net.now).publish(what.metadata, what.archive, net.now);
  });
  net.run_until([&] { return net.last<event::PublishDone>(index) != nullptr; });
  REQUIRE(net.last<event::PublishDone>(index)->result.has_value());
}

bool knows(const Network& net, std::size_t index, const Package& what) {
  const auto reference = registry::Reference::parse(what.metadata.name.text());
  return net.node(index).registry()->catalog().resolve(*reference).has_value();
}

const event::FetchDone& fetch(Network& net, std::size_t index, const Package& what) {
  net.drive(index, [&](Node& n) { n.registry(net.now).fetch(what.archive, {}, net.now); });
  net.run_until([&] { return net.last<event::FetchDone>(index) != nullptr; });
  return *net.last<event::FetchDone>(index);
}

}  // namespace

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
