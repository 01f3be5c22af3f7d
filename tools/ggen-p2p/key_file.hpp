#pragma once

#include <filesystem>

#include <ggen/p2p/crypto/keys.hpp>

#include "error.hpp"
#include "settings.hpp"

/// Private keys on disk: libp2p's PrivateKey message, readable by their owner only.
namespace ggen::p2p::cli {

/// Reads a key. Refused, with the command to type, when anybody else may read it.
[[nodiscard]] Result<crypto::KeyPair> read_key(const std::filesystem::path& path);
/// Reads a key, or makes a fresh one if there is no such file. The file appears as a whole or not
/// at all, whatever happens meanwhile, and never replaces another.
[[nodiscard]] Result<crypto::KeyPair> read_or_make_key(const std::filesystem::path& path);

/// The keys of a node. `identity` proves who it is on the network; `publisher` signs what its owner
/// publishes; `next_publisher` will, once the publisher changes keys.
struct Keys {
  crypto::KeyPair identity;
  crypto::KeyPair publisher;
  crypto::KeyPair next_publisher;
};
/// Reads all of them from the home, and makes those that are missing.
[[nodiscard]] Result<Keys> read_or_make_keys(const Settings& settings);

}  // namespace ggen::p2p::cli
