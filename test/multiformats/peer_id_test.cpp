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

TEST_CASE("peer id: the ids of the specification's keys") {
  const struct {
    std::string_view key;
    std::string_view id;
    bool inlined;
  } examples[] = {
      {"080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
       "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq", true},
      {"08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99",
       "16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY", true},
      {"0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83"
       "abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9"
       "f77c409e62",
       "QmVMT29id3TUASyfZZ6k9hmNyc2nYabCo4uMSpDw4zrgDk", false},
      {"080012a60430820222300d06092a864886f70d01010105000382020f003082020a0282020100e1beab071d08"
       "200bde24eef00d049449b07770ff9910257b2d7d5dda242ce8f0e2f12e1af4b32d9efd2c090f66b0f29986db"
       "b645dae9880089704a94e5066d594162ae6ee8892e6ec70701db0a6c445c04778eb3de1293aa1a23c3825b85"
       "c6620a2bc3f82f9b0c309bc0ab3aeb1873282bebd3da03c33e76c21e9beb172fd44c9e43be32e2c99827033c"
       "f8d0f0c606f4579326c930eb4e854395ad941256542c793902185153c474bed109d6ff5141ebf9cd256cf588"
       "93a37f83729f97e7cb435ec679d2e33901d27bb35aa0d7e20561da08885ef0abbf8e2fb48d6a5487047a9ecb"
       "1ad41fa7ed84f6e3e8ecd5d98b3982d2a901b4454991766da295ab78822add5612a2df83bcee814cf50973e8"
       "0d7ef38111b1bd87da2ae92438a2c8cbcc70b31ee319939a3b9c761dbc13b5c086d6b64bf7ae7dacc1462237"
       "5d92a8ff9af7eb962162bbddebf90acb32adb5e4e4029f1c96019949ecfbfeffd7ac1e3fbcc6b6168c34be3d"
       "5a2e5999fcbb39bba7adbca78eab09b9bc39f7fa4b93411f4cc175e70c0a083e96bfaefb04a9580b4753c173"
       "8a6a760ae1afd851a1a4bdad231cf56e9284d832483df215a46c1c21bdf0c6cfe951c18f1ee4078c79c13d63"
       "edb6e14feaeffabc90ad317e4875fe648101b0864097e998f0ca3025ef9638cd2b0caecd3770ab54a1d9c6ca"
       "959b0f5dcbc90caeefc4135baca6fd475224269bbe1b0203010001",
       "QmaeANgBs1DTSxWSrPPtobgQuxW8XTfsS4ydbK4rCHzqxG", false},
  };
  for (const auto& example : examples) {
    CAPTURE(example.id);
    const auto key = crypto::PublicKey::decode(*base::from_hex(example.key));
    REQUIRE(key);
    const PeerId id = PeerId::of(*key);
    CHECK(id.to_string() == example.id);
    CHECK(id == peer(example.id));
    CHECK(id.public_key().has_value() == example.inlined);
    if (example.inlined) CHECK(*id.public_key() == *key);
  }
}

TEST_CASE("peer id: what an id carries may be no key") {
  CHECK_FALSE(PeerId::decode(*base::from_hex("0003080112"))->public_key());
  CHECK_FALSE(PeerId::decode(*base::from_hex("0000"))->public_key());
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
  // Announces 33 bytes of digest, has 32.
  CHECK(error_of("QmxoHT6iViN5xAjoz1VZ553cL31U9F94ht3QvWR1FrEbZY") == PeerIdError::kMalformed);
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
