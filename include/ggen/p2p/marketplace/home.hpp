#pragma once

#include <filesystem>
#include <string>

#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/marketplace/failure.hpp>

/// The folder of one node: its keys, and the store with its packages.
namespace ggen::p2p::marketplace {

/// Makes the home, with mode 0700, or checks the one that is there: a folder of this user into
/// which nobody else may write. Parents are made too.
[[nodiscard]] Result<void> prepare_home(const std::filesystem::path& home);

/// Reads a private key: libp2p's PrivateKey message in a file that only its owner may read.
/// Otherwise it is refused, with the command to type.
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
/// Reads all of them from the home, and makes those that are missing: `identity` (a path relative
/// to the home), `publisher.key` and `publisher-next.key`.
[[nodiscard]] Result<Keys> read_or_make_keys(const std::filesystem::path& home,
                                             const std::filesystem::path& identity);

}  // namespace ggen::p2p::marketplace
