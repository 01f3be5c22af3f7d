#include <cstdint>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/crypto/hkdf.hpp>

namespace ggen::p2p::crypto {
namespace {

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using Mac = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

Mac make_prototype() {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Mac context{EVP_MAC_CTX_new(hmac)};
  EVP_MAC_free(hmac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  GGEN_INVARIANT(context != nullptr && EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

// Looking an algorithm up costs more than using it: that is done once, for a context without a key.
// A copy serves one call, so that no key outlives it.
Mac make_hmac() {
  static const Mac prototype = make_prototype();
  Mac context{EVP_MAC_CTX_dup(prototype.get())};
  GGEN_INVARIANT(context != nullptr);
  return context;
}

void start(const Mac& hmac, const Secret<32>& key) {
  GGEN_INVARIANT(EVP_MAC_init(hmac.get(), key.view().data(), key.view().size(), nullptr) == 1);
}

void restart_with_same_key(const Mac& hmac) {
  GGEN_INVARIANT(EVP_MAC_init(hmac.get(), nullptr, 0, nullptr) == 1);
}

void update(const Mac& hmac, base::BytesView bytes) {
  GGEN_INVARIANT(EVP_MAC_update(hmac.get(), bytes.data(), bytes.size()) == 1);
}

void finish(const Mac& hmac, Secret<32>& out) {
  std::size_t size = 0;
  GGEN_INVARIANT(EVP_MAC_final(hmac.get(), out.writable().data(), &size, 32) == 1 && size == 32);
}

}  // namespace

void hkdf_sha256(const Secret<32>& chaining_key, base::BytesView input,
                 std::span<Secret<32>> outputs) {
  GGEN_INVARIANT(outputs.size() == 2 || outputs.size() == 3);
  const Mac hmac = make_hmac();
  Secret<32> temporary_key;
  start(hmac, chaining_key);
  update(hmac, input);
  finish(hmac, temporary_key);

  start(hmac, temporary_key);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) {
      restart_with_same_key(hmac);
      update(hmac, outputs[i - 1].view());
    }
    const auto counter = static_cast<std::uint8_t>(i + 1);
    update(hmac, {&counter, 1});
    finish(hmac, outputs[i]);
  }
}

}  // namespace ggen::p2p::crypto
