#include <memory>

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <ggen/p2p/base/varint.hpp>

#include "payload.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::noise;
using test::Node;

namespace {

base::Bytes framed(base::BytesView message) {
  base::Bytes frame(kLengthSize);
  base::store_big_endian(frame.data(), static_cast<std::uint16_t>(message.size()));
  base::append(frame, message);
  return frame;
}

// Speaks Noise without fault and puts any payload into it.
class Attacker {
 public:
  Attacker()
      : crypto(66), static_key(crypto::X25519KeyPair::from_secret(crypto::Secret<32>{kSecret})) {}

  // What an initiator, or a responder, says to this payload.
  test::Received against(Role victim_role, base::BytesView payload, HandshakeConfig config = {}) {
    Node victim{1};
    Handshake handshake = victim.start(victim_role, std::move(config));
    const bool responds = victim_role == Role::kInitiator;
    HandshakeState state{responds ? Role::kResponder : Role::kInitiator, static_key, crypto};
    if (!responds) {
      REQUIRE(test::feed(handshake, next_frame(state, base::as_bytes("never read"))));
    }
    const base::Bytes said = test::drain(handshake);
    REQUIRE(state.read_message(base::BytesView{said}.subspan(kLengthSize)));
    return test::feed(handshake, next_frame(state, payload));
  }

  // The error that both roles give.
  Error refusal(base::BytesView payload, const HandshakeConfig& config = {}) {
    const auto at_initiator = against(Role::kInitiator, payload, config);
    const auto at_responder = against(Role::kResponder, payload, config);
    REQUIRE_FALSE(at_initiator);
    REQUIRE_FALSE(at_responder);
    CHECK(at_initiator.error() == at_responder.error());
    return at_initiator.error();
  }

  // A payload that proves `identity`, to be spoiled.
  base::Bytes honest_payload(std::span<const std::string> muxers = {}) {
    const auto identity = test::identity_of(66);
    const auto signature = crypto.sign(identity, signed_text(static_key.public_key()));
    return encode_payload(identity.public_key().encode(), signature, muxers);
  }

  static constexpr std::array<std::uint8_t, 32> kSecret = {6, 6, 6};
  test::SeededCrypto crypto;
  crypto::X25519KeyPair static_key;

 private:
  static base::Bytes next_frame(HandshakeState& state, base::BytesView payload) {
    base::Bytes message;
    REQUIRE(state.write_message(payload, message));
    return framed(message);
  }
};

base::Bytes key_message(std::uint8_t type, base::BytesView data) {
  base::Bytes message = {0x08, type, 0x12};
  base::append_varint(message, data.size());
  base::append(message, data);
  return message;
}

}  // namespace

TEST_CASE("hostile payload: what is honest passes") {
  Attacker attacker;
  for (const Role role : {Role::kInitiator, Role::kResponder}) {
    const auto received = attacker.against(role, attacker.honest_payload());
    REQUIRE((received && *received));
    CHECK((*received)->remote_key == test::identity_of(66).public_key());
  }
}

TEST_CASE("hostile payload: what is no payload is refused") {
  Attacker attacker;
  const base::Bytes key = test::identity_of(66).public_key().encode();
  const base::Bytes signature(64, 1);
  CHECK(attacker.refusal({}) == Error::kBadPayload);
  CHECK(attacker.refusal(base::as_bytes("garbage")) == Error::kBadPayload);
  CHECK(attacker.refusal(encode_payload(key, {}, {})) == Error::kBadPayload);
  CHECK(attacker.refusal(encode_payload({}, signature, {})) == Error::kBadPayload);
  // A key cut short, a field of the wrong wire type, a length beyond the end.
  CHECK(attacker.refusal(encode_payload(base::BytesView{key}.first(20), signature, {})) ==
        Error::kBadPayload);
  CHECK(attacker.refusal(base::Bytes{0x08, 0x01, 0x10, 0x01}) == Error::kBadPayload);
  CHECK(attacker.refusal(base::Bytes{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}) == Error::kBadPayload);
  base::Bytes cut = attacker.honest_payload(test::kYamux);
  cut.pop_back();
  CHECK(attacker.refusal(cut) == Error::kBadPayload);
}

TEST_CASE("hostile payload: unknown fields and other extensions are passed over") {
  Attacker attacker;
  base::Bytes payload = attacker.honest_payload();
  // Field 3 (an older revision's data), field 900, and extensions with a certificate hash beside
  // a multiplexer.
  base::append(payload, base::Bytes{0x1a, 0x02, 'h', 'i', 0xa0, 0x38, 0x05});
  base::append(payload, base::Bytes{0x22, 0x11, 0x0a, 0x01, 'c', 0x12, 0x0c});
  base::append(payload, base::as_bytes(test::kYamux.front()));
  for (const Role role : {Role::kInitiator, Role::kResponder}) {
    const auto received = attacker.against(role, payload);
    REQUIRE((received && *received));
    CHECK((*received)->remote_muxers == test::kYamux);
  }
}

TEST_CASE("hostile payload: a list of multiplexers has a limit") {
  Attacker attacker;
  std::vector<std::string> muxers(31, "/x");
  muxers.push_back(test::kYamux.front());
  const auto most = attacker.against(Role::kInitiator, attacker.honest_payload(muxers));
  REQUIRE((most && *most));
  CHECK((*most)->remote_muxers == muxers);
  muxers.emplace_back("/y");
  CHECK(attacker.refusal(attacker.honest_payload(muxers)) == Error::kBadPayload);
  CHECK(attacker.refusal(attacker.honest_payload(muxers), {.max_muxers = 5}) == Error::kBadPayload);
}

TEST_CASE("hostile payload: a signature by another key or of another text is refused") {
  Attacker attacker;
  const auto victim = test::identity_of(7);
  const base::Bytes victims_key = victim.public_key().encode();
  const base::Bytes own_text = signed_text(attacker.static_key.public_key());
  const auto refused = [&](base::BytesView signature) {
    return attacker.refusal(encode_payload(victims_key, signature, test::kYamux)) ==
           Error::kBadSignature;
  };
  // The victim's own signature, seen elsewhere, is of another Noise key.
  CHECK(refused(victim.sign(signed_text(crypto::X25519PublicKey{1}))));
  // The attacker's, of the right text.
  CHECK(refused(test::identity_of(66).sign(own_text)));
  // The right key without the fixed text before it.
  CHECK(refused(victim.sign(attacker.static_key.public_key())));
  CHECK(refused(base::Bytes(64, 0)));
  CHECK(refused(base::Bytes{1}));
}

TEST_CASE("hostile payload: a giant or unknown identity key is refused before it is used") {
  Attacker attacker;
  const base::Bytes signature(256, 1);
  const auto refused = [&](base::BytesView key) {
    return attacker.refusal(encode_payload(key, signature, {})) == Error::kUnsupportedKey;
  };
  CHECK(refused(key_message(0, base::Bytes(2100, 0x30))));
  CHECK(refused(key_message(0, base::Bytes(7000, 0x30))));
  CHECK(refused(key_message(9, base::Bytes(32, 1))));
  // An RSA key of 1024 bits.
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> small(EVP_RSA_gen(1024), EVP_PKEY_free);
  base::Bytes der(static_cast<std::size_t>(i2d_PUBKEY(small.get(), nullptr)));
  std::uint8_t* at = der.data();
  i2d_PUBKEY(small.get(), &at);
  CHECK(refused(key_message(0, der)));
}

TEST_CASE("hostile payload: identities of other types are accepted when they prove themselves") {
  Attacker attacker;
  const struct {
    std::uint8_t type;
    EVP_PKEY* key;
  } cases[] = {{0, EVP_RSA_gen(2048)}, {3, EVP_EC_gen("P-256")}};
  for (const auto& [type, raw] : cases) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(raw, EVP_PKEY_free);
    base::Bytes der(static_cast<std::size_t>(i2d_PUBKEY(raw, nullptr)));
    std::uint8_t* at = der.data();
    i2d_PUBKEY(raw, &at);

    const base::Bytes text = signed_text(attacker.static_key.public_key());
    base::Bytes signature(512);
    std::size_t size = signature.size();
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    REQUIRE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, raw) == 1);
    REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, text.data(), text.size()) == 1);
    signature.resize(size);

    const base::Bytes encoded = key_message(type, der);
    const auto received =
        attacker.against(Role::kInitiator, encode_payload(encoded, signature, {}));
    REQUIRE((received && *received));
    CHECK((*received)->remote_key.encode() == encoded);
    signature.back() ^= 1;
    CHECK(attacker.refusal(encode_payload(encoded, signature, {})) == Error::kBadSignature);
  }
}

TEST_CASE("hostile keys: one that forces the shared secret is refused") {
  Node victim{1};
  const base::Bytes zero_key(32, 0);
  Handshake responder = victim.start(Role::kResponder);
  const auto at_responder = test::feed(responder, framed(zero_key));
  REQUIRE_FALSE(at_responder);
  CHECK(at_responder.error() == Error::kWeakKey);
  CHECK_FALSE(responder.wants_transmit());

  Handshake initiator = victim.start(Role::kInitiator);
  const auto at_initiator = test::feed(initiator, framed(base::Bytes(96, 0)));
  REQUIRE_FALSE(at_initiator);
  CHECK(at_initiator.error() == Error::kWeakKey);
}

TEST_CASE("hostile frames: a length is refused as soon as it has come") {
  Node victim{1};
  const struct {
    std::uint16_t size;
    std::optional<Error> refusal;
  } cases[] = {
      {0, Error::kMalformedFrame}, {31, Error::kMalformedFrame},  {32, std::nullopt},
      {200, std::nullopt},         {201, Error::kMessageTooLong}, {65535, Error::kMessageTooLong}};
  for (const auto& [size, refusal] : cases) {
    CAPTURE(size);
    Handshake responder = victim.start(Role::kResponder, {.max_message = 200});
    base::Bytes length(kLengthSize);
    base::store_big_endian(length.data(), size);
    const auto received = test::feed(responder, length, 1);
    CHECK(received.has_value() == !refusal);
    if (refusal) CHECK(received.error() == *refusal);
  }
}

TEST_CASE("hostile frames: an error is for ever, and takes what was to be sent with it") {
  Node alice{1};
  Handshake initiator = alice.start(Role::kInitiator);
  CHECK(initiator.wants_transmit());
  const base::Bytes garbage = framed(base::Bytes(120, 0x55));
  REQUIRE_FALSE(test::feed(initiator, garbage));
  CHECK_FALSE(initiator.wants_transmit());
  // Alone these bytes would be another error.
  const base::Bytes too_long = {0xff, 0xff};
  for (int i = 0; i < 2; ++i) {
    base::BytesView input = too_long;
    const auto again = initiator.receive(input);
    REQUIRE_FALSE(again);
    CHECK(again.error() == Error::kDecryptionFailed);
  }
}
