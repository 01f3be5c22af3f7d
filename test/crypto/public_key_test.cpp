#include <doctest/doctest.h>
#include <openssl/err.h>

#include <ggen/p2p/crypto/keys.hpp>

#include "key_vectors.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::crypto;

namespace {

constexpr const char* kPublicKeys[] = {
    vectors::kEd25519Public,     vectors::kSecp256k1Public, vectors::kEcdsaPublic,
    vectors::kRsaPublic,         vectors::kGoEcdsaPublic,   vectors::kGoRsaPublic,
    vectors::kGoSecp256k1Public,
};

std::optional<KeyError> error_of(base::BytesView message) {
  const auto key = PublicKey::decode(message);
  if (key) return std::nullopt;
  return key.error();
}

const base::Bytes kRsaAlgorithm = hex("300d06092a864886f70d0101010500");
const base::Bytes kP256Algorithm = hex("301306072a8648ce3d020106082a8648ce3d030107");

/// A SubjectPublicKeyInfo of this algorithm and key.
base::Bytes key_info(base::BytesView algorithm, base::BytesView key) {
  const base::Bytes no_unused_bits = {0};
  return der(0x30, join({algorithm, der(0x03, join({no_unused_bits, key}))}));
}

/// The contents of a DER integer with exactly `bits` bits, all of them set.
base::Bytes ones(std::size_t bits) {
  base::Bytes digits;
  if (bits % 8 == 0) digits.push_back(0);
  if (bits % 8 != 0) digits.push_back(static_cast<std::uint8_t>((1U << bits % 8) - 1));
  digits.insert(digits.end(), bits / 8, 0xff);
  return digits;
}

base::Bytes rsa_message(base::BytesView modulus, base::BytesView exponent) {
  const auto key = der(0x30, join({der(0x02, modulus), der(0x02, exponent)}));
  return key_message(0, key_info(kRsaAlgorithm, key));
}

base::Bytes rsa_message(std::size_t bits) {
  return rsa_message(ones(bits), hex("010001"));
}

}  // namespace

TEST_CASE("public key: the specification's and go-libp2p's keys, byte for byte both ways") {
  const KeyType types[] = {KeyType::kEd25519,  KeyType::kSecp256k1, KeyType::kEcdsa,
                           KeyType::kRsa,      KeyType::kEcdsa,     KeyType::kRsa,
                           KeyType::kSecp256k1};
  for (std::size_t i = 0; i < std::size(types); ++i) {
    CAPTURE(kPublicKeys[i]);
    const auto message = hex(kPublicKeys[i]);
    const auto key = PublicKey::decode(message);
    REQUIRE(key);
    CHECK(key->type() == types[i]);
    CHECK(key->encode() == message);
    CHECK(PublicKey::decode(key->encode()) == key);
  }
}

TEST_CASE("public key: an Ed25519 point and its message are the same key") {
  const auto message = hex(vectors::kEd25519Public);
  const auto key = PublicKey::ed25519(base::BytesView(message).last<32>());
  CHECK(key.encode() == message);
  CHECK(PublicKey::decode(message) == key);
}

TEST_CASE("public key: no part of a message is one, and nothing may follow it") {
  for (const char* vector : kPublicKeys) {
    CAPTURE(vector);
    auto message = hex(vector);
    for (std::size_t size = 0; size < message.size(); ++size) {
      CHECK(error_of(base::BytesView(message).first(size)) == KeyError::kMalformed);
    }
    message.push_back(0);
    CHECK(error_of(message) == KeyError::kMalformed);
  }
}

TEST_CASE("public key: only the deterministic encoding is read") {
  const base::Bytes point(32, 7);
  const auto data = key_message(1, point);
  CHECK_FALSE(error_of(data));
  const auto type_field = hex("0801");
  const auto data_field = join({hex("1220"), point});
  CHECK(error_of(join({data_field, type_field})) == KeyError::kMalformed);
  CHECK(error_of(type_field) == KeyError::kMalformed);
  CHECK(error_of(data_field) == KeyError::kMalformed);
  CHECK(error_of(join({hex("088100"), data_field})) == KeyError::kMalformed);
  CHECK(error_of(join({type_field, hex("12a000"), point})) == KeyError::kMalformed);
  CHECK(error_of(join({type_field, data_field, hex("1800")})) == KeyError::kMalformed);
  CHECK(error_of(join({type_field, type_field, data_field})) == KeyError::kMalformed);
  CHECK(error_of(hex("080112ffffffffffffffff7f")) == KeyError::kMalformed);
}

TEST_CASE("public key: types and sizes that do not exist") {
  CHECK(error_of(key_message(4, base::Bytes(32))) == KeyError::kUnknownType);
  CHECK(error_of(join({hex("08ffffffff0f1220"), base::Bytes(32)})) == KeyError::kUnknownType);
  CHECK(error_of(key_message(1, base::Bytes(31))) == KeyError::kMalformed);
  CHECK(error_of(key_message(1, base::Bytes(33))) == KeyError::kMalformed);
  CHECK(error_of(base::Bytes(kMaxEncodedKey + 1)) == KeyError::kTooLarge);
}

TEST_CASE("public key: RSA keys have between 2048 and 8192 bits") {
  CHECK(error_of(rsa_message(512)) == KeyError::kWeak);
  CHECK(error_of(rsa_message(2047)) == KeyError::kWeak);
  CHECK_FALSE(error_of(rsa_message(2048)));
  CHECK_FALSE(error_of(rsa_message(4096)));
  CHECK_FALSE(error_of(rsa_message(8192)));
  CHECK(error_of(rsa_message(8193)) == KeyError::kTooLarge);
  CHECK(error_of(rsa_message(12'000)) == KeyError::kTooLarge);
  CHECK(error_of(rsa_message(100'000)) == KeyError::kTooLarge);
}

TEST_CASE("public key: RSA numbers that no key has") {
  const auto modulus = ones(2048);
  for (const char* exponent : {"03", "11", "010001", "7fffffff"}) {
    CAPTURE(exponent);
    CHECK_FALSE(error_of(rsa_message(modulus, hex(exponent))));
  }
  for (const char* exponent : {"01", "02", "04", "010000", "00ffffffff", "0100000001"}) {
    CAPTURE(exponent);
    CHECK(error_of(rsa_message(modulus, hex(exponent))) == KeyError::kInvalid);
  }
  // Zero, negative, and longer than need be.
  for (const char* exponent : {"", "00", "81", "0003", "00010001"}) {
    CAPTURE(exponent);
    CHECK(error_of(rsa_message(modulus, hex(exponent))) == KeyError::kMalformed);
  }
  auto even = modulus;
  even.back() = 0xfe;
  CHECK(error_of(rsa_message(even, hex("03"))) == KeyError::kInvalid);
  const auto negative = base::Bytes(256, 0xff);
  CHECK(error_of(rsa_message(negative, hex("03"))) == KeyError::kMalformed);
}

TEST_CASE("public key: DER that is not DER") {
  const auto number = der(0x02, ones(2048));
  const auto exponent = der(0x02, hex("03"));
  const auto rsa = der(0x30, join({number, exponent}));
  const auto with_key = [](base::BytesView key) {
    return error_of(key_message(0, key_info(kRsaAlgorithm, key)));
  };
  const auto with_info = [](base::BytesView info) { return error_of(key_message(0, info)); };
  const base::Bytes extra = {0x05, 0x00};
  CHECK_FALSE(with_key(rsa));

  SUBCASE("something follows, at each level") {
    CHECK(with_key(join({rsa, extra})) == KeyError::kMalformed);
    CHECK(with_key(der(0x30, join({number, exponent, extra}))) == KeyError::kMalformed);
    CHECK(with_info(join({key_info(kRsaAlgorithm, rsa), extra})) == KeyError::kMalformed);
    const auto bits = der(0x03, join({base::Bytes{0}, rsa}));
    CHECK(with_info(der(0x30, join({kRsaAlgorithm, bits, extra}))) == KeyError::kMalformed);
  }
  SUBCASE("lengths that reach beyond the bytes") {
    CHECK(with_info(hex("3003300102")) == KeyError::kMalformed);
    CHECK(with_info(hex("3084ffffffff")) == KeyError::kMalformed);
    CHECK(with_info(hex("3088ffffffffffffffff")) == KeyError::kMalformed);
    CHECK(with_info(hex("3082ffff00")) == KeyError::kMalformed);
    CHECK(with_info(hex("30820100")) == KeyError::kMalformed);
    CHECK(with_info(hex("3082")) == KeyError::kMalformed);
    CHECK(with_info(hex("30")) == KeyError::kMalformed);
    auto info = key_info(kRsaAlgorithm, rsa);
    info[3] = static_cast<std::uint8_t>(info[3] + 1);
    CHECK(with_info(info) == KeyError::kMalformed);
  }
  SUBCASE("lengths in longer forms than need be, or none at all") {
    const auto contents = join({hex("028103"), base::Bytes(3, 1)});
    CHECK(with_key(der(0x30, join({number, contents}))) == KeyError::kMalformed);
    const auto longer = join({hex("02820003"), base::Bytes(3, 1)});
    CHECK(with_key(der(0x30, join({number, longer}))) == KeyError::kMalformed);
    const auto indefinite = join({hex("3080"), number, exponent, hex("0000")});
    CHECK(with_key(indefinite) == KeyError::kMalformed);
  }
  SUBCASE("another algorithm, its parameters, unused bits") {
    CHECK(error_of(key_message(0, key_info(kP256Algorithm, rsa))) == KeyError::kMalformed);
    const auto no_null = hex("300b06092a864886f70d010101");
    CHECK(error_of(key_message(0, key_info(no_null, rsa))) == KeyError::kMalformed);
    const auto unused = der(0x03, join({base::Bytes{1}, rsa}));
    CHECK(with_info(der(0x30, join({kRsaAlgorithm, unused}))) == KeyError::kMalformed);
    const auto empty = der(0x03, {});
    CHECK(with_info(der(0x30, join({kRsaAlgorithm, empty}))) == KeyError::kMalformed);
  }
}

TEST_CASE("public key: points must lie on their curve, in the form that peers send") {
  const auto ecdsa = hex(vectors::kEcdsaPublic);
  const base::BytesView xy = base::BytesView(ecdsa).last(64);
  const auto with_point = [](base::BytesView point) {
    return error_of(key_message(3, key_info(kP256Algorithm, point)));
  };
  CHECK_FALSE(with_point(join({base::Bytes{4}, xy})));

  SUBCASE("P-256") {
    auto moved = base::to_bytes(xy);
    moved.back() ^= 1;
    CHECK(with_point(join({base::Bytes{4}, moved})) == KeyError::kInvalid);
    CHECK(with_point(join({base::Bytes{4}, base::Bytes(64, 0)})) == KeyError::kInvalid);
    CHECK(with_point(join({base::Bytes{4}, base::Bytes(64, 0xff)})) == KeyError::kInvalid);
  }
  SUBCASE("compressed, hybrid, cut, at infinity") {
    CHECK(with_point(join({base::Bytes{2}, xy.first(32)})) == KeyError::kMalformed);
    CHECK(with_point(join({base::Bytes{6}, xy})) == KeyError::kMalformed);
    CHECK(with_point(join({base::Bytes{4}, xy.first(63)})) == KeyError::kMalformed);
    CHECK(with_point(base::Bytes{0}) == KeyError::kMalformed);
    CHECK(with_point({}) == KeyError::kMalformed);
  }
  SUBCASE("a curve that nobody uses: P-224") {
    const auto algorithm = hex("301006072a8648ce3d020106052b81040021");
    const auto info = key_info(algorithm, join({base::Bytes{4}, base::Bytes(56, 1)}));
    CHECK(error_of(key_message(3, info)) == KeyError::kUnknownType);
  }
  SUBCASE("secp256k1") {
    const auto message = hex(vectors::kSecp256k1Public);
    const base::BytesView x = base::BytesView(message).last(32);
    CHECK_FALSE(error_of(key_message(2, join({base::Bytes{2}, x}))));
    CHECK(error_of(key_message(2, join({base::Bytes{4}, x}))) == KeyError::kMalformed);
    CHECK(error_of(key_message(2, x)) == KeyError::kMalformed);
    CHECK(error_of(key_message(2, join({base::Bytes{4}, x, x}))) == KeyError::kMalformed);
    // No point has the x coordinate 5, nor one beyond the field.
    auto five = base::Bytes(33, 0);
    five.front() = 2;
    five.back() = 5;
    CHECK(error_of(key_message(2, five)) == KeyError::kInvalid);
    CHECK(error_of(key_message(2, join({base::Bytes{2}, base::Bytes(32, 0xff)}))) ==
          KeyError::kInvalid);
  }
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("public key: whatever a bit flip leaves readable keeps its encoding") {
  for (const char* vector : kPublicKeys) {
    CAPTURE(vector);
    auto message = hex(vector);
    for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
      message[bit / 8] ^= mask;
      if (const auto key = PublicKey::decode(message)) CHECK(key->encode() == message);
      message[bit / 8] ^= mask;
    }
  }
  CHECK(ERR_peek_error() == 0);
}
