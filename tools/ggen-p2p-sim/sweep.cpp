#include "sweep.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>
#include <sys/wait.h>

#include "interrupt.hpp"
#include "memory.hpp"
#include "progress.hpp"
#include "render_sweep.hpp"
#include "run_scenario.hpp"
#include "text.hpp"

namespace ggen::p2p::sim_cli {
namespace {

std::size_t processors() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostJobs);
}

// Carries one sweep out.
class Sweeper {
 public:
  Sweeper(const command::Sweep& command, const Runnable& run) : command_(command), run_(run) {}

  Result<Sweep> go() {
    auto results = run_seeds();
    if (!results) {
      return fail(Exit::kFailed, fmt::format("A run cannot be started: {}.", results.error()),
                  "If there are too many processes, take fewer --jobs.");
    }
    Sweep sweep{run_of(trial_of(command_.seeds.first)), command_.seeds, *std::move(results)};
    for (const SeedFailure& failure : sweep.results.failures) {
      sweep.replays.push_back(sim::replay_command(run_of(trial_of(failure.seed))));
    }
    if (!interrupted() && !sweep.results.failures.empty()) {
      sweep.smallest = smallest(*std::ranges::min_element(
          sweep.results.failures, {}, [](const auto& failure) { return failure.outcome.wall; }));
    }
    sweep.interrupted = interrupted();
    return sweep;
  }

 private:
  [[nodiscard]] Trial trial_of(std::uint64_t seed) const { return {seed, run_.nodes}; }

  [[nodiscard]] sim::RunOptions options_of(const Trial& trial) const {
    sim::RunOptions options = command_.options;
    options.seed = trial.seed;
    options.nodes = trial.nodes;
    options.fidelity = run_.fidelity;
    options.keep_faults = trial.keep_faults;
    return options;
  }

  [[nodiscard]] sim::FaultPlan plan_of(const Trial& trial) const {
    return run_.plan(options_of(trial));
  }

  [[nodiscard]] sim::Report run_of(const Trial& trial) const {
    return report_before(run_, options_of(trial));
  }

  // By this very program, also when its file is replaced meanwhile.
  [[nodiscard]] Command command_of(const Trial& trial) const {
    const sim::Report run = run_of(trial);
    Command command{"/proc/self/exe",
                    "run",
                    run.scenario,
                    "--seed",
                    fmt::to_string(run.seed),
                    "--nodes",
                    fmt::to_string(run.nodes),
                    "--fidelity",
                    run.fidelity,
                    "--json"};
    for (const sim::RunOption& option : run.options) {
      command.push_back("--" + option.name);
      if (!option.value.empty()) command.push_back(option.value);
    }
    return command;
  }

  [[nodiscard]] std::size_t jobs() const {
    const std::uint64_t asked = command_.jobs.value_or(processors());
    const auto available = memory_available();
    if (!available) return asked;
    return std::clamp<std::uint64_t>(
        *available / memory_needed(run_.nodes, run_.fidelity, run_.node_size), 1, asked);
  }

  [[nodiscard]] std::expected<SeedResults, std::string> run_seeds() const {
    ProgressLine line;
    SeedRuns::Setup setup;
    setup.seeds = command_.seeds;
    setup.jobs = jobs();
    setup.limit = command_.timeout;
    setup.stop_after = command_.stop_after;
    setup.command = [&](std::uint64_t seed) { return command_of(trial_of(seed)); };
    setup.go_on = [&](const SeedTally& tally) {
      line.show([&](auto wall) { return seeds_text(tally, command_.seeds.size(), wall); });
      return !interrupted();
    };
    return SeedRuns{std::move(setup)}.run();
  }

  [[nodiscard]] SmallestFailure smallest(const SeedFailure& failure) const {
    ProgressLine line;
    std::size_t runs = 0;
    Shrinking shrinking;
    shrinking.least_nodes = run_.least_nodes;
    shrinking.planned = [&](const Trial& trial) { return plan_of(trial).size(); };
    shrinking.run = [&](const Trial& trial) -> std::optional<Outcome> {
      ++runs;
      const auto end = run_one(command_of(trial), command_.timeout, [&] {
        line.show([&](auto) { return shrinking_text(trial, runs); });
        return !interrupted();
      });
      return end ? std::optional{outcome_of(*end)} : std::nullopt;
    };
    SmallestFailure smallest{
        shrink(trial_of(failure.seed), failure.outcome, shrinking), {}, {}, {}};
    smallest.replay = sim::replay_command(run_of(smallest.shrunk.trial));
    smallest.faults = faults_of(smallest.shrunk.trial);
    if (!command_.report.empty()) write_report(smallest);
    return smallest;
  }

  // From the plan, as a run that crashes tells nothing.
  [[nodiscard]] std::vector<sim::ReportedFault> faults_of(const Trial& trial) const {
    const sim::FaultPlan plan = plan_of(trial);
    std::vector<sim::ReportedFault> faults;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      if (trial.keep_faults &&
          std::ranges::find(*trial.keep_faults, i) == trial.keep_faults->end()) {
        continue;
      }
      faults.push_back({i, base::Instant{} + plan[i].at, sim::describe(plan[i])});
    }
    return faults;
  }

  // By running it once more.
  void write_report(SmallestFailure& smallest) const {
    smallest.report = command_.report;
    Command command = command_of(smallest.shrunk.trial);
    command.insert(command.end(), {"--report", command_.report});
    const auto end = run_one(command, command_.timeout, [] { return !interrupted(); });
    if (!end) {
      smallest.not_written = Error{Exit::kFailed, "There was no time to write the report."};
      return;
    }
    const Outcome outcome = outcome_of(*end);
    if (outcome.finished) return;
    const bool disk =
        WIFEXITED(end->status) && WEXITSTATUS(end->status) == static_cast<int>(Exit::kOutput);
    smallest.not_written =
        disk ? Error{Exit::kOutput, outcome.failure}
             : Error{Exit::kFailed, "There is no report: the run does not come to its end."};
  }

  const command::Sweep& command_;
  const Runnable& run_;
};

}  // namespace

Exit Sweep::exit() const {
  if (interrupted) return Exit::kInterrupted;
  if (smallest && smallest->not_written) return smallest->not_written->code;
  return results.failures.empty() ? Exit::kOk : Exit::kFailed;
}

Result<Sweep> sweep(const command::Sweep& command) {
  const auto run = runnable(command.scenario, command.options);
  if (!run) return std::unexpected(run.error());
  if (!command.report.empty()) {
    if (const auto ready = sim::prepare_report_folder(command.report); !ready) {
      return fail(Exit::kOutput, cli::sentence(ready.error()), "Nothing was run.");
    }
  }
  catch_interrupts();
  return Sweeper{command, *run}.go();
}

}  // namespace ggen::p2p::sim_cli
