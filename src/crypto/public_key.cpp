#include <ggen/p2p/crypto/keys.hpp>

#include "key_data.hpp"
#include "key_message.hpp"

namespace ggen::p2p::crypto {

std::string_view to_string(KeyType type) noexcept {
  switch (type) {
    case KeyType::kRsa:
      return "RSA";
    case KeyType::kEd25519:
      return "Ed25519";
    case KeyType::kSecp256k1:
      return "Secp256k1";
    case KeyType::kEcdsa:
      return "ECDSA";
  }
  return "unknown key type";
}

std::string_view to_string(KeyError error) noexcept {
  switch (error) {
    case KeyError::kMalformed:
      return "not an encoded key";
    case KeyError::kUnknownType:
      return "a key of an unknown type";
    case KeyError::kTooLarge:
      return "the key is too large";
    case KeyError::kWeak:
      return "an RSA key below 2048 bits";
    case KeyError::kInvalid:
      return "well-formed, but not a valid key of its type";
    case KeyError::kUnsupported:
      return "private keys of this type are not supported";
  }
  return "unknown key error";
}

std::expected<PublicKey, KeyError> PublicKey::decode(base::BytesView message) {
  if (message.size() > kMaxEncodedKey) return std::unexpected(KeyError::kTooLarge);
  const auto fields = read_key_message(message);
  if (!fields) return std::unexpected(KeyError::kMalformed);
  if (fields->type > static_cast<std::uint64_t>(KeyType::kEcdsa)) {
    return std::unexpected(KeyError::kUnknownType);
  }
  const auto type = static_cast<KeyType>(fields->type);
  if (const auto fault = find_fault(type, fields->data)) return std::unexpected(*fault);
  return PublicKey(type, base::to_bytes(fields->data));
}

PublicKey PublicKey::ed25519(std::span<const std::uint8_t, 32> point) {
  return PublicKey(KeyType::kEd25519, base::to_bytes(point));
}

base::Bytes PublicKey::encode() const {
  return write_key_message(type_, data_);
}

}  // namespace ggen::p2p::crypto
