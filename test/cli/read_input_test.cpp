#include "read_input.hpp"

#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>

#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "../support/folder.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::write_file;

TEST_CASE("read input: everything up to a limit, byte for byte") {
  const Folder folder;
  const std::string text = std::string(100'000, 'x') + std::string("\0\n\xFF", 3);
  write_file(folder / "input", text);
  const auto read = [&](std::size_t most) {
    const marketplace::UniqueFd file{::open((folder / "input").c_str(), O_RDONLY | O_CLOEXEC)};
    return read_input(file.get(), most);
  };
  const auto all = read(text.size());
  REQUIRE(all);
  CHECK(base::as_text(*all) == text);
  const auto too_much = read(text.size() - 1);
  REQUIRE_FALSE(too_much);
  CHECK(too_much.error().code == Exit::kUsage);
  CHECK(too_much.error().message.contains("holds more than 97.7 KiB"));
  CHECK_FALSE(read_input(-1, 1));
}
