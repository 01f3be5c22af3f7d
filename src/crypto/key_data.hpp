#pragma once

#include <expected>
#include <optional>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>

/// What the Data field of a public key message holds for each type of key, checked without the help
/// of a crypto library. The views point into the data.
namespace ggen::p2p::crypto {

inline constexpr std::size_t kEd25519KeySize = 32;

/// Big-endian digits without leading zeros.
struct RsaNumbers {
  base::BytesView modulus;
  base::BytesView exponent;
};
/// From a SubjectPublicKeyInfo. The modulus is odd and within kMinRsaBits and kMaxRsaBits, the
/// exponent odd and between 3 and 2^31 - 1, as go-libp2p has it.
[[nodiscard]] std::expected<RsaNumbers, KeyError> read_rsa(base::BytesView data);

/// A point as SEC 1 encodes it. Whether it lies on the curve is not known yet.
struct CurvePoint {
  const char* curve;  ///< OpenSSL's name
  base::BytesView point;
};
/// From a SubjectPublicKeyInfo over P-256, P-384 or P-521, uncompressed.
[[nodiscard]] std::expected<CurvePoint, KeyError> read_ecdsa(base::BytesView data);
/// From a compressed point.
[[nodiscard]] std::expected<CurvePoint, KeyError> read_secp256k1(base::BytesView data);

/// Why this is not a key of this type, if it is not.
[[nodiscard]] std::optional<KeyError> find_fault(KeyType type, base::BytesView data);

}  // namespace ggen::p2p::crypto
