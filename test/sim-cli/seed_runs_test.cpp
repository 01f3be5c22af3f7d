// Children are shells that play a run: what they print depends on the seed.

#include "seed_runs.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include "../support/folder.hpp"

using namespace ggen::p2p::sim_cli;
using ggen::p2p::test::Folder;
using ggen::p2p::test::read_file;

namespace {

constexpr std::string_view kPassed = R"(echo '{"checks": []}')";
constexpr std::string_view kFailed =
    R"(echo '{"checks": [{"name": "it holds", "passed": false, "detail": "no"}]}'; exit 1)";
constexpr std::string_view kHangs = "exec tail -f /dev/null";

Command shell(std::string_view script) {
  return {"/bin/sh", "-c", std::string{script}};
}

// Seeds that three divides fail.
SeedRuns::Setup setup(SeedRange seeds, std::size_t jobs) {
  SeedRuns::Setup setup;
  setup.seeds = seeds;
  setup.jobs = jobs;
  setup.limit = std::chrono::minutes{1};
  setup.command = [](std::uint64_t seed) { return shell(seed % 3 == 0 ? kFailed : kPassed); };
  setup.go_on = [](const SeedTally&) { return true; };
  return setup;
}

std::vector<std::uint64_t> failed_seeds(const SeedResults& results) {
  std::vector<std::uint64_t> seeds;
  for (const SeedFailure& failure : results.failures) seeds.push_back(failure.seed);
  return seeds;
}

bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

}  // namespace

TEST_CASE("seed runs: the result does not depend on how many run at a time") {
  for (const std::size_t jobs : {1, 2, 7, 100}) {
    CAPTURE(jobs);
    const auto results = SeedRuns{setup({4, 20}, jobs)}.run();
    REQUIRE(results);
    CHECK(results->whole);
    CHECK(results->passed == 12);
    CHECK(failed_seeds(*results) == std::vector<std::uint64_t>{6, 9, 12, 15, 18});
    CHECK(results->failures.front().outcome.failure == "it holds");
  }
}

TEST_CASE("seed runs: what follows the last failure that counts is left out") {
  for (const std::size_t jobs : {1, 2, 7, 100}) {
    CAPTURE(jobs);
    SeedRuns::Setup two = setup({4, 20}, jobs);
    two.stop_after = 2;
    // The earliest failure is the last to be known when all run at a time.
    two.command = [](std::uint64_t seed) {
      const std::string_view script = seed % 3 == 0 ? kFailed : kPassed;
      return shell(seed == 6 ? fmt::format("head -c 20000000 /dev/zero | cksum >&2; {}", script)
                             : std::string{script});
    };
    const auto results = SeedRuns{std::move(two)}.run();
    REQUIRE(results);
    CHECK(results->passed == 4);
    CHECK(failed_seeds(*results) == std::vector<std::uint64_t>{6, 9});
  }
}

TEST_CASE("seed runs: one that hangs has failed, and is gone") {
  const Folder folder;
  SeedRuns::Setup hanging = setup({1, 1}, 1);
  hanging.limit = std::chrono::milliseconds{300};
  hanging.command = [&](std::uint64_t) {
    return shell(fmt::format("echo $$ > {}; {}", (folder / "pid").string(), kHangs));
  };
  const auto results = SeedRuns{std::move(hanging)}.run();
  REQUIRE(results);
  REQUIRE(results->failures.size() == 1);
  CHECK(results->failures.front().outcome.failure == "did not end in time");
  const std::string pid = read_file(folder / "pid");
  if (!pid.empty()) CHECK_FALSE(is_alive(std::stoi(pid)));  // it had the time to say
}

TEST_CASE("seed runs: when it is enough, no child lives on") {
  const Folder folder;
  SeedRuns::Setup hanging = setup({1, 10}, 3);
  hanging.command = [&](std::uint64_t seed) {
    const std::string path = (folder / std::to_string(seed)).string();
    return shell(fmt::format("echo $$ > {0}.part; mv {0}.part {0}; {1}", path, kHangs));
  };
  hanging.go_on = [&](const SeedTally& tally) {
    CHECK(tally.done == 0);
    for (const char* seed : {"1", "2", "3"}) {
      if (!std::filesystem::exists(folder / seed)) return true;
    }
    return false;
  };
  const auto results = SeedRuns{std::move(hanging)}.run();
  REQUIRE(results);
  CHECK_FALSE(results->whole);
  CHECK(results->passed == 0);
  CHECK(results->failures.empty());
  for (const char* seed : {"1", "2", "3"}) {
    CHECK_FALSE(is_alive(std::stoi(read_file(folder / seed))));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "4"));
}

TEST_CASE("seed runs: much on both outputs does not block a child") {
  const auto end = run_one(shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; "
                                 "head -c 3000000 /dev/zero >&2; echo last >&2"),
                           std::chrono::minutes{1}, [] { return true; });
  REQUIRE(end);
  CHECK(end->status == 0);
  CHECK(end->out.size() == 3'000'000);
  CHECK(end->err.size() == 16 * 1024);
  CHECK(end->err.ends_with("last\n"));
}

TEST_CASE("seed runs: what cannot be executed has failed") {
  const auto end = run_one({"/nothing/here"}, std::chrono::minutes{1}, [] { return true; });
  REQUIRE(end);
  CHECK(outcome_of(*end).failure == "ended with 127");
  CHECK(outcome_of(*end).detail == "It cannot be executed.\n");
}
