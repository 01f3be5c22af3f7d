#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/multibase.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;
using namespace std::string_view_literals;

TEST_CASE("multibase: the registry's vectors, both ways") {
  const struct {
    Multibase base;
    std::string_view plain;  // "yes mani !"
    std::string_view zero;   // one zero byte before it
    std::string_view two_zeros;
  } vectors[] = {
      {Multibase::kBase16, "f796573206d616e692021", "f00796573206d616e692021",
       "f0000796573206d616e692021"},
      {Multibase::kBase16Upper, "F796573206D616E692021", "F00796573206D616E692021",
       "F0000796573206D616E692021"},
      {Multibase::kBase32, "bpfsxgidnmfxgsibb", "bab4wk4zanvqw42jaee", "baaahszltebwwc3tjeaqq"},
      {Multibase::kBase32Upper, "BPFSXGIDNMFXGSIBB", "BAB4WK4ZANVQW42JAEE",
       "BAAAHSZLTEBWWC3TJEAQQ"},
      {Multibase::kBase36, "k2lcpzo5yikidynfl", "k02lcpzo5yikidynfl", "k002lcpzo5yikidynfl"},
      {Multibase::kBase36Upper, "K2LCPZO5YIKIDYNFL", "K02LCPZO5YIKIDYNFL", "K002LCPZO5YIKIDYNFL"},
      {Multibase::kBase58Btc, "z7paNL19xttacUY", "z17paNL19xttacUY", "z117paNL19xttacUY"},
      {Multibase::kBase64, "meWVzIG1hbmkgIQ", "mAHllcyBtYW5pICE", "mAAB5ZXMgbWFuaSAh"},
      {Multibase::kBase64Pad, "MeWVzIG1hbmkgIQ==", "MAHllcyBtYW5pICE=", "MAAB5ZXMgbWFuaSAh"},
      {Multibase::kBase64Url, "ueWVzIG1hbmkgIQ", "uAHllcyBtYW5pICE", "uAAB5ZXMgbWFuaSAh"},
      {Multibase::kBase64UrlPad, "UeWVzIG1hbmkgIQ==", "UAHllcyBtYW5pICE=", "UAAB5ZXMgbWFuaSAh"},
  };
  const auto check = [](Multibase base, std::string_view bytes, std::string_view text) {
    CAPTURE(text);
    CHECK(encode_multibase(base, base::as_bytes(bytes)) == text);
    const auto decoded = decode_multibase(text);
    REQUIRE(decoded);
    CHECK(base::as_text(*decoded) == bytes);
  };
  for (const auto& vector : vectors) {
    check(vector.base, "yes mani !"sv, vector.plain);
    check(vector.base, "\0yes mani !"sv, vector.zero);
    check(vector.base, "\0\0yes mani !"sv, vector.two_zeros);
  }
}

TEST_CASE("multibase: case does not matter where the alphabet has one case") {
  for (const std::string_view text :
       {"f68656c6c6f20776F726C64", "F68656c6c6f20776F726C64", "bnbswy3dpeB3W64TMMQ",
        "Bnbswy3dpeB3W64TMMQ", "kfUvrsIvVnfRbjWaJo", "KfUVrSIVVnFRbJWAJo"}) {
    CAPTURE(text);
    const auto decoded = decode_multibase(text);
    REQUIRE(decoded);
    CHECK(base::as_text(*decoded) == "hello world");
  }
}

TEST_CASE("multibase: malformed texts") {
  for (const std::string_view text : {
           "",                                                     // no prefix
           "xabc",                                                 // not a known one
           "f0",     "fgg",                                        // half a byte, no digit
           "ba",     "baaa",  "baaaaaa",                           // lengths that no bytes have
           "bab",                                                  // bits left over
           "ba1",    "b aa",  "z0",      "zl",    "zI",     "zO",  // what base58 leaves out
           "mAA==",  "mA",    "mAB",     "m-_",   "u+/",    "MAA", "MAA=",
           "MAA===", "M====", "MA===",   "M=AA=", "MAAA==", "k-",  "k\xc3\xa9",
       }) {
    CAPTURE(text);
    CHECK_FALSE(decode_multibase(text));
  }
}

TEST_CASE("multibase: nothing is the prefix alone") {
  CHECK(encode_multibase(Multibase::kBase58Btc, {}) == "z");
  CHECK(decode_multibase("z")->empty());
  CHECK(decode_multibase("M")->empty());
}

TEST_CASE("multibase: 256 bytes pass and 257 do not") {
  for (const Multibase base :
       {Multibase::kBase16, Multibase::kBase36, Multibase::kBase58Btc, Multibase::kBase64Pad}) {
    const base::Bytes most(kMaxMultibaseBytes, 0xff);
    CHECK(*decode_multibase(encode_multibase(base, most)) == most);
  }
  CHECK_FALSE(decode_multibase("f" + std::string(2 * 257, '0')));
  CHECK_FALSE(decode_multibase("u" + std::string(344, 'A')));  // 258 bytes
  CHECK_FALSE(decode_base58(std::string(257, '1')));           // 257 zero bytes
  CHECK_FALSE(decode_base58(std::string(400, 'z')));
  CHECK_FALSE(decode_base58(std::string(1'000'000, 'z')));  // at once, not in minutes
}
