#include <array>

#include <doctest/doctest.h>

#include <ggen/p2p/crypto/signed_envelope.hpp>

#include "key_vectors.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::crypto;

namespace {

/// Sealed by go-libp2p-core for the domain "libp2p-testing".
constexpr char kGoEnvelope[] =
    "0a24080112206f1581709bb7b1ef030d210db18e3b0ba1c776fba65d8cdaad05415142d189f8"
    "12102f6c69627032702f7465737464617461"
    "1a0c68656c6c6f20776f726c6421"
    "2a401178673b51dfa842aad17e465e25d646ad16628916b964c3fb10c711fee87872"
    "bdd4e4646f58c277cdff09704913d8be1aec6322de8d3d0bb852120374aece08";
constexpr char kGoDomain[] = "libp2p-testing";

base::Bytes field(std::uint8_t number, base::BytesView contents) {
  base::Bytes bytes = {static_cast<std::uint8_t>(number << 3 | 2)};
  base::append_varint(bytes, contents.size());
  base::append(bytes, contents);
  return bytes;
}

struct Fixture {
  std::unique_ptr<Crypto> crypto = make_system_crypto();
  KeyPair pair = KeyPair::from_seed(std::array<std::uint8_t, 32>{7});
  base::Bytes type = {0x03, 0x01};
  base::Bytes payload = base::to_bytes(base::as_bytes("a record"));

  base::Bytes seal(std::string_view domain) {
    return SignedEnvelope::seal(*crypto, pair, domain, type, payload);
  }
  auto open(base::BytesView message, std::string_view domain) {
    return SignedEnvelope::open(*crypto, domain, message);
  }
  std::optional<EnvelopeError> error_of(base::BytesView message, std::string_view domain) {
    const auto envelope = open(message, domain);
    if (envelope) return std::nullopt;
    return envelope.error();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "signed envelope: one that go-libp2p sealed") {
  const auto message = hex(kGoEnvelope);
  const auto envelope = open(message, kGoDomain);
  REQUIRE(envelope);
  CHECK(base::as_text(envelope->payload_type) == "/libp2p/testdata");
  CHECK(base::as_text(envelope->payload) == "hello world!");
  CHECK(base::equal(envelope->key.encode(), base::BytesView(message).subspan(2, 36)));
  CHECK(error_of(message, "libp2p-routing-state") == EnvelopeError::kBadSignature);
  CHECK(error_of(message, "") == EnvelopeError::kBadSignature);
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: no bit of the go envelope can change") {
  auto message = hex(kGoEnvelope);
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    CAPTURE(bit);
    const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
    message[bit / 8] ^= mask;
    CHECK(error_of(message, kGoDomain));
    message[bit / 8] ^= mask;
  }
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: sealed and opened") {
  const auto message = seal("a domain");
  const auto envelope = open(message, "a domain");
  REQUIRE(envelope);
  CHECK(envelope->key == pair.public_key());
  CHECK(envelope->payload_type == type);
  CHECK(envelope->payload == payload);
  CHECK(error_of(message, "another domain") == EnvelopeError::kBadSignature);
  // The bytes are those that the specification asks for, fields in order.
  CHECK(message == join({field(1, pair.public_key().encode()), field(2, type), field(3, payload),
                         field(5, envelope->signature)}));
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: empty payload and type") {
  type.clear();
  payload.clear();
  const auto envelope = open(seal("a domain"), "a domain");
  REQUIRE(envelope);
  CHECK(envelope->payload_type.empty());
  CHECK(envelope->payload.empty());
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: neighbours cannot lend each other bytes") {
  payload = base::to_bytes(base::as_bytes("abcd"));
  const auto sealed = SignedEnvelope::decode(seal("domain")).value();
  const auto key = field(1, sealed.key.encode());
  const auto signature = field(5, sealed.signature);
  const auto longer_type = join({sealed.payload_type, base::as_bytes("a")});
  const auto moved = join({key, field(2, longer_type), field(3, base::as_bytes("bcd")), signature});
  CHECK(error_of(moved, "domain") == EnvelopeError::kBadSignature);
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: fields in any order, unknown ones, the last of each") {
  const auto sealed = SignedEnvelope::decode(seal("domain")).value();
  const auto key = field(1, sealed.key.encode());
  const auto payload_type = field(2, sealed.payload_type);
  const auto contents = field(3, sealed.payload);
  const auto signature = field(5, sealed.signature);
  CHECK_FALSE(error_of(join({signature, contents, payload_type, key}), "domain"));

  const auto unknown = join({field(4, type), hex("3001"), hex("390000000000000000"),
                             hex("4500000000"), hex("0801"), field(15, payload)});
  CHECK_FALSE(error_of(join({unknown, key, payload_type, contents, unknown, signature}), "domain"));
  CHECK_FALSE(error_of(join({key, payload_type, field(3, type), contents, signature}), "domain"));
  CHECK(error_of(join({key, payload_type, contents, field(3, type), signature}), "domain") ==
        EnvelopeError::kBadSignature);
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: what is missing or wrong has its error") {
  const auto sealed = SignedEnvelope::decode(seal("domain")).value();
  const auto key = field(1, sealed.key.encode());
  const auto payload_type = field(2, sealed.payload_type);
  const auto contents = field(3, sealed.payload);
  const auto signature = field(5, sealed.signature);
  CHECK(error_of({}, "domain") == EnvelopeError::kBadKey);
  CHECK(error_of(join({payload_type, contents, signature}), "domain") == EnvelopeError::kBadKey);
  CHECK(error_of(join({field(1, type), payload_type, contents, signature}), "domain") ==
        EnvelopeError::kBadKey);
  CHECK(error_of(join({key, payload_type, contents}), "domain") == EnvelopeError::kBadSignature);
  CHECK(error_of(join({key, contents, signature}), "domain") == EnvelopeError::kBadSignature);

  const auto other = KeyPair::from_seed(std::array<std::uint8_t, 32>{8});
  CHECK(error_of(join({field(1, other.public_key().encode()), payload_type, contents, signature}),
                 "domain") == EnvelopeError::kBadSignature);
  CHECK(error_of(base::as_bytes("not an envelope"), "domain") == EnvelopeError::kMalformed);
  CHECK(error_of(hex("1affffffff0f"), "domain") == EnvelopeError::kMalformed);
  CHECK(error_of(hex("1affffffffffffffffff01"), "domain") == EnvelopeError::kMalformed);
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: by a key of another type") {
  // The signature is by nobody: what counts is that the key gets as far as verification.
  const auto message =
      join({field(1, hex(vectors::kRsaPublic)), field(3, payload), field(5, base::Bytes(512, 1))});
  const auto envelope = SignedEnvelope::decode(message);
  REQUIRE(envelope);
  CHECK(envelope->key.type() == KeyType::kRsa);
  CHECK_FALSE(envelope->verify(*crypto, "domain"));
}

TEST_CASE_FIXTURE(Fixture, "signed envelope: the limit holds to the byte") {
  payload.resize(kMaxEnvelope);
  CHECK(error_of(seal("domain"), "domain") == EnvelopeError::kTooLarge);
  payload.resize(1000);
  const auto message = seal("domain");
  CHECK(SignedEnvelope::decode(message, message.size()));
  const auto refused = SignedEnvelope::decode(message, message.size() - 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == EnvelopeError::kTooLarge);
}
