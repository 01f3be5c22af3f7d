#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::test {

/// An identity of its own for each number.
inline crypto::KeyPair key_pair(std::uint8_t number) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = number;
  return crypto::KeyPair::from_seed(seed);
}
inline multiformats::PeerId peer_id(std::uint8_t number) {
  return multiformats::PeerId::of(key_pair(number).public_key());
}

/// The system's crypto with entropy from a seed, so that a failing test fails again.
class SeededCrypto : public crypto::Crypto {
 public:
  explicit SeededCrypto(std::uint64_t seed) : prng_(seed), system_(crypto::make_system_crypto()) {}

  void random(base::MutableBytes out) override { prng_.fill(out); }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair& key, base::BytesView message) override {
    return system_->sign(key, message);
  }
  bool verify(const crypto::PublicKey& key, base::BytesView message,
              base::BytesView signature) override {
    return system_->verify(key, message, signature);
  }

 private:
  base::Prng prng_;
  std::unique_ptr<crypto::Crypto> system_;
};

}  // namespace ggen::p2p::test
