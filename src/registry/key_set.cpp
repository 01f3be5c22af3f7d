#include <algorithm>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/registry/key_set.hpp>

namespace ggen::p2p::registry {

using crypto::PublicKey;

std::string_view to_string(KeySetError error) noexcept {
  switch (error) {
    case KeySetError::kEmpty:
      return "no keys";
    case KeySetError::kTooMany:
      return "more than 8 keys";
    case KeySetError::kBadKey:
      return "not a public key";
    case KeySetError::kNotSorted:
      return "the keys are not in order, or one comes twice";
  }
  return "unknown key set error";
}

std::expected<KeySet, KeySetError> KeySet::of(std::vector<PublicKey> keys) {
  std::ranges::sort(keys, {}, &PublicKey::encode);
  std::vector<base::Bytes> encoded;
  for (const PublicKey& key : keys) encoded.push_back(key.encode());
  return decode({encoded.begin(), encoded.end()});
}

std::expected<KeySet, KeySetError> KeySet::decode(const std::vector<base::BytesView>& encoded) {
  if (encoded.empty()) return std::unexpected(KeySetError::kEmpty);
  if (encoded.size() > kMaxKeys) return std::unexpected(KeySetError::kTooMany);
  const auto rises = [](base::BytesView a, base::BytesView b) {
    return std::ranges::lexicographical_compare(a, b);
  };
  std::vector<PublicKey> keys;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (i > 0 && !rises(encoded[i - 1], encoded[i]))
      return std::unexpected(KeySetError::kNotSorted);
    auto key = PublicKey::decode(encoded[i]);
    if (!key) return std::unexpected(KeySetError::kBadKey);
    keys.push_back(std::move(*key));
  }
  return KeySet(std::move(keys));
}

bool KeySet::contains(const PublicKey& key) const {
  return std::ranges::find(keys_, key) != keys_.end();
}

crypto::Sha256Digest KeySet::digest() const {
  base::Bytes bytes;
  for (const PublicKey& key : keys_) {
    const base::Bytes encoded = key.encode();
    base::append_varint(bytes, encoded.size());
    base::append(bytes, encoded);
  }
  return crypto::sha256(bytes);
}

}  // namespace ggen::p2p::registry
