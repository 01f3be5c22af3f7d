#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/aead.hpp>
#include <ggen/p2p/noise/error.hpp>

namespace ggen::p2p::noise {

/// A key and the nonce of its next message: the CipherState of the Noise specification, section
/// 5.1. Takes about 1 KiB; sealing and opening allocate nothing. Not thread-safe.
class CipherState {
 public:
  static constexpr std::size_t kTagSize = crypto::ChaChaPoly::kTagSize;

  /// `next_nonce` is 0 unless messages have passed already.
  explicit CipherState(std::span<const std::uint8_t, 32> key, std::uint64_t next_nonce = 0)
      : cipher_(key), next_nonce_(next_nonce) {}

  /// As crypto::ChaChaPoly::seal, with the next nonce. kNonceExhausted once there is none.
  std::expected<void, Error> seal(base::BytesView aad, base::BytesView plaintext,
                                  base::MutableBytes out);
  /// As crypto::ChaChaPoly::open, with the next nonce, which a failure does not use up.
  std::expected<void, Error> open(base::BytesView aad, base::BytesView sealed,
                                  base::MutableBytes out);

 private:
  crypto::ChaChaPoly cipher_;
  std::uint64_t next_nonce_;
};

}  // namespace ggen::p2p::noise
