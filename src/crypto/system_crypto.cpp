#include <sodium.h>

#include <ggen/p2p/crypto/crypto.hpp>

#include "evp_key.hpp"
#include "key_data.hpp"
#include "sodium.hpp"

namespace ggen::p2p::crypto {
namespace {

// No signature is longer than one by the largest RSA key.
constexpr std::size_t kMaxSignature = kMaxRsaBits / 8;

bool verify_with(const EvpKey& key, base::BytesView message, base::BytesView signature) {
  return key != nullptr && verify_sha256(*key, message, signature);
}

bool verify_ed25519(base::BytesView key, base::BytesView message, base::BytesView signature) {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

bool verify_rsa(base::BytesView key, base::BytesView message, base::BytesView signature) {
  const auto numbers = read_rsa(key);
  return numbers && verify_with(make_rsa_key(*numbers), message, signature);
}

bool verify_on_curve(const std::expected<CurvePoint, KeyError>& key, base::BytesView message,
                     base::BytesView signature) {
  return key && verify_with(make_curve_key(*key), message, signature);
}

class SystemCrypto final : public Crypto {
 public:
  SystemCrypto() { start_sodium(); }

  void random(base::MutableBytes out) override {
    if (!out.empty()) randombytes_buf(out.data(), out.size());
  }

  std::array<std::uint8_t, 64> sign(const KeyPair& key, base::BytesView message) override {
    return key.sign(message);
  }

  bool verify(const PublicKey& key, base::BytesView message, base::BytesView signature) override {
    if (signature.empty() || signature.size() > kMaxSignature) return false;
    switch (key.type()) {
      case KeyType::kEd25519:
        return verify_ed25519(key.data(), message, signature);
      case KeyType::kRsa:
        return verify_rsa(key.data(), message, signature);
      case KeyType::kSecp256k1:
        return verify_on_curve(read_secp256k1(key.data()), message, signature);
      case KeyType::kEcdsa:
        return verify_on_curve(read_ecdsa(key.data()), message, signature);
    }
    return false;
  }
};

}  // namespace

std::unique_ptr<Crypto> make_system_crypto() {
  return std::make_unique<SystemCrypto>();
}

}  // namespace ggen::p2p::crypto
