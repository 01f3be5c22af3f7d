#pragma once

#include <cstdint>
#include <optional>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>

/// The PublicKey and PrivateKey protobuf messages, which look alike. The specification leaves them
/// a single encoding: both fields, in order, in their shortest form, and nothing else. Only that
/// one is read, so that a key has one peer id; a general protobuf reader would take many.
namespace ggen::p2p::crypto {

struct KeyMessage {
  std::uint64_t type = 0;
  base::BytesView data;  ///< points into the message
};

[[nodiscard]] std::optional<KeyMessage> read_key_message(base::BytesView message);
/// Allocates once, so that a secret leaves no copy behind.
[[nodiscard]] base::Bytes write_key_message(KeyType type, base::BytesView data);

}  // namespace ggen::p2p::crypto
