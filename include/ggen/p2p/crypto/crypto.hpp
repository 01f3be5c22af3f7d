#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>

namespace ggen::p2p::crypto {

/// The one object through which engines get entropy, sign and verify. The host injects the
/// system's; the simulator injects one that is seeded, memoizes verifications and keeps the account
/// of CPU time.
class Crypto {
 public:
  virtual ~Crypto() = default;

  virtual void random(base::MutableBytes out) = 0;
  [[nodiscard]] virtual std::array<std::uint8_t, 64> sign(const KeyPair& key,
                                                          base::BytesView message) = 0;
  /// False for a wrong signature, and for one whose form is wrong. Any key type.
  [[nodiscard]] virtual bool verify(const PublicKey& key, base::BytesView message,
                                    base::BytesView signature) = 0;
};

/// libsodium's entropy and Ed25519, OpenSSL's RSA, ECDSA and secp256k1. Aborts if the library
/// cannot start.
[[nodiscard]] std::unique_ptr<Crypto> make_system_crypto();

}  // namespace ggen::p2p::crypto
