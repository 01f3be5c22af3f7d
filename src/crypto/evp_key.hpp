#pragma once

#include <memory>

#include <openssl/evp.h>

#include <ggen/p2p/base/bytes.hpp>

#include "key_data.hpp"

/// Public keys of the types that OpenSSL verifies. Keys are built from numbers that were checked
/// before: OpenSSL's own decoders never see the bytes of a remote key. Nothing is left behind in
/// OpenSSL's error queue.
namespace ggen::p2p::crypto {

struct EvpKeyDeleter {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpKeyDeleter>;

/// Null when OpenSSL does not take the numbers.
[[nodiscard]] EvpKey make_rsa_key(const RsaNumbers& numbers);
/// Null when the point is not on its curve.
[[nodiscard]] EvpKey make_curve_key(const CurvePoint& point);

/// Whether this is the key's signature over the SHA-256 of the message: RSASSA-PKCS1-v1_5 for an
/// RSA key, DER-encoded ECDSA for one on a curve.
[[nodiscard]] bool verify_sha256(EVP_PKEY& key, base::BytesView message, base::BytesView signature);

}  // namespace ggen::p2p::crypto
