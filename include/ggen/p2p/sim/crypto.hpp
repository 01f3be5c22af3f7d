#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::sim {

/// Results of signature checks that all nodes of a simulation share: what ten thousand nodes
/// verify is verified once. Forgets everything when it is full.
class VerificationCache {
 public:
  explicit VerificationCache(std::size_t max_entries = 1024 * 1024) : max_entries_(max_entries) {}

  [[nodiscard]] bool verify(const crypto::PublicKey& key, base::BytesView message,
                            base::BytesView signature);
  /// Checks that were really made.
  [[nodiscard]] std::uint64_t computed() const noexcept { return computed_; }

 private:
  struct DigestHash {
    std::size_t operator()(const crypto::Sha256Digest& digest) const noexcept;
  };

  std::size_t max_entries_;
  std::unique_ptr<crypto::Crypto> system_ = crypto::make_system_crypto();
  crypto::Sha256 hash_;
  base::HashMap<crypto::Sha256Digest, bool, DigestHash> known_;
  std::uint64_t computed_ = 0;
};

/// What a node asked of its crypto: the account of CPU time that a real machine would have spent.
struct CryptoAccount {
  std::uint64_t signed_messages = 0;
  std::uint64_t verified = 0;
};

/// One node's crypto: entropy from a seed, real Ed25519 signatures, shared results of checks.
/// The key pairs of handshakes are drawn, not computed, and shared secrets are no secrets: whoever
/// has seen both public keys can compute them. All else of a handshake is as it is.
class SimCrypto final : public crypto::Crypto {
 public:
  /// `cache` outlives it.
  SimCrypto(base::Prng prng, VerificationCache& cache) : prng_(prng), cache_(cache) {}

  void random(base::MutableBytes out) override { prng_.fill(out); }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair& key, base::BytesView message) override {
    ++account_.signed_messages;
    return key.sign(message);
  }
  bool verify(const crypto::PublicKey& key, base::BytesView message,
              base::BytesView signature) override {
    ++account_.verified;
    return cache_.verify(key, message, signature);
  }
  crypto::X25519KeyPair draw_x25519() override;
  std::optional<crypto::Secret<32>> agree(const crypto::X25519KeyPair& own,
                                          const crypto::X25519PublicKey& remote) override;

  [[nodiscard]] const CryptoAccount& account() const noexcept { return account_; }

 private:
  base::Prng prng_;
  VerificationCache& cache_;
  CryptoAccount account_;
};

}  // namespace ggen::p2p::sim
