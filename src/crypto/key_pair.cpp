#include <sodium.h>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/crypto/secret.hpp>

#include "key_data.hpp"
#include "key_message.hpp"
#include "locked_slots.hpp"

namespace ggen::p2p::crypto {

/// The seed followed by the public key, as libsodium and libp2p both have it. Lives in a slot.
struct KeyPair::Secret {
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> bytes;

  static void operator delete(void* memory) noexcept;
};

namespace {

constexpr std::size_t kSeedSize = crypto_sign_SEEDBYTES;
static_assert(kSeedSize == 32 && crypto_sign_PUBLICKEYBYTES == kEd25519KeySize);

LockedSlots& slots() {
  static LockedSlots all{crypto_sign_SECRETKEYBYTES};
  return all;
}

}  // namespace

void KeyPair::Secret::operator delete(void* memory) noexcept {
  slots().free(static_cast<std::uint8_t*>(memory));
}

KeyPair::KeyPair(std::unique_ptr<Secret> secret, PublicKey public_key)
    : secret_(std::move(secret)), public_key_(std::move(public_key)) {}
KeyPair::KeyPair(KeyPair&&) noexcept = default;
KeyPair& KeyPair::operator=(KeyPair&&) noexcept = default;
KeyPair::~KeyPair() = default;

KeyPair KeyPair::from_seed(std::span<const std::uint8_t, 32> seed) {
  crypto::Secret<crypto_sign_SECRETKEYBYTES> secret;
  std::array<std::uint8_t, kEd25519KeySize> point{};
  crypto_sign_seed_keypair(point.data(), secret.writable().data(), seed.data());
  std::unique_ptr<Secret> kept{reinterpret_cast<Secret*>(slots().put(secret.view()))};
  return KeyPair(std::move(kept), PublicKey::ed25519(point));
}

std::expected<KeyPair, KeyError> KeyPair::decode(base::BytesView message) {
  const auto fields = read_key_message(message);
  if (!fields) return std::unexpected(KeyError::kMalformed);
  if (fields->type > static_cast<std::uint64_t>(KeyType::kEcdsa)) {
    return std::unexpected(KeyError::kUnknownType);
  }
  if (static_cast<KeyType>(fields->type) != KeyType::kEd25519) {
    return std::unexpected(KeyError::kUnsupported);
  }
  // The older form repeats the public key.
  const base::BytesView data = fields->data;
  const bool current = data.size() == kSeedSize + kEd25519KeySize;
  const bool older = data.size() == kSeedSize + 2 * kEd25519KeySize;
  if (!current && !older) return std::unexpected(KeyError::kMalformed);

  KeyPair pair = from_seed(data.first<kSeedSize>());
  for (std::size_t at = kSeedSize; at < data.size(); at += kEd25519KeySize) {
    if (!base::equal(data.subspan(at, kEd25519KeySize), pair.public_key_.data())) {
      return std::unexpected(KeyError::kInvalid);
    }
  }
  return pair;
}

base::Bytes KeyPair::encode() const {
  return write_key_message(KeyType::kEd25519, secret_->bytes);
}

std::array<std::uint8_t, 64> KeyPair::sign(base::BytesView message) const {
  std::array<std::uint8_t, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       secret_->bytes.data());
  return signature;
}

}  // namespace ggen::p2p::crypto
