#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/key_set.hpp>
#include <ggen/p2p/registry/merkle.hpp>

#include "network.hpp"

/// Marketplaces on a network in memory.
namespace ggen::p2p::node::test {

inline crypto::KeyPair key_of(std::size_t number) {
  std::array<std::uint8_t, 32> seed{};
  base::store_big_endian(seed.data(), static_cast<std::uint64_t>(number));
  return crypto::KeyPair::from_seed(seed);
}

inline registry::Signer signer_of(std::size_t index) {
  const auto next = registry::KeySet::of({key_of(2000 + index).public_key()});
  return {key_of(1000 + index), next->digest()};
}

// A marketplace whose nodes know only the first one's address.
inline std::vector<std::size_t> marketplace_of(Network& net, std::size_t count) {
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

inline Package package(const std::string& name, std::size_t size) {
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
inline void publish(Network& net, std::size_t index, const Package& what,
                    const std::function<void(registry::OperationId)>& started = {}) {
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
    const auto id = n.registry(net.now).publish(what.metadata, what.archive, net.now);
    if (started) started(id);
  });
  net.run_until([&] { return net.last<registry::event::PublishDone>(index) != nullptr; });
  REQUIRE(net.last<registry::event::PublishDone>(index)->result.has_value());
}

inline bool knows(const Network& net, std::size_t index, const Package& what) {
  const auto reference = registry::Reference::parse(what.metadata.name.text());
  return net.node(index).registry()->catalog().resolve(*reference).has_value();
}

inline const registry::event::FetchDone& fetch(
    Network& net, std::size_t index, const Package& what,
    const std::function<void(registry::OperationId)>& started = {}) {
  net.drive(index, [&](Node& n) {
    const auto id = n.registry(net.now).fetch(what.archive, {}, net.now);
    if (started) started(id);
  });
  net.run_until([&] { return net.last<registry::event::FetchDone>(index) != nullptr; });
  return *net.last<registry::event::FetchDone>(index);
}

}  // namespace ggen::p2p::node::test
