#include <doctest/doctest.h>

#include <ggen/p2p/storage/manifest_file.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using storage::Failure;
using storage::parse_manifest;

namespace {

std::string refusal(std::string_view text) {
  const auto read = parse_manifest(text, "dir/ggen.toml");
  if (read) return "accepted";
  CHECK(read.error().kind == Failure::Kind::kBadManifest);
  return read.error().message;
}

constexpr std::string_view kPackage = "[package]\nname = \"left-pad\"\nversion = \"1.2.3\"\n";

}  // namespace

TEST_CASE("a manifest with everything") {
  const std::string text = std::string(kPackage) +
                           "description = \"Pads \u00e4 lot\"\ncategory = \"text\"\n"
                           "tags = [\"strings\", \"pad\"]\nlicense = \"MIT\"\n"
                           "authors = [\"Ada <ada@example.org>\"]\n\n"
                           "[dependencies]\nzebra = \"1\"\nalpha = \"^1.2\"\n";
  const auto read = parse_manifest(text, "ggen.toml");
  REQUIRE(read);
  CHECK(read->name.text() == "left-pad");
  CHECK(read->version.text() == "1.2.3");
  CHECK(read->description == "Pads \u00e4 lot");
  CHECK(read->category == "text");
  CHECK(read->tags == std::vector<std::string>{"strings", "pad"});
  CHECK(read->license == "MIT");
  CHECK(read->authors == std::vector<std::string>{"Ada <ada@example.org>"});
  REQUIRE(read->dependencies.size() == 2);
  CHECK(read->dependencies[0].name.text() == "zebra");  // as in the file
  CHECK(read->dependencies[1].name.text() == "alpha");
}

TEST_CASE("a refusal names file, line and key") {
  CHECK(refusal("[package]\nname = \"a\"\n")
            .starts_with("dir/ggen.toml:1: package.version is missing"));
  CHECK(refusal("[package]\nversion = \"1.0.0\"\n\nname = \"../x\"\n")
            .starts_with("dir/ggen.toml:4: package.name is not valid"));
  CHECK(refusal("[package]\nname = \"a\"\nversion = 1\n")
            .starts_with("dir/ggen.toml:3: package.version must be a text"));
  CHECK(refusal(std::string(kPackage) + "tags = [\"ok\",\n\"NO\"]\n")
            .starts_with("dir/ggen.toml:4: package.tags[1] "));
  CHECK(refusal(std::string(kPackage) + "tags = [\"ok\",\n7]\n")
            .starts_with("dir/ggen.toml:5: package.tags[1] must be a text"));
  CHECK(refusal(std::string(kPackage) + "tags = \"one\"\n")
            .starts_with("dir/ggen.toml:4: package.tags must be a list"));
  CHECK(refusal(std::string(kPackage) + "[dependencies]\nspaces = \"not a range\"\n")
            .starts_with("dir/ggen.toml:5: dependencies.spaces has no valid range"));
  CHECK(refusal(std::string(kPackage) + "[dependencies]\nspaces = 1\n")
            .starts_with("dir/ggen.toml:5: dependencies.spaces must be a text"));
  CHECK(refusal("[package\n").starts_with("dir/ggen.toml:1: is no TOML: "));
  CHECK(refusal("").starts_with("dir/ggen.toml: package.name is missing"));
  CHECK(refusal("package = 1\n").find("must be a table") != std::string::npos);
  CHECK(refusal("[package]\nname = \"a\"\nname = \"b\"\n")
            .starts_with("dir/ggen.toml:3: is no TOML"));
}

TEST_CASE("what no manifest has suggests what one has") {
  CHECK(refusal(std::string(kPackage) + "licence = \"MIT\"\n")
            .starts_with("dir/ggen.toml:4: the key 'licence' means nothing in a manifest: did you "
                         "mean 'license'?"));
  CHECK(refusal(std::string(kPackage) + "[dependecies]\na = \"1\"\n")
            .starts_with("dir/ggen.toml:4: the table 'dependecies' means nothing in a manifest: "
                         "did you mean 'dependencies'?"));
  CHECK(refusal("name = \"a\"\n").starts_with("dir/ggen.toml:1: 'name' stands before [package]"));
}

TEST_CASE("what it says can be printed") {
  for (const std::string& text : {std::string(kPackage) + "\"\\u001b[31m\" = 1\n",
                                  std::string("[package]\nname = \"\x1b[31m\"\n"),
                                  std::string("a\x1b = 1"), std::string("\xff\xfe"),
                                  std::string("[\x15"
                                              "ackage\n")}) {
    const std::string message = refusal(text);
    CHECK(message != "accepted");
    CHECK(message.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a manifest is read from its directory") {
  const TempFolder folder;
  const auto missing = storage::read_manifest_file(folder.path());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == Failure::Kind::kBadManifest);
  CHECK(missing.error().message.find("there is no ggen.toml in") == 0);
  write_all(folder / "ggen.toml", kPackage);
  CHECK(storage::read_manifest_file(folder.path()));
  const auto file = storage::read_manifest_file(folder / "ggen.toml");
  REQUIRE_FALSE(file);
  CHECK(file.error().kind == Failure::Kind::kNotFound);
  write_all(folder / "ggen.toml", std::string(kPackage) + std::string(300'000, '#'));
  const auto large = storage::read_manifest_file(folder.path());
  REQUIRE_FALSE(large);
  CHECK(large.error().message.find("larger than 256 KiB") != std::string::npos);
  fs::remove(folder / "ggen.toml");
  fs::create_directory(folder / "ggen.toml");
  CHECK_FALSE(storage::read_manifest_file(folder.path()));
}
