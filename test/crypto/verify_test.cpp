#include <memory>
#include <set>

#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <ggen/p2p/crypto/crypto.hpp>

#include "key_vectors.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::crypto;

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;

PublicKey public_key(const char* vector) {
  return PublicKey::decode(hex(vector)).value();
}

base::Bytes sign(const Key& key, base::BytesView message) {
  REQUIRE(key);
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  REQUIRE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
  std::size_t size = 0;
  REQUIRE(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1);
  base::Bytes signature(size);
  REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) ==
          1);
  signature.resize(size);
  return signature;
}

/// The private key inside a PrivateKey message of RSA or ECDSA, whose first `header` bytes are
/// protobuf's.
Key private_key(const char* vector, std::size_t header) {
  const auto message = hex(vector);
  const std::uint8_t* at = message.data() + header;
  return Key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(message.size() - header)));
}

/// A secp256k1 key from its secret number; OpenSSL wants the public key beside it.
Key secp256k1_private_key(const char* private_vector, const char* public_vector) {
  const auto message = hex(private_vector);
  const auto point = public_key(public_vector);
  const std::unique_ptr<BIGNUM, Free> secret(BN_bin2bn(message.data() + 4, 32, nullptr));
  const std::unique_ptr<OSSL_PARAM_BLD, Free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "secp256k1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data().data(),
                                   point.data().size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  const std::unique_ptr<OSSL_PARAM, Free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const std::unique_ptr<EVP_PKEY_CTX, Free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1);
  return Key(key);
}

/// A key's SubjectPublicKeyInfo.
base::Bytes key_info(const Key& key) {
  base::Bytes info(static_cast<std::size_t>(i2d_PUBKEY(key.get(), nullptr)));
  std::uint8_t* at = info.data();
  i2d_PUBKEY(key.get(), &at);
  return info;
}

}  // namespace

TEST_CASE("verify: go-libp2p's signatures, and nothing else") {
  const struct {
    const char* key;
    const char* signature;
  } examples[] = {{vectors::kGoSecp256k1Public, vectors::kGoSecp256k1Signature},
                  {vectors::kGoEcdsaPublic, vectors::kGoEcdsaSignature},
                  {vectors::kGoRsaPublic, vectors::kGoRsaSignature}};
  const auto crypto = make_system_crypto();
  const auto message = base::to_bytes(base::as_bytes(vectors::kSignedMessage));
  for (const auto& example : examples) {
    CAPTURE(example.key);
    const auto key = public_key(example.key);
    auto signature = hex(example.signature);
    CHECK(crypto->verify(key, message, signature));

    CHECK_FALSE(crypto->verify(key, base::BytesView(message).first(20), signature));
    CHECK_FALSE(crypto->verify(key, {}, signature));
    CHECK_FALSE(crypto->verify(key, message, {}));
    CHECK_FALSE(crypto->verify(key, message, base::Bytes(100'000, 0x30)));
    for (std::size_t size = 1; size < signature.size(); ++size) {
      CHECK_FALSE(crypto->verify(key, message, base::BytesView(signature).first(size)));
    }
    for (std::uint8_t& byte : signature) {
      byte ^= 0x10;
      CHECK_FALSE(crypto->verify(key, message, signature));
      byte ^= 0x10;
    }
    signature.push_back(0);
    CHECK_FALSE(crypto->verify(key, message, signature));
    for (const auto& other : examples) {
      if (&other != &example) CHECK_FALSE(crypto->verify(key, message, hex(other.signature)));
    }
  }
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("verify: signatures by the specification's private keys") {
  const auto crypto = make_system_crypto();
  const auto message = base::as_bytes("signed by another implementation");
  const auto check = [&](const Key& secret, const char* public_vector) {
    const auto signature = sign(secret, message);
    CHECK(crypto->verify(public_key(public_vector), message, signature));
    CHECK_FALSE(crypto->verify(public_key(public_vector), {}, signature));
    CHECK(crypto->verify(public_key(public_vector), {}, sign(secret, {})));
  };
  check(private_key(vectors::kRsaPrivate, 5), vectors::kRsaPublic);
  check(private_key(vectors::kEcdsaPrivate, 4), vectors::kEcdsaPublic);
  check(secp256k1_private_key(vectors::kSecp256k1Private, vectors::kSecp256k1Public),
        vectors::kSecp256k1Public);
}

TEST_CASE("verify: ECDSA on the larger curves") {
  const auto crypto = make_system_crypto();
  const auto message = base::as_bytes("a message");
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    CAPTURE(curve);
    const Key secret(EVP_EC_gen(curve));
    REQUIRE(secret);
    const auto key = PublicKey::decode(key_message(3, key_info(secret)));
    REQUIRE(key);
    const auto signature = sign(secret, message);
    CHECK(crypto->verify(*key, message, signature));
    CHECK_FALSE(crypto->verify(*key, base::as_bytes("another"), signature));
    CHECK_FALSE(crypto->verify(public_key(vectors::kEcdsaPublic), message, signature));
  }
}

TEST_CASE("verify: a structurally valid RSA key that no one could have made says no") {
  const auto crypto = make_system_crypto();
  auto message = hex(vectors::kGoRsaPublic);
  message[message.size() - 100] ^= 1;
  const auto key = PublicKey::decode(message);
  REQUIRE(key);
  CHECK_FALSE(
      crypto->verify(*key, base::as_bytes(vectors::kSignedMessage), hex(vectors::kGoRsaSignature)));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("verify: Ed25519") {
  const auto crypto = make_system_crypto();
  const auto pair = KeyPair::from_seed(std::array<std::uint8_t, 32>{42});
  const auto message = base::as_bytes("a message");
  auto signature = crypto->sign(pair, message);
  CHECK(crypto->verify(pair.public_key(), message, signature));
  CHECK(crypto->verify(pair.public_key(), {}, crypto->sign(pair, {})));
  CHECK_FALSE(crypto->verify(pair.public_key(), {}, signature));
  CHECK_FALSE(crypto->verify(pair.public_key(), message, base::BytesView(signature).first(63)));
  for (std::uint8_t& byte : signature) {
    byte ^= 1;
    CHECK_FALSE(crypto->verify(pair.public_key(), message, signature));
    byte ^= 1;
  }
  // Under the neutral point, a signature of that point and zero would fit every message.
  std::array<std::uint8_t, 32> neutral{1};
  std::array<std::uint8_t, 64> forged{1};
  CHECK_FALSE(crypto->verify(PublicKey::ed25519(neutral), message, forged));
}

TEST_CASE("random: fills what it is given, differently each time") {
  const auto crypto = make_system_crypto();
  std::set<base::Bytes> seen;
  for (int i = 0; i < 8; ++i) {
    base::Bytes bytes(32);
    crypto->random(bytes);
    CHECK(seen.insert(bytes).second);
  }
  crypto->random({});
}
