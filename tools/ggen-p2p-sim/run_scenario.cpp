#include "run_scenario.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

#include "interrupt.hpp"
#include "last_words.hpp"
#include "memory.hpp"
#include "progress.hpp"
#include "render.hpp"
#include "run_options.hpp"
#include "scenario_file.hpp"
#include "text.hpp"

namespace ggen::p2p::sim_cli {

namespace {

std::string build() {
#if defined(__clang__)
  return fmt::format("{}, clang {}.{}", GGEN_P2P_BUILD_TYPE, __clang_major__, __clang_minor__);
#else
  return fmt::format("{}, g++ {}.{}", GGEN_P2P_BUILD_TYPE, __GNUC__, __GNUC_MINOR__);
#endif
}

Result<const sim::Scenario*> known_scenario(const std::string& name) {
  if (const auto* found = sim::find_scenario(name)) return found;
  std::vector<std::string> names;
  for (const sim::Scenario& scenario : sim::scenarios()) names.emplace_back(scenario.name);
  const auto nearest = cli::nearest(name, names);
  return fail(Exit::kUsage, fmt::format("There is no scenario `{}`.", name),
              fmt::format("{}All are listed by: ggen-p2p-sim list",
                          nearest ? fmt::format("Did you mean {}? ", *nearest) : ""));
}

Runnable of_file(const ScenarioFile& file, const sim::RunOptions& options) {
  const sim::Script script = file.script;
  return {script.name,
          options.nodes.value_or(script.nodes),
          sim::Script::kLeastNodes,
          options.fidelity.value_or(script.fidelity),
          options.duration.value_or(script.duration),
          true,
          file.sha256,
          [script](const sim::RunOptions& o) { return sim::plan_of(script, o); },
          [script](const sim::RunOptions& o, sim::Hooks hooks) {
            return sim::run(script, o, std::move(hooks));
          }};
}

Runnable of_scenario(const sim::Scenario& scenario, const sim::RunOptions& options) {
  return {std::string{scenario.name},
          options.nodes.value_or(scenario.nodes),
          scenario.least_nodes,
          options.fidelity.value_or(scenario.fidelity),
          options.duration.value_or(scenario.duration),
          scenario.endless,
          {},
          [&scenario](const sim::RunOptions& o) { return sim::plan_of(scenario, o); },
          [&scenario](const sim::RunOptions& o, sim::Hooks hooks) {
            return sim::run(scenario, o, std::move(hooks));
          },
          scenario.node_size};
}

Result<Runnable> choose(const std::string& scenario, const sim::RunOptions& options) {
  if (sim::find_scenario(scenario) == nullptr && names_a_file(scenario)) {
    const auto file = read_scenario_file(scenario);
    if (!file) return std::unexpected(file.error());
    return of_file(*file, options);
  }
  const auto found = known_scenario(scenario);
  if (!found) return std::unexpected(found.error());
  return of_scenario(**found, options);
}

std::optional<Error> too_few_or_many(const Runnable& chosen) {
  if (chosen.nodes < chosen.least_nodes) {
    return Error{Exit::kUsage, fmt::format("{} needs at least {} nodes; {} were asked for.",
                                           chosen.name, chosen.least_nodes, chosen.nodes)};
  }
  const auto needed = memory_needed(chosen.nodes, chosen.fidelity, chosen.node_size);
  const auto available = memory_available();
  if (!available || needed <= *available) return std::nullopt;
  return Error{Exit::kUsage,
               fmt::format("{} nodes need about {} of memory; {} are available.", chosen.nodes,
                           cli::format_bytes(needed), cli::format_bytes(*available)),
               "Take fewer with --nodes, or --fidelity message, in which a node needs less."};
}

bool is_possible(const sim::Fault& fault, const Runnable& chosen) {
  const auto* partition = std::get_if<sim::fault::Partition>(&fault.what);
  const auto known = [&](sim::NodeIndex node) { return node < chosen.nodes; };
  const bool nodes_known =
      partition != nullptr
          ? std::ranges::all_of(partition->nodes, known) &&
                std::ranges::all_of(partition->bridge, known)
          : std::visit(base::Overloaded{[](const sim::fault::Partition&) { return true; },
                                        [&](const auto& of_node) { return known(of_node.node); }},
                       fault.what);
  return nodes_known && fault.at + fault.lasts <= chosen.duration;
}

std::optional<Error> wrong_faults(const Runnable& chosen, const sim::RunOptions& options) {
  const sim::FaultPlan plan = chosen.plan(options);
  for (const sim::Fault& fault : plan) {
    if (is_possible(fault, chosen)) continue;
    return Error{Exit::kUsage,
                 fmt::format("A fault of {} names a node that the run does not have, or ends after "
                             "it: {}.",
                             chosen.name, sim::describe(fault)),
                 "Take more with --nodes or --duration."};
  }
  if (!options.keep_faults) return std::nullopt;
  for (const std::size_t index : *options.keep_faults) {
    if (index < plan.size()) continue;
    return Error{Exit::kUsage,
                 plan.empty()
                     ? fmt::format("This run of {} has no faults to keep.", chosen.name)
                     : fmt::format("There is no fault {}: this run of {} has {}, numbered from 0.",
                                   index, chosen.name, cli::count_of(plan.size(), "fault"))};
  }
  return std::nullopt;
}

std::optional<Error> another_file(const Runnable& chosen, const std::string& sha256) {
  if (sha256.empty() || sha256 == chosen.sha256) return std::nullopt;
  if (chosen.sha256.empty()) {
    return Error{Exit::kUsage,
                 fmt::format("{} is no file: --sha256 is for scenarios of files.", chosen.name)};
  }
  return Error{Exit::kUsage,
               fmt::format("{} has changed: its SHA-256 is {}.", chosen.name, chosen.sha256),
               "Without --sha256 it is run as it is."};
}

std::optional<Error> impossible(const Runnable& chosen, const sim::RunOptions& options,
                                const std::string& sha256) {
  if (options.duration && !chosen.endless) {
    return Error{Exit::kUsage,
                 fmt::format("{} ends when it has shown what it shows: --duration is for scenarios "
                             "that go on until they are told to end.",
                             chosen.name)};
  }
  if (auto error = another_file(chosen, sha256)) return error;
  if (auto error = too_few_or_many(chosen)) return error;
  return wrong_faults(chosen, options);
}

Error cannot_write(const std::string& path) {
  return {Exit::kOutput,
          fmt::format("Cannot write {}: {}.", path, std::generic_category().message(errno))};
}

}  // namespace

Result<Runnable> runnable(const std::string& scenario, const sim::RunOptions& options,
                          const std::string& sha256) {
  auto chosen = choose(scenario, options);
  if (!chosen) return chosen;
  if (auto error = impossible(*chosen, options, sha256)) return std::unexpected(*error);
  return chosen;
}

sim::Report report_before(const Runnable& run, const sim::RunOptions& options) {
  sim::Report report;
  report.scenario = run.name;
  report.seed = options.seed;
  report.nodes = options.nodes.value_or(run.nodes);
  report.fidelity = name_of(run.fidelity);
  report.options = written_options(options);
  if (!run.sha256.empty()) report.options.push_back({"sha256", run.sha256});
  report.version = GGEN_P2P_VERSION;
  report.build = build();
  return report;
}

Result<sim::Report> run_scenario(const RunRequest& request) {
  const auto chosen = runnable(request.scenario, request.options, request.sha256);
  if (!chosen) return std::unexpected(chosen.error());
  if (!request.report.empty()) {
    if (const auto ready = sim::prepare_report_folder(request.report); !ready) {
      return fail(Exit::kOutput, cli::sentence(ready.error()), "Nothing was run.");
    }
  }
  std::ofstream spans;
  if (!request.trace.empty()) {
    spans.open(request.trace, std::ios::binary | std::ios::trunc);
    if (!spans) return std::unexpected(cannot_write(request.trace));
  }

  const sim::Report before = report_before(*chosen, request.options);
  set_last_words(fmt::format("\n{}", how_to_run_again(before)));
  catch_interrupts();
  const auto started = std::chrono::steady_clock::now();
  std::optional<ProgressLine> line{std::in_place};
  sim::Hooks hooks;
  hooks.progress = [&](const sim::Progress& progress) {
    line->show(progress);
    return !interrupted();
  };
  if (spans.is_open()) hooks.spans = [&](std::string_view text) { spans << text; };
  sim::Report report = chosen->run(request.options, std::move(hooks));
  line.reset();
  report.wall_time = std::chrono::steady_clock::now() - started;
  report.version = before.version;
  report.build = before.build;
  report.options = before.options;

  if (!request.report.empty()) {
    if (const auto written = sim::write_report(report, request.report); !written) {
      return fail(Exit::kOutput, cli::sentence(written.error()));
    }
  }
  if (spans.is_open()) {
    spans << '\n';
    spans.close();
    if (!spans) return std::unexpected(cannot_write(request.trace));
  }
  return report;
}

}  // namespace ggen::p2p::sim_cli
