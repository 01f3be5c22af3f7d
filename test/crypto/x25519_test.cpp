#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <ggen/p2p/crypto/x25519.hpp>

using namespace ggen::p2p;
using crypto::Secret;
using crypto::X25519KeyPair;
using crypto::X25519PublicKey;

namespace {

Secret<32> secret_of(std::string_view hex) {
  const base::Bytes bytes = base::from_hex(hex).value();
  return Secret<32>{std::span<const std::uint8_t, 32>{bytes}};
}

X25519PublicKey public_of(std::string_view hex) {
  const base::Bytes bytes = base::from_hex(hex).value();
  X25519PublicKey key{};
  std::ranges::copy(bytes, key.begin());
  return key;
}

std::string shared_hex(std::string_view secret, std::string_view remote) {
  const auto pair = X25519KeyPair::from_secret(secret_of(secret));
  const auto shared = pair.shared_secret(public_of(remote));
  return shared ? base::to_hex(shared->view()) : "none";
}

}  // namespace

TEST_CASE("X25519: agrees with RFC 7748") {
  // Section 5.2.
  CHECK(shared_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                   "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c") ==
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  CHECK(shared_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                   "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493") ==
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST_CASE("X25519: the exchange of RFC 7748, section 6.1") {
  const std::string_view alice_secret =
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  const std::string_view alice_public =
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
  const std::string_view bob_secret =
      "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
  const std::string_view bob_public =
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
  CHECK(X25519KeyPair::from_secret(secret_of(alice_secret)).public_key() ==
        public_of(alice_public));
  CHECK(X25519KeyPair::from_secret(secret_of(bob_secret)).public_key() == public_of(bob_public));
  const std::string_view shared =
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  CHECK(shared_hex(alice_secret, bob_public) == shared);
  CHECK(shared_hex(bob_secret, alice_public) == shared);
}

TEST_CASE("X25519: keys that force a zero secret are refused") {
  // The points of small order, in all their encodings below 2^255 (RFC 7748, section 7).
  for (const std::string_view point : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       }) {
    CAPTURE(point);
    CHECK(shared_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", point) ==
          "none");
  }
}

TEST_CASE("X25519: a simulated pair has no secret to share") {
  const auto other = X25519KeyPair::from_secret(
      secret_of("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));
  const auto pair = X25519KeyPair::simulated(other.public_key());
  CHECK(pair.public_key() == other.public_key());
  CHECK_FALSE(pair.shared_secret(other.public_key()));
}

TEST_CASE("Secret: moving it wipes the source") {
  static_assert(!std::is_copy_constructible_v<Secret<32>>);
  static_assert(!std::is_copy_constructible_v<X25519KeyPair>);
  Secret<32> first = secret_of("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  Secret<32> second = std::move(first);
  CHECK(base::equal(first.view(), Secret<32>{}.view()));  // NOLINT(bugprone-use-after-move)
  CHECK(base::to_hex(second.view()).starts_with("a546e36b"));
  first = std::move(second);
  CHECK(base::equal(second.view(), Secret<32>{}.view()));  // NOLINT(bugprone-use-after-move)
  CHECK(base::to_hex(first.view()).starts_with("a546e36b"));
}
