#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/reqresp/message.hpp>

using namespace ggen::p2p;
using namespace std::string_literals;
using reqresp::ArrayBuilder;
using reqresp::MapBuilder;
using reqresp::Message;
using reqresp::MessageError;

namespace {

auto parse(base::BytesView bytes, const reqresp::MessageLimits& limits = {}) {
  return Message::parse(base::Buffer::copy_of(bytes), limits);
}
auto parse_hex(std::string_view hex, const reqresp::MessageLimits& limits = {}) {
  return parse(base::from_hex(hex).value(), limits);
}
// What is wrong with a message, as a sentence; "" when nothing is.
std::string error_of(std::string_view hex, const reqresp::MessageLimits& limits = {}) {
  const auto message = parse_hex(hex, limits);
  return message ? ""s : std::string{to_string(message.error())};
}
std::string sentence(MessageError error) {
  return std::string{to_string(error)};
}

// A map {"k": value} whose value is given as msgpack in hexadecimal.
std::string with_value(std::string_view hex) {
  return "81a16b" + std::string{hex};
}

}  // namespace

TEST_CASE("message: what the builder writes is read back") {
  const base::Bytes blob{1, 2, 3};
  const std::vector<std::string> tags = {"a", "", "ü"};
  MapBuilder builder;
  builder.boolean("yes", true)
      .boolean("no", false)
      .uint("uint", UINT64_MAX)
      .integer("int", INT64_MIN)
      .text("text", "grüße")
      .binary("blob", blob)
      .texts("tags", tags)
      .array("mixed", ArrayBuilder{}.boolean(true).uint(1).integer(-1).text("t").binary(blob).map(
                          MapBuilder{}.uint("in", 5)))
      .map("map", MapBuilder{}.text("inner", "x").map("empty", {}));
  const auto message = parse(builder.encode());
  REQUIRE(message);
  const reqresp::Map map = message->map();
  CHECK(map.size() == 9);
  CHECK(map.boolean("yes") == true);
  CHECK(map.boolean("no") == false);
  CHECK(map.uint("uint") == UINT64_MAX);
  CHECK(map.integer("int") == INT64_MIN);
  CHECK(map.text("text") == "grüße");
  CHECK(base::to_bytes(map.binary("blob").value()) == blob);
  CHECK(map.texts("tags") == std::vector<std::string_view>{"a", "", "ü"});
  const auto mixed = map.array("mixed").value();
  REQUIRE(mixed.size() == 6);
  CHECK(mixed[0].as_bool() == true);
  CHECK(mixed[1].as_uint() == 1);
  CHECK(mixed[2].as_int() == -1);
  CHECK(mixed[3].as_text() == "t");
  CHECK(base::to_bytes(mixed[4].as_binary().value()) == blob);
  CHECK(mixed[5].as_map()->uint("in") == 5);
  CHECK(map.map("map")->text("inner") == "x");
  CHECK(map.map("map")->map("empty")->size() == 0);
  CHECK(map.entries().size() == 9);
  CHECK(map.entries()[5].key == "blob");
}

TEST_CASE("message: the bytes are msgpack's shortest forms, in the order of the calls") {
  MapBuilder builder;
  builder.uint("b", 127).uint("a", 128).integer("n", -33).text("t", "hi").binary("x", {});
  CHECK(base::to_hex(builder.encode()) == "85a1627fa161cc80a16ed0dfa174a26869a178c400");
  CHECK(base::to_hex(MapBuilder{}.encode()) == "80");
}

TEST_CASE("message: every form of a value is understood") {
  const auto value = [](std::string_view hex) { return parse_hex(with_value(hex)).value(); };
  CHECK(value("05").map().uint("k") == 5);
  CHECK(value("cc05").map().uint("k") == 5);
  CHECK(value("cd0005").map().uint("k") == 5);
  CHECK(value("ce00000005").map().uint("k") == 5);
  CHECK(value("cf0000000000000005").map().uint("k") == 5);
  // Signed forms of a number that is not negative.
  CHECK(value("d005").map().uint("k") == 5);
  CHECK(value("d10005").map().uint("k") == 5);
  CHECK(value("d200000005").map().integer("k") == 5);
  CHECK(value("d30000000000000005").map().integer("k") == 5);
  CHECK(value("ff").map().integer("k") == -1);
  CHECK(value("d0ff").map().integer("k") == -1);
  CHECK_FALSE(value("ff").map().uint("k"));
  CHECK_FALSE(value("cfffffffffffffffff").map().integer("k"));
  CHECK(value("a161").map().text("k") == "a");
  CHECK(value("d90161").map().text("k") == "a");
  CHECK(value("da000161").map().text("k") == "a");
  CHECK(value("db0000000161").map().text("k") == "a");
  CHECK(value("c40161").map().binary("k")->size() == 1);
  CHECK(value("c5000161").map().binary("k")->size() == 1);
  CHECK(value("c60000000161").map().binary("k")->size() == 1);
  CHECK(value("dc000101").map().array("k")->size() == 1);
  CHECK(value("dd0000000101").map().array("k")->size() == 1);
  CHECK(value("de0001a16101").map().map("k")->uint("a") == 1);
  CHECK(value("df00000001a16101").map().map("k")->uint("a") == 1);
  // Of types that nobody asks for, only the place matters.
  for (const char* other : {"c0", "ca00000000", "cb0000000000000000", "d40100", "c7010100"}) {
    const Message message = value(other);
    CHECK(message.map().contains("k"));
    CHECK_FALSE(message.map().uint("k"));
    CHECK_FALSE(message.map().text("k"));
  }
}

TEST_CASE("message: a getter of another type, or of a key that is absent, gives nothing") {
  const Message message = parse(MapBuilder{}.uint("n", 1).encode()).value();
  const reqresp::Map map = message.map();
  CHECK_FALSE(map.contains("m"));
  CHECK_FALSE(map.uint("m"));
  CHECK_FALSE(map.boolean("n"));
  CHECK_FALSE(map.text("n"));
  CHECK_FALSE(map.binary("n"));
  CHECK_FALSE(map.array("n"));
  CHECK_FALSE(map.texts("n"));
  CHECK_FALSE(map.map("n"));
  const Message mixed =
      parse(MapBuilder{}.array("a", ArrayBuilder{}.text("x").uint(1)).encode()).value();
  CHECK_FALSE(mixed.map().texts("a"));
}

TEST_CASE("message: borrowed values survive a move of the message") {
  Message first = parse(MapBuilder{}.text("key", "a text").encode()).value();
  const auto text = first.map().text("key");
  const Message second = std::move(first);
  CHECK(text == "a text");
  CHECK(second.map().text("key") == text);
}

TEST_CASE("message: keeps the bytes as received") {
  const auto message = parse_hex("81a16bcd0005");
  CHECK(base::to_hex(message->bytes()) == "81a16bcd0005");
}

TEST_CASE("message: refuses what is not one map") {
  CHECK(error_of("") == sentence(MessageError::kMalformed));
  CHECK(error_of("90") == sentence(MessageError::kNotAMap));
  CHECK(error_of("05") == sentence(MessageError::kNotAMap));
  CHECK(error_of("8000") == sentence(MessageError::kTrailingBytes));
  CHECK(error_of("8080") == sentence(MessageError::kTrailingBytes));
  CHECK(error_of(with_value("c1")) == sentence(MessageError::kMalformed));  // never used
  CHECK(error_of("81a16b") == sentence(MessageError::kMalformed));
}

TEST_CASE("message: refuses keys that are not strings, or that come twice, at any depth") {
  CHECK(error_of("810102") == sentence(MessageError::kBadKey));
  CHECK(error_of("81c4016b02") == sentence(MessageError::kBadKey));
  CHECK(error_of("819002") == sentence(MessageError::kBadKey));
  CHECK(error_of("818002") == sentence(MessageError::kBadKey));
  CHECK(error_of("82a16101a16102") == sentence(MessageError::kBadKey));
  CHECK(error_of("82a16101d9016102") == sentence(MessageError::kBadKey));  // another form, same key
  CHECK(error_of(with_value("9182a16101a16102")) == sentence(MessageError::kBadKey));
  CHECK(error_of("82a16101a16202").empty());
  // Equal keys in different maps are fine, also where one is within the other.
  CHECK(error_of("81a16181a16101").empty());
}

TEST_CASE("message: refuses strings that are not UTF-8") {
  CHECK(error_of(with_value("a2c3bc")).empty());
  CHECK(error_of(with_value("a3e282ac")).empty());
  CHECK(error_of(with_value("a4f09f9880")).empty());
  CHECK(error_of(with_value("a4f48fbfbf")).empty());  // U+10FFFF
  for (const char* bad : {
           "a180",        // a continuation alone
           "a1c3",        // cut
           "a2c328",      // no continuation
           "a2c080",      // U+0000 in two bytes
           "a3e08080",    // and in three
           "a4f0808080",  // and in four
           "a3eda080",    // a surrogate
           "a4f4908080",  // above U+10FFFF
           "a1ff",
           "a5f888808080",
       }) {
    CAPTURE(bad);
    CHECK(error_of(with_value(bad)) == sentence(MessageError::kBadText));
  }
  CHECK(error_of("81a1ff01") == sentence(MessageError::kBadText));
  CHECK(error_of(with_value("c401ff")).empty());  // binary may hold anything
}

TEST_CASE("message: a cut message is malformed, wherever it is cut") {
  MapBuilder builder;
  builder.uint("n", 70'000)
      .text("t", "hello")
      .binary("b", base::Bytes(300))
      .map("m", MapBuilder{}.array("a", ArrayBuilder{}.uint(1).uint(2)));
  const base::Bytes whole = builder.encode();
  REQUIRE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto message = parse(base::BytesView{whole}.first(size));
    REQUIRE_FALSE(message);
    CHECK(message.error() == MessageError::kMalformed);
  }
}

TEST_CASE("message: counts and lengths are not believed before the bytes are there") {
  // Reserving what these announce would end the process.
  for (const char* hostile :
       {"dfffffffff", "81a16bddffffffff", "81a16bdfffffffff", "81a16bdbffffffff",
        "81a16bc6ffffffff", "81a16bc9fffffffe01", "81a16bc9ffffffff01"}) {
    CAPTURE(hostile);
    CHECK(error_of(hostile) == sentence(MessageError::kMalformed));
  }
}

TEST_CASE("message: limits of depth and of the number of values") {
  const auto nested = [](std::size_t depth) {
    std::string hex = "81a16b";
    for (std::size_t i = 2; i < depth; ++i) hex += "91";
    return hex + "90";
  };
  CHECK(error_of(nested(8)).empty());
  CHECK(error_of(nested(9)) == sentence(MessageError::kTooDeep));
  CHECK(error_of(nested(1'000'000)) == sentence(MessageError::kTooDeep));

  // The map, its key and the array are three values.
  CHECK(error_of(with_value("9401020304"), {.max_values = 7}).empty());
  CHECK(error_of(with_value("9401020304"), {.max_values = 6}) ==
        sentence(MessageError::kTooManyValues));
}

TEST_CASE("message: random maps survive the round trip, random damage is survived") {
  base::Prng prng{11};
  const auto random_text = [&] {
    std::string text(prng.below(40), ' ');
    for (char& c : text) c = static_cast<char>('a' + prng.below(26));
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    MapBuilder builder;
    std::vector<std::pair<std::string, std::uint64_t>> numbers;
    std::vector<std::pair<std::string, std::string>> texts;
    for (std::uint64_t i = prng.below(20); i-- > 0;) {
      const std::string key = std::to_string(i);
      if (prng.chance(0.5)) {
        numbers.emplace_back(key, prng.next() >> prng.below(64));
        builder.uint(key, numbers.back().second);
      } else {
        texts.emplace_back(key, random_text());
        builder.text(key, texts.back().second);
      }
    }
    base::Bytes bytes = builder.encode();
    const auto message = parse(bytes);
    REQUIRE(message);
    for (const auto& [key, number] : numbers) CHECK(message->map().uint(key) == number);
    for (const auto& [key, text] : texts) CHECK(message->map().text(key) == text);
    for (int damage = 0; damage < 20; ++damage) {
      bytes[prng.below(bytes.size())] = static_cast<std::uint8_t>(prng.next());
      if (const auto damaged = parse(bytes))
        CHECK(damaged->map().entries().size() == damaged->map().size());
    }
  }
}
