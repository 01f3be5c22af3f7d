#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "child_process.hpp"
#include "seed_range.hpp"
#include "trial.hpp"

namespace ggen::p2p::sim_cli {

/// Each takes two files of those that a process may have open.
inline constexpr std::uint64_t kMostJobs = 256;

/// How far they are.
struct SeedTally {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
};

struct SeedFailure {
  std::uint64_t seed = 0;
  Outcome outcome;
};

struct SeedResults {
  std::uint64_t passed = 0;
  std::vector<SeedFailure> failures;  ///< by seed
  bool whole = true;                  ///< false: it was enough before the end
};

/// Runs a child for each seed, some at a time. What comes of it does not depend on how many.
class SeedRuns {
 public:
  struct Setup {
    SeedRange seeds;
    std::size_t jobs = 1;    ///< how many at a time
    base::Duration limit{};  ///< of the clock, for each
    /// Later seeds count for nothing once so many have failed. Nothing: all run.
    std::optional<std::uint64_t> stop_after{};
    std::function<Command(std::uint64_t seed)> command;
    /// Asked now and then. False: it is enough; what runs is killed.
    std::function<bool(const SeedTally& tally)> go_on;
  };
  explicit SeedRuns(Setup setup);

  /// Once. An error is half a sentence: a child could not be started.
  [[nodiscard]] std::expected<SeedResults, std::string> run();

 private:
  std::expected<void, std::string> start_some();
  void wait();
  void take_ended();
  void cut_off();
  [[nodiscard]] SeedTally tally() const;
  [[nodiscard]] SeedResults results(bool whole);

  Setup setup_;
  std::uint64_t started_ = 0;  // so many of the seeds, from the first
  std::vector<bool> passed_;   // by the distance from the first
  std::map<std::uint64_t, std::unique_ptr<ChildProcess>> running_;
  std::map<std::uint64_t, Outcome> failed_;
};

/// Runs it to its end. Nothing: `go_on` said that it is enough, or it could not be started.
[[nodiscard]] std::optional<ChildEnd> run_one(const Command& command, base::Duration limit,
                                              const std::function<bool()>& go_on);

}  // namespace ggen::p2p::sim_cli
