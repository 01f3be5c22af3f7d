#include <algorithm>
#include <array>
#include <climits>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/crypto/aead.hpp>

namespace ggen::p2p::crypto {
namespace {

constexpr int kEncrypt = 1;
constexpr int kDecrypt = 0;

// Looking an algorithm up costs more than sealing a short message: it is done once, and kept for
// the life of the process.
const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  GGEN_INVARIANT(fetched != nullptr);
  return fetched;
}

// Gives only the nonce: the key and all that derives from it stay in the context.
void start(EVP_CIPHER_CTX* context, std::uint64_t nonce, int direction) {
  std::array<unsigned char, 12> iv{};
  for (std::size_t i = 4; i < iv.size(); ++i) {
    iv[i] = static_cast<unsigned char>(nonce);
    nonce >>= 8;
  }
  GGEN_INVARIANT(EVP_CipherInit_ex2(context, nullptr, nullptr, iv.data(), direction, nullptr) == 1);
}

// A null `out` makes the input associated data.
void update(EVP_CIPHER_CTX* context, base::BytesView in, std::uint8_t* out) {
  if (in.empty()) return;
  GGEN_INVARIANT(in.size() <= INT_MAX);
  int written = 0;
  GGEN_INVARIANT(EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) ==
                 1);
}

}  // namespace

void ChaChaPoly::FreeContext::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

ChaChaPoly::ChaChaPoly(std::span<const std::uint8_t, kKeySize> key)
    : context_(EVP_CIPHER_CTX_new()) {
  GGEN_INVARIANT(context_ != nullptr);
  GGEN_INVARIANT(
      EVP_CipherInit_ex2(context_.get(), cipher(), key.data(), nullptr, kEncrypt, nullptr) == 1);
}

void ChaChaPoly::seal(std::uint64_t nonce, base::BytesView aad, base::BytesView plaintext,
                      base::MutableBytes out) {
  GGEN_INVARIANT(out.size() == plaintext.size() + kTagSize);
  EVP_CIPHER_CTX* context = context_.get();
  start(context, nonce, kEncrypt);
  update(context, aad, nullptr);
  update(context, plaintext, out.data());
  const base::MutableBytes tag = out.last(kTagSize);
  int none = 0;
  GGEN_INVARIANT(EVP_CipherFinal_ex(context, tag.data(), &none) == 1);
  GGEN_INVARIANT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1);
}

bool ChaChaPoly::open(std::uint64_t nonce, base::BytesView aad, base::BytesView sealed,
                      base::MutableBytes out) {
  if (sealed.size() < kTagSize) return false;
  GGEN_INVARIANT(out.size() == sealed.size() - kTagSize);
  EVP_CIPHER_CTX* context = context_.get();
  start(context, nonce, kDecrypt);
  std::array<std::uint8_t, kTagSize> tag;
  std::copy_n(sealed.last(kTagSize).begin(), kTagSize, tag.begin());
  GGEN_INVARIANT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1);
  update(context, aad, nullptr);
  update(context, sealed.first(out.size()), out.data());
  int none = 0;
  if (EVP_CipherFinal_ex(context, tag.data(), &none) == 1) return true;
  // What was not authenticated must not be read by mistake.
  if (!out.empty()) OPENSSL_cleanse(out.data(), out.size());
  return false;
}

}  // namespace ggen::p2p::crypto
