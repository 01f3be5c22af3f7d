#include <doctest/doctest.h>

#include <ggen/p2p/base/varint.hpp>

using namespace ggen::p2p::base;

TEST_CASE("varint: the specification's examples, both ways") {
  const struct {
    std::uint64_t value;
    const char* hex;
  } examples[] = {
      {1, "01"},     {127, "7f"},       {128, "8001"}, {255, "ff01"},
      {300, "ac02"}, {16384, "808001"}, {0, "00"},     {kMaxVarint, "ffffffffffffffff7f"}};
  for (const auto& example : examples) {
    CAPTURE(example.hex);
    Bytes encoded;
    append_varint(encoded, example.value);
    CHECK(to_hex(encoded) == example.hex);
    CHECK(varint_size(example.value) == encoded.size());
    const auto decoded = decode_varint(encoded);
    REQUIRE(decoded);
    CHECK(decoded->value == example.value);
    CHECK(decoded->size == encoded.size());
  }
}

TEST_CASE("varint: every malformed form has its error") {
  const auto error_of = [](const char* hex) { return decode_varint(*from_hex(hex)).error(); };
  CHECK(error_of("") == VarintError::kTruncated);
  CHECK(error_of("80") == VarintError::kTruncated);
  CHECK(error_of("ffffffffffffffff") == VarintError::kTruncated);
  CHECK(error_of("ffffffffffffffffff01") == VarintError::kTooLong);
  CHECK(error_of("8000") == VarintError::kNotMinimal);
  CHECK(error_of("808000") == VarintError::kNotMinimal);
}

TEST_CASE("varint: reads the front and leaves the rest") {
  const auto decoded = decode_varint(*from_hex("ac02ff"));
  REQUIRE(decoded);
  CHECK(decoded->value == 300);
  CHECK(decoded->size == 2);
}

TEST_CASE("hex: both ways, and what is not hex") {
  CHECK(to_hex(*from_hex("00FfA0")) == "00ffa0");
  CHECK_FALSE(from_hex("0"));
  CHECK_FALSE(from_hex("0g"));
}
