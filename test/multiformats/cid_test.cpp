#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/cid.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

namespace {

constexpr std::string_view kHelloV0 = "QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4";
constexpr std::string_view kHelloRaw =
    "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
constexpr std::string_view kSha256Hex =
    "1220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

}  // namespace

TEST_CASE("cid: version 0") {
  const auto cid = Cid::parse(kHelloV0);
  REQUIRE(cid);
  CHECK(cid->version() == 0);
  CHECK(cid->codec() == Cid::kDagPb);
  CHECK(cid->hash() == Multihash::sha2_256(base::as_bytes("hello world")));
  CHECK(base::to_hex(cid->encode()) == kSha256Hex);
  CHECK(cid->to_string() == kHelloV0);
  CHECK(cid->to_string(Multibase::kBase36) == kHelloV0);
  CHECK(Cid::decode(cid->encode()) == *cid);
}

TEST_CASE("cid: version 1 in every base") {
  const Cid cid = Cid::v1(Cid::kRaw, Multihash::sha2_256(base::as_bytes("hello world")));
  CHECK(cid.to_string() == kHelloRaw);
  CHECK(base::to_hex(cid.encode()) == "0155" + std::string(kSha256Hex));
  CHECK(Cid::decode(cid.encode()) == cid);
  for (const Multibase base : {Multibase::kBase16, Multibase::kBase32Upper, Multibase::kBase36,
                               Multibase::kBase58Btc, Multibase::kBase64Url}) {
    CHECK(Cid::parse(cid.to_string(base)) == cid);
  }
}

TEST_CASE("cid: every malformed form has its error") {
  const auto error_of = [](std::string_view text) { return Cid::parse(text).error(); };
  CHECK(error_of("") == CidError::kMalformed);
  CHECK(error_of("Qm") == CidError::kMalformed);
  CHECK(error_of("QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L0") == CidError::kMalformed);
  CHECK(error_of("b") == CidError::kMalformed);
  CHECK(error_of("f01") == CidError::kMalformed);       // no codec
  CHECK(error_of("f018000") == CidError::kMalformed);   // a codec not in its shortest form
  CHECK(error_of("f0155") == CidError::kBadMultihash);  // no hash
  CHECK(error_of("f01551201aabb") == CidError::kBadMultihash);
  CHECK(error_of("f0055") == CidError::kUnsupportedVersion);
  CHECK(error_of("f02551200") == CidError::kUnsupportedVersion);
  CHECK(error_of("f1220aa") == CidError::kBadMultihash);
  // Version 0 is never in multibase.
  CHECK(error_of("f" + std::string(kSha256Hex)) == CidError::kUnsupportedVersion);
  CHECK(error_of("z" + std::string(kHelloV0)) == CidError::kUnsupportedVersion);
}
