#include <limits>

#include <ggen/p2p/noise/cipher_state.hpp>

namespace ggen::p2p::noise {
namespace {

// The Noise specification keeps the last nonce for itself: no message may use it.
constexpr std::uint64_t kReservedNonce = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::expected<void, Error> CipherState::seal(base::BytesView aad, base::BytesView plaintext,
                                             base::MutableBytes out) {
  if (next_nonce_ == kReservedNonce) return std::unexpected(Error::kNonceExhausted);
  cipher_.seal(next_nonce_, aad, plaintext, out);
  ++next_nonce_;
  return {};
}

std::expected<void, Error> CipherState::open(base::BytesView aad, base::BytesView sealed,
                                             base::MutableBytes out) {
  if (next_nonce_ == kReservedNonce) return std::unexpected(Error::kNonceExhausted);
  if (!cipher_.open(next_nonce_, aad, sealed, out)) {
    return std::unexpected(Error::kDecryptionFailed);
  }
  ++next_nonce_;
  return {};
}

}  // namespace ggen::p2p::noise
