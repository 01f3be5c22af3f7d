#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <ggen/p2p/gossipsub/config.hpp>
#include <ggen/p2p/host/host.hpp>
#include <ggen/p2p/kad/config.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/registry/engine.hpp>

namespace ggen::p2p::cli {

/// The connections of a node that a person runs, at home or on a small server.
inline constexpr std::size_t kDefaultConnections = 50;

/// What a node of this program runs with: what the command line and the configuration file say, the
/// rest by default. The table in config_table.hpp names each field that a file can set.
struct Settings {
  Settings();

  /// Where keys, packages and the control socket are; absolute.
  std::filesystem::path home;
  std::vector<multiformats::Multiaddr> listen;
  /// Peers to connect to first, and again after every bootstrap_interval while there are none.
  std::vector<multiformats::Multiaddr> bootstrap;
  base::Duration bootstrap_interval = std::chrono::seconds{60};
  /// The file of the node's private key; relative to the home.
  std::string identity = "identity.key";
  /// Always true: a configuration that says otherwise is refused.
  bool enable_encryption = true;

  host::Config host;
  kad::Config kad;
  bool dht_auto_mode = false;
  gossipsub::Config gossipsub;
  registry::Config registry;

  /// Where spans are written; a relative path starts at the home. Empty: nowhere.
  std::string trace;

  [[nodiscard]] std::filesystem::path identity_path() const { return home / identity; }
  [[nodiscard]] std::filesystem::path trace_path() const { return home / trace; }
};

/// Allows `count` connections, and trims in the proportions of the swarm's defaults.
void set_connections(Settings& settings, std::size_t count);

}  // namespace ggen::p2p::cli
