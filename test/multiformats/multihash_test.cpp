#include <doctest/doctest.h>

#include <ggen/p2p/multiformats/multihash.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::multiformats;

TEST_CASE("multihash: SHA-256 and identity, both ways") {
  const Multihash hash = Multihash::sha2_256(base::as_bytes("hello world"));
  CHECK(base::to_hex(hash.encode()) ==
        "1220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
  CHECK(Multihash::decode(hash.encode()) == hash);

  const auto same = Multihash::identity(base::as_bytes("abc"));
  REQUIRE(same);
  CHECK(base::to_hex(same->encode()) == "0003616263");
  CHECK(Multihash::decode(same->encode()) == *same);
}

TEST_CASE("multihash: any code is read, also with a truncated digest") {
  const auto md5 = Multihash::decode(*base::from_hex("d5010a00112233445566778899"));
  REQUIRE(md5);
  CHECK(md5->code() == 0xd5);
  CHECK(base::to_hex(md5->digest()) == "00112233445566778899");
  CHECK(base::to_hex(md5->encode()) == "d5010a00112233445566778899");
}

TEST_CASE("multihash: every malformed form has its error") {
  const auto error_of = [](std::string_view hex) {
    return Multihash::decode(*base::from_hex(hex)).error();
  };
  CHECK(error_of("") == MultihashError::kTruncated);
  CHECK(error_of("12") == MultihashError::kTruncated);
  CHECK(error_of("1203aabb") == MultihashError::kTruncated);
  CHECK(error_of("120380") == MultihashError::kTruncated);
  CHECK(error_of("1202aabbcc") == MultihashError::kTrailing);
  CHECK(error_of("9200") == MultihashError::kMalformed);
  CHECK(error_of("12820011") == MultihashError::kMalformed);
  CHECK(error_of("ffffffffffffffffffff0100") == MultihashError::kMalformed);
  CHECK(error_of("12ffffffffffffffff7f00") == MultihashError::kTooLong);
}

TEST_CASE("multihash: digests of 128 bytes pass and of 129 do not") {
  const base::Bytes most(Multihash::kMaxDigestBytes, 7);
  const auto hash = Multihash::identity(most);
  REQUIRE(hash);
  CHECK(Multihash::decode(hash->encode()) == *hash);

  base::Bytes more(Multihash::kMaxDigestBytes + 1, 7);
  CHECK(Multihash::identity(more).error() == MultihashError::kTooLong);
  const std::uint8_t prefix[] = {0x00, 0x81, 0x01};
  more.insert(more.begin(), std::begin(prefix), std::end(prefix));
  CHECK(Multihash::decode(more).error() == MultihashError::kTooLong);
}
