#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/crypto/secret.hpp>
#include <ggen/p2p/crypto/x25519.hpp>

namespace ggen::p2p::crypto {

/// The one object through which engines get entropy, agree on secrets, sign and verify. The host
/// injects the system's; the simulator injects one that is seeded, memoizes verifications, spares
/// itself the curve, and keeps the account of CPU time.
class Crypto {
 public:
  virtual ~Crypto() = default;

  virtual void random(base::MutableBytes out) = 0;
  [[nodiscard]] virtual std::array<std::uint8_t, 64> sign(const KeyPair& key,
                                                          base::BytesView message) = 0;
  /// False for a wrong signature, and for one whose form is wrong. Any key type.
  [[nodiscard]] virtual bool verify(const PublicKey& key, base::BytesView message,
                                    base::BytesView signature) = 0;
  /// A fresh key pair.
  [[nodiscard]] virtual X25519KeyPair draw_x25519() {
    Secret<32> secret;
    random(secret.writable());
    return X25519KeyPair::from_secret(std::move(secret));
  }
  /// X25519KeyPair::shared_secret() of `own`.
  [[nodiscard]] virtual std::optional<Secret<32>> agree(const X25519KeyPair& own,
                                                        const X25519PublicKey& remote) {
    return own.shared_secret(remote);
  }
};

/// libsodium's entropy and Ed25519, OpenSSL's RSA, ECDSA and secp256k1. Aborts if the library
/// cannot start.
[[nodiscard]] std::unique_ptr<Crypto> make_system_crypto();

}  // namespace ggen::p2p::crypto
