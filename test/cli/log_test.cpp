#include "log.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <unistd.h>

#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "../support/folder.hpp"

using namespace ggen::p2p::cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::read_file;
using ggen::p2p::test::write_file;

namespace {

/// Log::to_file() takes over standard output and error: this gives them back.
class KeepStandardFiles {
 public:
  KeepStandardFiles() : out_(::dup(STDOUT_FILENO)), error_(::dup(STDERR_FILENO)) {}
  ~KeepStandardFiles() {
    ::dup2(out_.get(), STDOUT_FILENO);
    ::dup2(error_.get(), STDERR_FILENO);
  }

 private:
  ggen::p2p::marketplace::UniqueFd out_;
  ggen::p2p::marketplace::UniqueFd error_;
};

}  // namespace

TEST_CASE("log: others cannot fill the disk") {
  const Folder home;
  std::string text;
  std::uintmax_t older = 0;
  std::uintmax_t newer = 0;
  {
    const KeepStandardFiles keep;
    auto log = Log::to_file(home / "node.log");
    if (log) {
      for (int i = 0; i < 2000; ++i) log->event("knock");
      log->line("own words are always written");
      text = read_file(home / "node.log");
      const std::string big(1024 * 1024, 'x');
      for (int i = 0; i < 20; ++i) log->line(big);
      newer = std::filesystem::file_size(home / "node.log");
      older = std::filesystem::file_size(home / "node.log.1");
    }
  }
  const auto lines = std::ranges::count(text, '\n');
  CHECK(lines >= 200);
  CHECK(lines < 1000);  // some of the second in which the test may run are let through
  CHECK(text.contains("own words"));
  CHECK(text[4] == '-');
  CHECK(newer > 0);
  CHECK(newer <= Log::kMaxFile);
  CHECK(older <= Log::kMaxFile);
}
