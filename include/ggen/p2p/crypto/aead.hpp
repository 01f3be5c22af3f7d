#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <ggen/p2p/base/bytes.hpp>

struct evp_cipher_ctx_st;  // OpenSSL's EVP_CIPHER_CTX

namespace ggen::p2p::crypto {

/// ChaCha20-Poly1305 (RFC 8439) under one key, with the nonces that Noise uses: four zero bytes,
/// then the counter in little endian.
///
/// The key's state takes about 1 KiB and is made once: sealing and opening allocate nothing. Both
/// keep scratch in it, so an object serves one thread at a time. Messages are shorter than 2 GiB.
class ChaChaPoly {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kTagSize = 16;

  explicit ChaChaPoly(std::span<const std::uint8_t, kKeySize> key);

  /// Writes the ciphertext of `plaintext` and then its tag to `out`, which is kTagSize longer and
  /// either starts where `plaintext` starts or does not overlap it. A nonce must never be used
  /// twice.
  void seal(std::uint64_t nonce, base::BytesView aad, base::BytesView plaintext,
            base::MutableBytes out);

  /// Checks `sealed` and writes its plaintext to `out`, which is kTagSize shorter and either starts
  /// where `sealed` starts or does not overlap it. False when `sealed` is not what the key's owner
  /// sealed with this nonce and this `aad`, or is too short to be; `out` is then wiped.
  [[nodiscard]] bool open(std::uint64_t nonce, base::BytesView aad, base::BytesView sealed,
                          base::MutableBytes out);

 private:
  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };

  std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
};

}  // namespace ggen::p2p::crypto
