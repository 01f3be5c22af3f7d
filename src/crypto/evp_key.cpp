#include "evp_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::crypto {
namespace {

template <auto free>
struct Deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;

/// The error queue belongs to the thread, so what a remote's bad key leaves there would show up in
/// some later, unrelated call.
class ErrorScope {
 public:
  ErrorScope() { ERR_set_mark(); }
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
  ~ErrorScope() { ERR_pop_to_mark(); }
};

BigNumber to_big_number(base::BytesView digits) {
  BigNumber number(BN_bin2bn(digits.data(), static_cast<int>(digits.size()), nullptr));
  GGEN_INVARIANT(number != nullptr);
  return number;
}

EvpKey make_key(const char* algorithm, OSSL_PARAM* parameters) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  GGEN_INVARIANT(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return EvpKey(key);
}

}  // namespace

EvpKey make_rsa_key(const RsaNumbers& numbers) {
  const ErrorScope errors;
  const BigNumber modulus = to_big_number(numbers.modulus);
  const BigNumber exponent = to_big_number(numbers.exponent);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  GGEN_INVARIANT(builder != nullptr);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  GGEN_INVARIANT(parameters != nullptr);
  return make_key("RSA", parameters.get());
}

EvpKey make_curve_key(const CurvePoint& point) {
  const ErrorScope errors;
  // OpenSSL's parameters are not const, but those given to EVP_PKEY_fromdata are only read.
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                              const_cast<char*>(point.curve), 0),
                             OSSL_PARAM_construct_octet_string(
                                 OSSL_PKEY_PARAM_PUB_KEY,
                                 const_cast<std::uint8_t*>(point.point.data()), point.point.size()),
                             OSSL_PARAM_construct_end()};
  return make_key("EC", parameters);
}

bool verify_sha256(EVP_PKEY& key, base::BytesView message, base::BytesView signature) {
  const ErrorScope errors;
  const DigestContext context(EVP_MD_CTX_new());
  GGEN_INVARIANT(context != nullptr);
  if (EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA2-256", nullptr, nullptr, &key,
                              nullptr) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace ggen::p2p::crypto
