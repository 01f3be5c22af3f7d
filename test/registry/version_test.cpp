#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/registry/version.hpp>

#include "generators.hpp"

using namespace ggen::p2p::registry;
using Kind = VersionError::Kind;

TEST_CASE("version: the parts of a version") {
  const auto version = Version::parse("1.22.333-alpha.1.x-y+build.007");
  REQUIRE(version);
  CHECK(version->major() == 1);
  CHECK(version->minor() == 22);
  CHECK(version->patch() == 333);
  CHECK(version->prerelease() == "alpha.1.x-y");
  CHECK(version->build() == "build.007");
  CHECK(version->text() == "1.22.333-alpha.1.x-y+build.007");
  CHECK(Version::parse("1.0.0+a-b")->prerelease().empty());
  CHECK(Version::parse("1.0.0+a-b")->build() == "a-b");
  CHECK(Version::of(1, 2, 3, "rc.1").text() == "1.2.3-rc.1");
}

TEST_CASE("version: precedence as semver.org orders its examples") {
  const std::vector<std::string> rising = {"0.0.0-0",
                                           "0.0.0",
                                           "0.9.10",
                                           "1.0.0-0.a",
                                           "1.0.0-alpha",
                                           "1.0.0-alpha.1",
                                           "1.0.0-alpha.beta",
                                           "1.0.0-beta",
                                           "1.0.0-beta.2",
                                           "1.0.0-beta.11",
                                           "1.0.0-rc.1",
                                           "1.0.0",
                                           "1.9.0",
                                           "1.10.0",
                                           "1.11.0",
                                           "2.0.0",
                                           "2.1.0",
                                           "2.1.1",
                                           "999999999999999.0.0"};
  for (std::size_t a = 0; a < rising.size(); ++a) {
    for (std::size_t b = 0; b < rising.size(); ++b) {
      CAPTURE(rising[a]);
      CAPTURE(rising[b]);
      CHECK((*Version::parse(rising[a]) <=> *Version::parse(rising[b])) == (a <=> b));
    }
  }
}

TEST_CASE("version: numeric identifiers of any length compare as numbers") {
  CHECK(*Version::parse("1.0.0-99999999999999999999") <
        *Version::parse("1.0.0-100000000000000000000"));
}

TEST_CASE("version: build metadata does not count") {
  CHECK(*Version::parse("1.0.0+a") == *Version::parse("1.0.0+b"));
  CHECK(*Version::parse("1.0.0-rc.1+a") == *Version::parse("1.0.0-rc.1"));
}

TEST_CASE("version: each malformed form has its error and position") {
  const struct {
    std::string text;
    Kind kind;
    std::size_t position;
  } cases[] = {
      {"", Kind::kEmpty, 0},
      {"1", Kind::kNotANumber, 1},
      {"1.2", Kind::kNotANumber, 3},
      {"v1.2.3", Kind::kNotANumber, 0},
      {"1..3", Kind::kNotANumber, 2},
      {"-1.2.3", Kind::kNotANumber, 0},
      {"1.02.3", Kind::kLeadingZero, 2},
      {"1.2.3-", Kind::kBadIdentifier, 6},
      {"1.2.3-a..b", Kind::kBadIdentifier, 8},
      {"1.2.3-01", Kind::kLeadingZero, 6},
      {"1.2.3+", Kind::kBadIdentifier, 6},
      {"1.2.3+a+b", Kind::kTrailing, 7},
      {"1.2.3 ", Kind::kTrailing, 5},
      {"1.2.3.4", Kind::kTrailing, 5},
      {"1.2.3-\xc3\xa9", Kind::kBadIdentifier, 6},
      {"1000000000000000.0.0", Kind::kNumberTooLarge, 15},
      {"1.0.0-" + std::string(123, 'a'), Kind::kTooLong, 0},
  };
  for (const auto& example : cases) {
    CAPTURE(example.text);
    const auto version = Version::parse(example.text);
    REQUIRE_FALSE(version);
    CHECK(version.error().kind == example.kind);
    CHECK(version.error().position == example.position);
  }
  CHECK(Version::parse("1.0.0-" + std::string(122, 'a')));
  CHECK(Version::parse("1.2").error().message() ==
        "'1.2' is no valid version: a number is missing (at character 4); versions look like 1.4.0 "
        "or 2.0.0-beta.1, ranges like ^1.4");
}

TEST_CASE("version: a total order, whatever the versions") {
  CHECK(rc::check("antisymmetric, transitive, and text keeps its meaning", [] {
    const Version a = *any_version();
    const Version b = *any_version();
    const Version c = *any_version();
    RC_ASSERT((a < b) == (b > a));
    RC_ASSERT((a == b) == (b == a));
    if (a <= b && b <= c) RC_ASSERT(a <= c);
    RC_ASSERT(Version::parse(a.text())->text() == a.text());
    if (!a.is_prerelease()) {
      RC_ASSERT(Version::of(a.major(), a.minor(), a.patch(), "0") < a);
    }
  }));
}
