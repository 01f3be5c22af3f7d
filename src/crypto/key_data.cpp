#include "key_data.hpp"

#include <array>
#include <bit>

#include "der.hpp"
#include "evp_key.hpp"

namespace ggen::p2p::crypto {
namespace {

constexpr std::array<std::uint8_t, 9> kRsaEncryption = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                        0x0d, 0x01, 0x01, 0x01};
constexpr std::array<std::uint8_t, 7> kEcPublicKey = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
constexpr std::array<std::uint8_t, 8> kP256 = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::array<std::uint8_t, 5> kP384 = {0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::array<std::uint8_t, 5> kP521 = {0x2b, 0x81, 0x04, 0x00, 0x23};

struct NamedCurve {
  base::BytesView object_id;
  const char* name;
  std::size_t coordinate_size;
};
constexpr std::array<NamedCurve, 3> kCurves = {
    NamedCurve{kP256, "P-256", 32}, NamedCurve{kP384, "P-384", 48}, NamedCurve{kP521, "P-521", 66}};

/// SubjectPublicKeyInfo (RFC 5280, section 4.1): what kind of key, and the key in a bit string.
struct PublicKeyInfo {
  base::BytesView algorithm;
  DerReader parameters;
  base::BytesView key;
};

std::optional<PublicKeyInfo> read_public_key_info(base::BytesView data) {
  DerReader outer(data);
  const auto info = outer.read(DerTag::kSequence);
  if (!info || !outer.at_end()) return std::nullopt;
  DerReader fields(*info);
  const auto identifier = fields.read(DerTag::kSequence);
  const auto bits = fields.read(DerTag::kBitString);
  if (!identifier || !bits || !fields.at_end()) return std::nullopt;
  // The first byte of a bit string counts the unused bits of its last: a key has none.
  if (bits->empty() || bits->front() != 0) return std::nullopt;
  DerReader parameters(*identifier);
  const auto algorithm = parameters.read(DerTag::kObjectId);
  if (!algorithm) return std::nullopt;
  return PublicKeyInfo{*algorithm, parameters, bits->subspan(1)};
}

std::size_t bit_length(base::BytesView digits) {
  return digits.size() * 8 - static_cast<std::size_t>(std::countl_zero(digits.front()));
}

bool is_odd(base::BytesView digits) {
  return (digits.back() & 1) != 0;
}

std::optional<KeyError> find_fault(const RsaNumbers& numbers) {
  const std::size_t bits = bit_length(numbers.modulus);
  if (bits > kMaxRsaBits) return KeyError::kTooLarge;
  if (bits < kMinRsaBits) return KeyError::kWeak;
  const std::size_t exponent_bits = bit_length(numbers.exponent);
  const bool usable = exponent_bits >= 2 && exponent_bits <= 31;
  if (!usable || !is_odd(numbers.exponent) || !is_odd(numbers.modulus)) return KeyError::kInvalid;
  return std::nullopt;
}

std::optional<KeyError> find_fault(const std::expected<CurvePoint, KeyError>& point) {
  if (!point) return point.error();
  if (!make_curve_key(*point)) return KeyError::kInvalid;
  return std::nullopt;
}

}  // namespace

std::expected<RsaNumbers, KeyError> read_rsa(base::BytesView data) {
  auto info = read_public_key_info(data);
  if (!info || !base::equal(info->algorithm, kRsaEncryption)) {
    return std::unexpected(KeyError::kMalformed);
  }
  const auto null = info->parameters.read(DerTag::kNull);
  if (!null || !null->empty() || !info->parameters.at_end()) {
    return std::unexpected(KeyError::kMalformed);
  }
  DerReader outer(info->key);
  const auto key = outer.read(DerTag::kSequence);
  if (!key || !outer.at_end()) return std::unexpected(KeyError::kMalformed);
  DerReader fields(*key);
  const auto modulus = fields.read_positive();
  const auto exponent = fields.read_positive();
  if (!modulus || !exponent || !fields.at_end()) return std::unexpected(KeyError::kMalformed);
  const RsaNumbers numbers{*modulus, *exponent};
  if (const auto fault = find_fault(numbers)) return std::unexpected(*fault);
  return numbers;
}

std::expected<CurvePoint, KeyError> read_ecdsa(base::BytesView data) {
  auto info = read_public_key_info(data);
  if (!info || !base::equal(info->algorithm, kEcPublicKey)) {
    return std::unexpected(KeyError::kMalformed);
  }
  const auto curve_id = info->parameters.read(DerTag::kObjectId);
  if (!curve_id || !info->parameters.at_end()) return std::unexpected(KeyError::kMalformed);
  for (const NamedCurve& curve : kCurves) {
    if (!base::equal(*curve_id, curve.object_id)) continue;
    const bool uncompressed =
        info->key.size() == 1 + 2 * curve.coordinate_size && info->key.front() == 0x04;
    if (!uncompressed) return std::unexpected(KeyError::kMalformed);
    return CurvePoint{curve.name, info->key};
  }
  return std::unexpected(KeyError::kUnknownType);
}

std::expected<CurvePoint, KeyError> read_secp256k1(base::BytesView data) {
  const bool compressed = data.size() == 33 && (data[0] == 0x02 || data[0] == 0x03);
  if (!compressed) return std::unexpected(KeyError::kMalformed);
  return CurvePoint{"secp256k1", data};
}

std::optional<KeyError> find_fault(KeyType type, base::BytesView data) {
  switch (type) {
    case KeyType::kEd25519:
      // Points that are off the curve or of small order fail each verification.
      if (data.size() != kEd25519KeySize) return KeyError::kMalformed;
      return std::nullopt;
    case KeyType::kRsa:
      if (const auto numbers = read_rsa(data); !numbers) return numbers.error();
      return std::nullopt;
    case KeyType::kSecp256k1:
      return find_fault(read_secp256k1(data));
    case KeyType::kEcdsa:
      return find_fault(read_ecdsa(data));
  }
  return KeyError::kUnknownType;
}

}  // namespace ggen::p2p::crypto
