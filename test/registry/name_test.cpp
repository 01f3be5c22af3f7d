#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/name.hpp>

using namespace ggen::p2p::registry;
using Kind = NameError::Kind;

TEST_CASE("name: what is valid, and stays as it is") {
  for (const std::string text : {"a", "0", "left-pad", "lib.core_2", "x..", "z--_", "7zip"}) {
    CAPTURE(text);
    const auto name = Name::parse(text);
    REQUIRE(name);
    CHECK(name->text() == text);
  }
  CHECK(Name::parse(std::string(64, 'a')));
}

TEST_CASE("name: each malformed form has its error, its position and a suggestion") {
  const struct {
    std::string text;
    Kind kind;
    std::size_t position;
    std::string suggestion;
  } cases[] = {
      {"", Kind::kEmpty, 0, ""},
      {"../x", Kind::kBadStart, 0, "x"},
      {".hidden", Kind::kBadStart, 0, "hidden"},
      {"-rf", Kind::kBadStart, 0, "rf"},
      {"My Package", Kind::kBadStart, 0, "my-package"},
      {"my package", Kind::kBadCharacter, 2, "my-package"},
      {"a/../b", Kind::kBadCharacter, 1, "a-..-b"},
      {"caf\xc3\xa9", Kind::kBadCharacter, 3, "caf"},
      {std::string("a\0b", 3), Kind::kBadCharacter, 1, "a-b"},
      {"???", Kind::kBadStart, 0, ""},
      {std::string(65, 'a'), Kind::kTooLong, 64, std::string(64, 'a')},
      {std::string(100'000, '/'), Kind::kBadStart, 0, ""},
  };
  for (const auto& example : cases) {
    CAPTURE(example.text.substr(0, 80));
    const auto name = Name::parse(example.text);
    REQUIRE_FALSE(name);
    CHECK(name.error().kind == example.kind);
    CHECK(name.error().position == example.position);
    CHECK(name.error().suggestion == example.suggestion);
    if (!example.suggestion.empty()) CHECK(Name::parse(example.suggestion));
    CHECK(name.error().message().size() < 300);
  }
}

TEST_CASE("name: the message says what is wrong and what to type, in printable ASCII") {
  CHECK(Name::parse("../x").error().message() ==
        "the name '../x' does not begin with a lower-case letter or a digit; try 'x'");
  CHECK(
      Name::parse("a\x1b[31m").error().message() ==
      "the name 'a?[31m' holds '?': only a-z, 0-9, '.', '_' and '-' may stand in one; try 'a-31m'");
  CHECK(Name::parse("").error().message() == "a name is missing");
}
