#include <algorithm>
#include <array>
#include <string_view>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/crypto/hkdf.hpp>
#include <ggen/p2p/noise/symmetric_state.hpp>

namespace ggen::p2p::noise {
namespace {

// As long as a hash, so it stands for itself as the first one.
constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(kProtocolName.size() == std::tuple_size_v<crypto::Sha256Digest>);

}  // namespace

SymmetricState::SymmetricState() {
  std::ranges::copy(base::as_bytes(kProtocolName), hash_.begin());
  chaining_key_ = crypto::Secret<32>{hash_};
}

void SymmetricState::mix_hash(base::BytesView bytes) {
  hash_ = hasher_.update(hash_).update(bytes).finish();
}

void SymmetricState::mix_key(const crypto::Secret<32>& shared_secret) {
  std::array<crypto::Secret<32>, 2> keys;
  crypto::hkdf_sha256(chaining_key_, shared_secret.view(), keys);
  chaining_key_ = std::move(keys[0]);
  cipher_.emplace(keys[1].view());
}

std::size_t SymmetricState::tag_size() const noexcept {
  return cipher_ ? CipherState::kTagSize : 0;
}

void SymmetricState::encrypt_and_hash(base::BytesView plaintext, base::Bytes& out) {
  const std::size_t start = out.size();
  out.resize(start + plaintext.size() + tag_size());
  const base::MutableBytes sealed = base::MutableBytes{out}.subspan(start);
  if (cipher_) {
    // A handshake key seals two messages at most.
    GGEN_INVARIANT(cipher_->seal(hash_, plaintext, sealed).has_value());
  } else {
    std::ranges::copy(plaintext, sealed.begin());
  }
  mix_hash(sealed);
}

std::expected<base::Bytes, Error> SymmetricState::decrypt_and_hash(base::BytesView sealed) {
  GGEN_INVARIANT(sealed.size() >= tag_size());
  base::Bytes plaintext(sealed.size() - tag_size());
  if (cipher_) {
    if (const auto opened = cipher_->open(hash_, sealed, plaintext); !opened) {
      return std::unexpected(opened.error());
    }
  } else {
    std::ranges::copy(sealed, plaintext.begin());
  }
  mix_hash(sealed);
  return plaintext;
}

std::pair<CipherState, CipherState> SymmetricState::split() const {
  std::array<crypto::Secret<32>, 2> keys;
  crypto::hkdf_sha256(chaining_key_, {}, keys);
  return {CipherState{keys[0].view()}, CipherState{keys[1].view()}};
}

}  // namespace ggen::p2p::noise
