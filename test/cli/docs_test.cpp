#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "../support/folder.hpp"
#include "config_table.hpp"
#include "error.hpp"

using namespace ggen::p2p::cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::read_file;
using ggen::p2p::test::write_file;

namespace {

std::string page() {
  const char* source = std::getenv("GGEN_P2P_SOURCE");
  REQUIRE(source);
  return read_file(std::filesystem::path{source} / "docs/cli.md");
}

}  // namespace

TEST_CASE("docs/cli.md: lists every key with its default and what it may hold") {
  const std::string text = page();
  const Settings defaults;
  std::string_view table;
  for (const Key& key : config_keys()) {
    std::string row = fmt::format("| `{}` | `{}` | {} | {} |\n", key.name,
                                  to_toml(key.get(defaults)), key.valid, key.doc);
    if (key.table != table) {
      table = key.table;
      row = fmt::format("### [{}]\n\n| key | default | may be | |\n|---|---|---|---|\n{}", table,
                        row);
    }
    CHECK_MESSAGE(text.contains(row), row);
  }
}

TEST_CASE("docs/cli.md: lists every exit code") {
  const std::string text = page();
  for (const ExitInfo& info : exit_codes()) {
    const std::string row =
        fmt::format("| {} | `{}` | {} |\n", static_cast<int>(info.code), info.name, info.meaning);
    CHECK_MESSAGE(text.contains(row), row);
  }
}
