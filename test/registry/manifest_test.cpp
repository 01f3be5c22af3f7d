#include <functional>
#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/registry/manifest.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

constexpr const char* kId = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

RawManifest full() {
  RawManifest raw;
  raw.name = "left-pad";
  raw.version = "1.0.0";
  raw.description = "Pads on the left";
  raw.category = "text";
  raw.tags = {"strings"};
  raw.license = "MIT";
  raw.authors = {"Ada <ada@example.org>"};
  raw.dependencies = {{"spaces", "^1.2"}, {std::string(kId) + "/tabs", "2"}};
  return raw;
}

}  // namespace

TEST_CASE("manifest: all that it may say") {
  const auto metadata = read_manifest(full());
  REQUIRE(metadata);
  CHECK(metadata->name.text() == "left-pad");
  CHECK(metadata->version.text() == "1.0.0");
  CHECK(metadata->tags == std::vector<std::string>{"strings"});
  REQUIRE(metadata->dependencies.size() == 2);
  CHECK_FALSE(metadata->dependencies[0].publisher);
  CHECK(metadata->dependencies[0].range.text() == "^1.2");
  CHECK(metadata->dependencies[1].publisher == *multiformats::PeerId::parse(kId));
  CHECK(read_manifest({.name = "a", .version = "0.0.0"}));
}

TEST_CASE("manifest: each mistake is named by its key, and says what to write") {
  const struct {
    std::string key;
    std::string says;
    std::function<void(RawManifest&)> change;
  } cases[] = {
      {"package.name", "is missing", [](auto& raw) { raw.name.reset(); }},
      {"package.version", "version = \"0.1.0\"", [](auto& raw) { raw.version.reset(); }},
      {"package.name", "try 'x'", [](auto& raw) { raw.name = "../x"; }},
      {"package.version", "versions look like 1.4.0", [](auto& raw) { raw.version = "1.0"; }},
      {"package.description", "1024", [](auto& raw) { raw.description.assign(1025, 'x'); }},
      {"package.description", "plain text", [](auto& raw) { raw.description = "\xff"; }},
      {"package.category", "label", [](auto& raw) { raw.category = "Text!"; }},
      {"package.tags[1]", "label", [](auto& raw) { raw.tags.push_back("-x"); }},
      {"package.tags", "twice", [](auto& raw) { raw.tags.push_back("strings"); }},
      {"package.license", "SPDX", [](auto& raw) { raw.license = "MIT & more"; }},
      {"package.authors[0]", "128", [](auto& raw) { raw.authors = {std::string(129, 'a')}; }},
      {"dependencies.spaces", "no valid range",
       [](auto& raw) { raw.dependencies[0].second = "newest"; }},
      {"dependencies.spaces@1", "behind the '='",
       [](auto& raw) { raw.dependencies[0].first = "spaces@1"; }},
      {"dependencies.a b", "try 'a-b'", [](auto& raw) { raw.dependencies[0].first = "a b"; }},
      {"dependencies.bob/tabs", "petname",
       [](auto& raw) { raw.dependencies[0].first = "bob/tabs"; }},
      {"dependencies.left-pad", "the package itself",
       [](auto& raw) { raw.dependencies[0].first = "left-pad"; }},
      {"dependencies", "128",
       [](auto& raw) {
         for (int i = 0; i < 128; ++i) raw.dependencies.emplace_back("d" + std::to_string(i), "");
       }},
  };
  for (const auto& example : cases) {
    CAPTURE(example.key);
    CAPTURE(example.says);
    RawManifest raw = full();
    example.change(raw);
    const auto metadata = read_manifest(raw);
    REQUIRE_FALSE(metadata);
    CHECK(metadata.error().key == example.key);
    CAPTURE(metadata.error().problem);
    CHECK(metadata.error().problem.find(example.says) != std::string::npos);
  }
}
