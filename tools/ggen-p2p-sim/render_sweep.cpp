#include "render_sweep.hpp"

#include <chrono>
#include <sstream>

#include <fmt/format.h>

#include "text.hpp"

namespace ggen::p2p::sim_cli {
namespace {

double seconds(base::Duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string failures(const Sweep& sweep) {
  std::string text;
  for (std::size_t i = 0; i < sweep.results.failures.size(); ++i) {
    const auto& [seed, outcome] = sweep.results.failures[i];
    text += fmt::format("  FAILED  seed {}  {:.2f} s  {}  {}\n", seed, seconds(outcome.wall),
                        cli::printable(outcome.failure), sweep.replays[i]);
  }
  return text;
}

std::string faults(const SmallestFailure& smallest) {
  std::string text;
  for (const sim::ReportedFault& fault : smallest.faults) {
    text += fmt::format("    #{:<3}  {:.2f} s after the faults begin: {}\n", fault.index,
                        seconds(fault.at.time_since_epoch()), fault.text);
  }
  return text;
}

std::string smallest_failure(const SmallestFailure& smallest) {
  const auto& [trial, outcome, runs, whole] = smallest.shrunk;
  std::string text = fmt::format(
      "\nThe smallest run that fails like the fastest one has seed {}, {} and {}; it was found "
      "with "
      "{}{}:\n  {}\n",
      trial.seed, cli::count_of(trial.nodes, "node"),
      cli::count_of(smallest.faults.size(), "fault"), cli::count_of(runs, "run"),
      whole ? "" : ", and the search was not over", smallest.replay);
  std::istringstream lines(outcome.detail);
  for (std::string line; std::getline(lines, line);) {
    text += fmt::format("    {}\n", cli::printable(line));
  }
  text += faults(smallest);
  if (smallest.not_written) {
    text += fmt::format("{}\n", cli::printable(cli::sentence(smallest.not_written->message)));
  } else if (!smallest.report.empty()) {
    text += fmt::format("{}/index.html shows it.\n", smallest.report);
  }
  return text;
}

}  // namespace

std::string render(const Sweep& sweep) {
  const auto& [passed, failed, whole] = sweep.results;
  std::string text =
      fmt::format("{}: seeds {} to {}, {} nodes, {}\n", sweep.common.scenario, sweep.seeds.first,
                  sweep.seeds.last, sweep.common.nodes, sweep.common.fidelity);
  if (!failed.empty()) text += fmt::format("\n{}", failures(sweep));
  if (sweep.smallest) text += smallest_failure(*sweep.smallest);
  text += "\n";
  if (!failed.empty()) {
    text += fmt::format("Made by version {} ({}).\n", sweep.common.version, sweep.common.build);
  }
  if (sweep.interrupted) text += "Interrupted: all of this is of what was reached.\n";
  return text + fmt::format("{} passed, {} failed\n", passed, failed.size());
}

Json to_json(const Sweep& sweep) {
  Json json{{"scenario", sweep.common.scenario},
            {"seeds", {sweep.seeds.first, sweep.seeds.last}},
            {"nodes", sweep.common.nodes},
            {"fidelity", sweep.common.fidelity},
            {"version", sweep.common.version},
            {"build", sweep.common.build},
            {"interrupted", sweep.interrupted},
            {"passed", sweep.results.passed},
            {"failed", sweep.results.failures.size()},
            {"failures", Json::array()},
            {"smallest", nullptr}};
  for (std::size_t i = 0; i < sweep.results.failures.size(); ++i) {
    const auto& [seed, outcome] = sweep.results.failures[i];
    json["failures"].push_back({{"seed", seed},
                                {"wall_ns", outcome.wall.count()},
                                {"failure", outcome.failure},
                                {"detail", outcome.detail},
                                {"replay", sweep.replays[i]}});
  }
  if (!sweep.smallest) return json;
  const auto& [trial, outcome, runs, whole] = sweep.smallest->shrunk;
  json["smallest"] = {{"seed", trial.seed},
                      {"nodes", trial.nodes},
                      {"faults", Json::array()},
                      {"failure", outcome.failure},
                      {"detail", outcome.detail},
                      {"wall_ns", outcome.wall.count()},
                      {"replay", sweep.smallest->replay},
                      {"runs", runs},
                      {"whole", whole},
                      {"report", nullptr}};
  for (const sim::ReportedFault& fault : sweep.smallest->faults) {
    json["smallest"]["faults"].push_back({{"index", fault.index},
                                          {"at_ns", fault.at.time_since_epoch().count()},
                                          {"text", fault.text}});
  }
  if (!sweep.smallest->report.empty() && !sweep.smallest->not_written) {
    json["smallest"]["report"] = sweep.smallest->report;
  }
  return json;
}

std::string seeds_text(const SeedTally& tally, std::uint64_t seeds, base::Duration wall) {
  std::string text = fmt::format("{} of {} seeds, {} failed", tally.done, seeds, tally.failed);
  if (tally.done == 0) return text;
  const double rate = static_cast<double>(tally.done) / seconds(wall);
  return text + fmt::format(", {:.1f} a second, about {:.0f} s left", rate,
                            static_cast<double>(seeds - tally.done) / rate);
}

std::string shrinking_text(const Trial& trial, std::size_t runs) {
  std::string text = fmt::format("looking for a smaller failure: run {} of at most {}, {}", runs,
                                 kMostShrinkingRuns, cli::count_of(trial.nodes, "node"));
  if (trial.keep_faults) {
    text += fmt::format(", {}", cli::count_of(trial.keep_faults->size(), "fault"));
  }
  return text;
}

}  // namespace ggen::p2p::sim_cli
