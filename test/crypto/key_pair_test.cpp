#include <doctest/doctest.h>

#include <ggen/p2p/crypto/keys.hpp>

#include "key_vectors.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::crypto;

namespace {

std::optional<KeyError> error_of(base::BytesView message) {
  const auto pair = KeyPair::decode(message);
  if (pair) return std::nullopt;
  return pair.error();
}

}  // namespace

TEST_CASE("key pair: the specification's private key gives its public key, byte for byte") {
  const auto message = hex(vectors::kEd25519Private);
  const auto pair = KeyPair::decode(message);
  REQUIRE(pair);
  CHECK(pair->public_key().encode() == hex(vectors::kEd25519Public));
  CHECK(pair->encode() == message);
}

TEST_CASE("key pair: the older form repeats the public key, and every copy must be right") {
  const auto current = base::to_bytes(base::BytesView(hex(vectors::kEd25519Private)).last(64));
  const auto older = join({current, base::BytesView(current).last(32)});
  const auto pair = KeyPair::decode(key_message(1, older));
  REQUIRE(pair);
  CHECK(pair->encode() == hex(vectors::kEd25519Private));

  for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{63}}) {
    CAPTURE(at);
    auto wrong = current;
    wrong[at] ^= 1;
    CHECK(error_of(key_message(1, wrong)) == KeyError::kInvalid);
  }
  for (std::size_t at = 32; at < older.size(); at += 16) {
    CAPTURE(at);
    auto wrong = older;
    wrong[at] ^= 1;
    CHECK(error_of(key_message(1, wrong)) == KeyError::kInvalid);
  }
}

TEST_CASE("key pair: what is not an Ed25519 private key") {
  for (const std::size_t size : {0U, 32U, 63U, 65U, 95U, 97U, 128U}) {
    CAPTURE(size);
    CHECK(error_of(key_message(1, base::Bytes(size))) == KeyError::kMalformed);
  }
  CHECK(error_of({}) == KeyError::kMalformed);
  CHECK(error_of(key_message(4, base::Bytes(64))) == KeyError::kUnknownType);
  CHECK(error_of(hex(vectors::kSecp256k1Private)) == KeyError::kUnsupported);
  CHECK(error_of(hex(vectors::kEcdsaPrivate)) == KeyError::kUnsupported);
  CHECK(error_of(hex(vectors::kRsaPrivate)) == KeyError::kUnsupported);
  auto cut = hex(vectors::kEd25519Private);
  cut.pop_back();
  CHECK(error_of(cut) == KeyError::kMalformed);
}

TEST_CASE("key pair: RFC 8032's examples of Ed25519") {
  const struct {
    const char* seed;
    const char* point;
    const char* message;
    const char* signature;
  } examples[] = {{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                   "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                   "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                   "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
                  {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                   "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                   "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                   "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
                  {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                   "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                   "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                   "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};
  for (const auto& example : examples) {
    CAPTURE(example.seed);
    const auto seed = hex(example.seed);
    const auto pair = KeyPair::from_seed(base::BytesView(seed).first<32>());
    CHECK(base::to_hex(pair.public_key().data()) == example.point);
    CHECK(base::to_hex(pair.sign(hex(example.message))) == example.signature);
  }
}

TEST_CASE("key pair: moving moves the secret") {
  auto first = KeyPair::from_seed(std::array<std::uint8_t, 32>{1});
  const auto encoded = first.encode();
  auto second = std::move(first);
  CHECK(second.encode() == encoded);
  auto third = KeyPair::from_seed(std::array<std::uint8_t, 32>{2});
  CHECK(third.encode() != encoded);
  third = std::move(second);
  CHECK(third.encode() == encoded);
}
