#pragma once

#include <optional>
#include <utility>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/secret.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/noise/cipher_state.hpp>

namespace ggen::p2p::noise {

/// The chaining key and the hash of everything sent and received so far: the SymmetricState of the
/// Noise specification, section 5.2, for Noise_XX_25519_ChaChaPoly_SHA256.
class SymmetricState {
 public:
  SymmetricState();

  void mix_hash(base::BytesView bytes);
  void mix_key(const crypto::Secret<32>& shared_secret);

  /// Bytes that encryption adds: none before the first key, a tag after it.
  [[nodiscard]] std::size_t tag_size() const noexcept;
  /// Appends the ciphertext to `out`, or the plaintext as it is before the first key.
  void encrypt_and_hash(base::BytesView plaintext, base::Bytes& out);
  /// The inverse. Takes at least tag_size() bytes.
  [[nodiscard]] std::expected<base::Bytes, Error> decrypt_and_hash(base::BytesView sealed);

  [[nodiscard]] const crypto::Sha256Digest& hash() const noexcept { return hash_; }
  /// The ciphers of the initiator's and of the responder's messages, in this order.
  [[nodiscard]] std::pair<CipherState, CipherState> split() const;

 private:
  crypto::Sha256 hasher_;
  crypto::Sha256Digest hash_{};
  crypto::Secret<32> chaining_key_;
  std::optional<CipherState> cipher_;
};

}  // namespace ggen::p2p::noise
