#pragma once

#include <cstddef>
#include <expected>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/noise/cipher_state.hpp>
#include <ggen/p2p/noise/error.hpp>

namespace ggen::p2p::noise {

/// A frame is [2-byte length, big endian][ciphertext][16-byte tag]; the length counts what follows
/// it (libp2p/specs noise/README.md, Wire Format).
inline constexpr std::size_t kLengthSize = 2;
inline constexpr std::size_t kOverhead = kLengthSize + CipherState::kTagSize;
/// The longest plaintext that a frame can carry.
inline constexpr std::size_t kMaxPlaintext = 65535 - CipherState::kTagSize;
/// The plaintext to prefer for bulk data: a multiple of 128 bytes seals a quarter faster than the
/// longest one, and its frame fits a 64 KiB block.
inline constexpr std::size_t kBestPlaintext = 65408;

/// Seals what this side sends. Allocates nothing a frame. Not thread-safe.
class Sender {
 public:
  explicit Sender(CipherState cipher) : cipher_(std::move(cipher)) {}

  /// Makes a frame in place: `plaintext_size` bytes (at most kMaxPlaintext) stand at
  /// frame[kLengthSize], and `frame` is at least kOverhead longer. Returns the size of the frame.
  /// The only error is kNonceExhausted.
  std::expected<std::size_t, Error> seal(base::MutableBytes frame, std::size_t plaintext_size);

 private:
  CipherState cipher_;
};

}  // namespace ggen::p2p::noise
