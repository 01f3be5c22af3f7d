#pragma once

#include <filesystem>
#include <vector>

#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/registry/engine.hpp>

namespace ggen::p2p::marketplace {

/// What a Registry is made of. Everything has a default that works.
struct Config {
  Config();

  /// Holds the keys, the journal, the archives and the index; made when it is not there, readable
  /// by its owner only. At most one Registry uses it at a time.
  /// By default $GGEN_HOME, or a folder `ggen-p2p` where programs keep what belongs to the user.
  std::filesystem::path home;
  /// The file of the node's private key, relative to the home.
  std::filesystem::path identity = "identity.key";
  /// Empty: this node is not reachable from outside, but takes part by the connections that it
  /// makes.
  std::vector<multiformats::Multiaddr> listen;
  /// Dialled whenever no peer is connected.
  std::vector<multiformats::Multiaddr> bootstrap;
  /// In `host.node` stand the DHT's and gossipsub's settings, which a marketplace needs.
  host::Config host;
  registry::Config registry;
};

}  // namespace ggen::p2p::marketplace
