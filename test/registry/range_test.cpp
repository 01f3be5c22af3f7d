#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/registry/range.hpp>

#include "generators.hpp"

using namespace ggen::p2p::registry;
using Kind = VersionError::Kind;

namespace {

bool in(const std::string& range, const std::string& version) {
  return Range::parse(range).value().contains(Version::parse(version).value());
}

}  // namespace

TEST_CASE("range: what each form holds and what it does not") {
  const struct {
    std::string range;
    std::vector<std::string> inside;
    std::vector<std::string> outside;
  } cases[] = {
      {"", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}},
      {"latest", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}},
      {"*", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}},
      {"x.X.*", {"0.0.0"}, {"1.0.0-rc.1"}},
      {">=*", {"0.0.0"}, {"1.0.0-rc.1"}},
      {"1.2.3", {"1.2.3", "1.2.3+build"}, {"1.2.2", "1.2.4", "1.2.3-rc.1"}},
      {"= 1.2.3-rc.1", {"1.2.3-rc.1"}, {"1.2.3", "1.2.3-rc.2"}},
      {"1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0", "1.3.0-0", "1.2.0-rc.1"}},
      {"1.x", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0"}},
      {"1.2.*", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"1", {"1.0.0", "1.9.9"}, {"2.0.0", "2.0.0-0"}},
      {"^1.2.3", {"1.2.3", "1.9.0"}, {"1.2.2", "2.0.0", "2.0.0-alpha", "1.4.0-beta"}},
      {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.2.2", "0.3.0"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.2", "0.0.4"}},
      {"^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
      {"^0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
      {"^1.2", {"1.2.0", "1.9.9"}, {"1.1.9", "2.0.0"}},
      {"^0.0.0", {"0.0.0"}, {"0.0.1"}},
      {"^1.2.3-beta.2",
       {"1.2.3-beta.2", "1.2.3-rc", "1.2.3", "1.5.0"},
       {"1.2.3-beta.1", "1.2.4-beta.2"}},
      {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
      {"~1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"~1", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {"~0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0"}},
      {">1.2.3", {"1.2.4"}, {"1.2.3"}},
      {">1.2", {"1.3.0"}, {"1.2.9"}},
      {">=1.2", {"1.2.0"}, {"1.1.9"}},
      {"<1.2", {"1.1.9"}, {"1.2.0", "1.2.0-rc.1"}},
      {"<=1.2", {"1.2.9"}, {"1.3.0"}},
      {"<=1.2.3", {"1.2.3"}, {"1.2.4"}},
      {"<1.2.3", {"1.2.2"}, {"1.2.3"}},
      {">=1.2.3 <2", {"1.2.3", "1.9.9"}, {"2.0.0"}},
      {">= 1.0.0, < 2.0.0, <1.5.0", {"1.0.0", "1.4.9"}, {"1.5.0"}},
      {">=1.0.0-alpha <1.0.0", {"1.0.0-alpha", "1.0.0-rc"}, {"1.0.0", "0.9.0-alpha"}},
  };
  for (const auto& example : cases) {
    CAPTURE(example.range);
    REQUIRE(Range::parse(example.range));
    CHECK(Range::parse(example.range)->text() == example.range);
    for (const auto& version : example.inside) {
      CAPTURE(version);
      CHECK(in(example.range, version));
    }
    for (const auto& version : example.outside) {
      CAPTURE(version);
      CHECK_FALSE(in(example.range, version));
    }
  }
}

TEST_CASE("range: a range of one version is known as such") {
  CHECK(Range::parse("1.2.3")->exact()->text() == "1.2.3");
  CHECK(Range::exactly(*Version::parse("1.2.3-rc.1")).contains(*Version::parse("1.2.3-rc.1")));
  CHECK(Range::parse("^1.2.3")->exact() == nullptr);
  CHECK(Range::parse("")->exact() == nullptr);
}

TEST_CASE("range: each malformed form has its error") {
  const struct {
    std::string text;
    Kind kind;
  } cases[] = {
      {"^", Kind::kNotANumber},
      {"nightly", Kind::kNotANumber},
      {"1.2.3.4", Kind::kTrailing},
      {"1.x.3", Kind::kBadWildcard},
      {">*", Kind::kBadWildcard},
      {"<x", Kind::kBadWildcard},
      {"1.2-rc", Kind::kTrailing},
      {"1.2.3-", Kind::kBadIdentifier},
      {"01.2", Kind::kLeadingZero},
      {">2 <1", Kind::kNothing},
      {">1.0.0 <1.0.0", Kind::kNothing},
      {"1.2.3 1.2.4", Kind::kNothing},
      {"1 || 2", Kind::kNotANumber},
      {"1.2.3 ", Kind::kNotANumber},
      {"==1", Kind::kNotANumber},
      {std::string(257, '1'), Kind::kTooLong},
      {"9999999999999999", Kind::kNumberTooLarge},
  };
  for (const auto& example : cases) {
    CAPTURE(example.text);
    const auto range = Range::parse(example.text);
    REQUIRE_FALSE(range);
    CHECK(range.error().kind == example.kind);
  }
}

TEST_CASE("range: the largest numbers have a version above them") {
  CHECK(in("^999999999999999.0.0", "999999999999999.1.0"));
  CHECK_FALSE(in(">999999999999999", "999999999999999.1.0"));
}

TEST_CASE("range: comparators agree with the order of versions") {
  CHECK(rc::check("each comparison with a version is the order itself, among releases", [] {
    const Version bound = *any_version();
    const Version version = *any_version();
    if (version.is_prerelease()) return;
    const auto holds = [&](const std::string& op) { return in(op + bound.text(), version.text()); };
    RC_ASSERT(holds(">") == (version > bound));
    RC_ASSERT(holds(">=") == (version >= bound));
    if (holds("<=")) RC_ASSERT(version <= bound);
    RC_ASSERT(holds("<") == (version < bound));
    RC_ASSERT(holds("=") == (version == bound));
    if (holds("~"))
      RC_ASSERT(version >= bound && version.major() == bound.major() &&
                version.minor() == bound.minor());
    if (holds("^")) RC_ASSERT(version >= bound && version.major() == bound.major());
    if (holds("~") && bound.major() > 0) RC_ASSERT(holds("^"));
  }));
  CHECK(rc::check("two comparators hold what both hold", [] {
    const Version a = *any_version();
    const Version b = *any_version();
    const Version version = *any_version();
    const auto both = Range::parse(">=" + a.text() + " <=" + b.text());
    if (version.is_prerelease() || !both) return;
    RC_ASSERT(both->contains(version) == (version >= a && version <= b));
  }));
}
