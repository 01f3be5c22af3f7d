#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/reference.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using multiformats::PeerId;

namespace {

constexpr const char* kId = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

}  // namespace

TEST_CASE("reference: every form") {
  const std::string id = kId;
  for (const std::string& text :
       {std::string("left-pad"), std::string("left-pad@1.2.3"), std::string("left-pad@^1.2 <1.9"),
        std::string("alice/left-pad@~2"), id + "/left-pad", id + "/left-pad@1.0.0-rc.1+x"}) {
    CAPTURE(text);
    const auto reference = Reference::parse(text);
    REQUIRE(reference);
    CHECK(reference->name.text() == "left-pad");
    CHECK(reference->text() == text);
  }
  CHECK(std::get<PeerId>(*Reference::parse(id + "/a")->publisher) == *PeerId::parse(id));
  CHECK(std::get<Name>(*Reference::parse("alice/a")->publisher).text() == "alice");
  CHECK_FALSE(Reference::parse("a")->publisher);
}

TEST_CASE("reference: a publisher in CID form is the same publisher, never a petname") {
  const auto id = *PeerId::parse(kId);
  const auto reference = Reference::parse(id.to_cid_string() + "/a");
  REQUIRE(reference);
  CHECK(std::get<PeerId>(*reference->publisher) == id);
}

TEST_CASE("reference: what is malformed gets a sentence about its part") {
  CHECK(Reference::parse("").error() == "a name is missing");
  CHECK(Reference::parse("alice/").error() == "a name is missing");
  CHECK(Reference::parse("../x").error() ==
        "the publisher '..' is neither a peer id, such as 12D3KooW..., nor a petname: the name "
        "'..' does not "
        "begin with a lower-case letter or a digit");
  CHECK(Reference::parse("Left").error().ends_with("; try 'left'"));
  CHECK(Reference::parse("a/b/c").error().starts_with("the name 'b/c' holds '/'"));
  CHECK(Reference::parse("a@1.2.3@4").error().starts_with("'1.2.3@4' is no valid version"));
  CHECK_FALSE(Reference::parse(std::string(2000, 'a')));
}
