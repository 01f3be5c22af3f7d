#pragma once

#include <compare>
#include <cstring>
#include <functional>
#include <string>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::registry {

/// The id of an entry: the SHA-256 of its payload as received.
struct EntryId {
  crypto::Sha256Digest digest{};

  /// Hexadecimal.
  [[nodiscard]] std::string to_string() const { return base::to_hex(digest); }

  auto operator<=>(const EntryId&) const = default;
  bool operator==(const EntryId&) const = default;
};

}  // namespace ggen::p2p::registry

template <>
struct std::hash<ggen::p2p::registry::EntryId> {
  std::size_t operator()(const ggen::p2p::registry::EntryId& id) const noexcept {
    std::size_t value = 0;  // a digest is as good as any hash of it
    std::memcpy(&value, id.digest.data(), sizeof value);
    return value;
  }
};
