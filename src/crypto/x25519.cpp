#include <utility>

#include <sodium.h>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/crypto/x25519.hpp>

#include "sodium.hpp"

namespace ggen::p2p::crypto {

X25519KeyPair X25519KeyPair::from_secret(Secret<32> secret) {
  return X25519KeyPair{std::move(secret)};
}

X25519KeyPair X25519KeyPair::simulated(const X25519PublicKey& public_key) {
  return X25519KeyPair{public_key};
}

X25519KeyPair::X25519KeyPair(Secret<32> secret) : secret_(std::move(secret)) {
  start_sodium();
  GGEN_INVARIANT(
      crypto_scalarmult_curve25519_base(public_key_.data(), secret_->view().data()) == 0);
}

std::optional<Secret<32>> X25519KeyPair::shared_secret(const X25519PublicKey& remote) const {
  if (!secret_) return std::nullopt;
  Secret<32> shared;
  // The library refuses an all-zero result itself.
  if (crypto_scalarmult_curve25519(shared.writable().data(), secret_->view().data(),
                                   remote.data()) != 0) {
    return std::nullopt;
  }
  return shared;
}

}  // namespace ggen::p2p::crypto
