#pragma once

#include <cstddef>
#include <expected>
#include <string_view>
#include <vector>

#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::registry {

enum class KeySetError {
  kEmpty,
  kTooMany,
  kBadKey,     ///< not the encoding of a public key
  kNotSorted,  ///< not in rising order of the encodings, or one comes twice
};
[[nodiscard]] std::string_view to_string(KeySetError error) noexcept;

/// The keys that may sign a publisher's entries at a time, each on its own: in rising order of
/// their encodings, so that a set has one digest. The digest of the next set stands in the log
/// before anybody sees its keys: a thief of today's keys cannot name tomorrow's.
class KeySet {
 public:
  static constexpr std::size_t kMaxKeys = 8;

  /// In any order; a key that comes twice is kNotSorted.
  [[nodiscard]] static std::expected<KeySet, KeySetError> of(std::vector<crypto::PublicKey> keys);
  /// As received: the order is not mended.
  [[nodiscard]] static std::expected<KeySet, KeySetError> decode(
      const std::vector<base::BytesView>& encoded);

  [[nodiscard]] const std::vector<crypto::PublicKey>& keys() const noexcept { return keys_; }
  [[nodiscard]] bool contains(const crypto::PublicKey& key) const;
  /// SHA-256 over all encodings, each behind its length as an unsigned varint.
  [[nodiscard]] crypto::Sha256Digest digest() const;

  bool operator==(const KeySet&) const = default;

 private:
  explicit KeySet(std::vector<crypto::PublicKey> keys) : keys_(std::move(keys)) {}

  std::vector<crypto::PublicKey> keys_;
};

}  // namespace ggen::p2p::registry
