#include <unordered_set>

#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/peer_id.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

namespace {

constexpr std::string_view kEd25519 = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";
constexpr std::string_view kSha256 = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";

PeerId peer(std::string_view text) {
  CAPTURE(text);
  const auto id = PeerId::parse(text);
  REQUIRE(id);
  return *id;
}

}  // namespace

TEST_CASE("peer id: base58btc and CIDv1 are two texts of one id") {
  const struct {
    std::string_view base58;
    std::string_view cid;
  } examples[] = {
      {"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
       "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe"},
      {kEd25519, "bafzaajaiaejcalj543iwv2d7pkjt7ykvefrkfu7qjfi6sduakhso4lay6abn2d5u"},
      {kSha256, "bafzbeigvf25ytwc3akrijfecaotc74udrhcxzh2cx3we5qqnw5vgrei4bm"},
  };
  for (const auto& example : examples) {
    CHECK(peer(example.base58) == peer(example.cid));
    CHECK(peer(example.cid).to_string() == example.base58);
    CHECK(peer(example.base58).to_cid_string() == example.cid);
  }
}

TEST_CASE("peer id: a CIDv1 in another multibase") {
  CHECK(peer("k51qzi5uqu5dhb6l8spkdx7yxafegfkee5by8h7lmjh2ehc2sgg34z7c15vzqs") == peer(kEd25519));
  CHECK(peer("k2k4r8oqamigqdo6o7hsbfwd45y70oyynp98usk7zmyfrzpqxh1pohl7") == peer(kSha256));
  CHECK(peer("BAFZBEIGVF25YTWC3AKRIJFECAOTC74UDRHCXZH2CX3WE5QQNW5VGREI4BM") == peer(kSha256));
}

TEST_CASE("peer id: every malformed form has its error") {
  const auto error_of = [](std::string_view text) { return PeerId::parse(text).error(); };
  CHECK(error_of("") == PeerIdError::kMalformed);
  CHECK(error_of("1") == PeerIdError::kMalformed);
  CHECK(error_of("Qm") == PeerIdError::kMalformed);
  CHECK(error_of("12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5m0") ==
        PeerIdError::kMalformed);
  CHECK(error_of("alice") == PeerIdError::kMalformed);
  // The hash goes on after the 32 bytes it announces.
  CHECK(error_of("QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY") ==
        PeerIdError::kUnsupportedHash);
  // A CID, but of raw data.
  CHECK(error_of("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e") ==
        PeerIdError::kWrongCodec);
  CHECK(error_of("f0172d50110" + std::string(32, '0')) == PeerIdError::kUnsupportedHash);

  const auto decode_error_of = [](const base::Bytes& bytes) {
    return PeerId::decode(bytes).error();
  };
  CHECK(decode_error_of({}) == PeerIdError::kMalformed);
  base::Bytes too_long(45, 1);
  too_long[0] = 0;
  too_long[1] = 43;
  CHECK(decode_error_of(too_long) == PeerIdError::kUnsupportedHash);
  CHECK(decode_error_of({0x12, 0x01, 0xaa}) == PeerIdError::kUnsupportedHash);
}

TEST_CASE("peer id: an id of the longest kind") {
  base::Bytes bytes(PeerId::kMaxBytes, 0xff);
  bytes[0] = 0;
  bytes[1] = 42;
  const auto id = PeerId::decode(bytes);
  REQUIRE(id);
  CHECK(base::equal(id->bytes(), bytes));
  CHECK(peer(id->to_string()) == *id);
  CHECK(peer(id->to_cid_string()) == *id);
}

TEST_CASE("peer id: ordered by its bytes, and a key of hash tables") {
  const PeerId a = peer(kEd25519);
  const PeerId b = peer(kSha256);
  CHECK(a < b);  // 0x00 before 0x12
  const std::unordered_set<PeerId> set{a, b, a};
  CHECK(set.size() == 2);
}
