#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <ggen/p2p/crypto/secret.hpp>

namespace ggen::p2p::crypto {

/// The little-endian u-coordinate of RFC 7748 section 5.
using X25519PublicKey = std::array<std::uint8_t, 32>;

/// A Diffie-Hellman key pair of RFC 7748. The secret is wiped when the pair goes.
class X25519KeyPair {
 public:
  /// Any 32 bytes are a secret. Engines draw a pair from Crypto::draw_x25519.
  [[nodiscard]] static X25519KeyPair from_secret(Secret<32> secret);
  /// A pair whose halves have nothing to do with each other, for a simulation that spares itself
  /// the curve. It has no secret, and shared_secret() gives nothing.
  [[nodiscard]] static X25519KeyPair simulated(const X25519PublicKey& public_key);

  [[nodiscard]] const X25519PublicKey& public_key() const noexcept { return public_key_; }

  /// What this pair and the owner of `remote` both can compute. Nothing when it would be all zero:
  /// then `remote` is one of the few points that force the result, and no secret at all.
  [[nodiscard]] std::optional<Secret<32>> shared_secret(const X25519PublicKey& remote) const;

 private:
  explicit X25519KeyPair(Secret<32> secret);
  explicit X25519KeyPair(const X25519PublicKey& public_key) : public_key_(public_key) {}

  std::optional<Secret<32>> secret_;
  X25519PublicKey public_key_{};
};

}  // namespace ggen::p2p::crypto
