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
#include "memory.hpp"
#include "progress.hpp"
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

// What is to be run, built in or from a file.
struct Chosen {
  std::string name;
  std::uint32_t nodes = 0;
  std::uint32_t least_nodes = 0;
  sim::Fidelity fidelity{};
  base::Duration duration{};
  bool endless = false;
  sim::FaultPlan plan;
  std::string sha256;  // of a file
  std::function<sim::Report(sim::Hooks)> run;
};

Result<Chosen> choose(const RunRequest& request) {
  const sim::RunOptions& options = request.options;
  if (sim::find_scenario(request.scenario) == nullptr && names_a_file(request.scenario)) {
    auto file = read_scenario_file(request.scenario);
    if (!file) return std::unexpected(std::move(file.error()));
    const sim::Script& script = file->script;
    return Chosen{script.name,
                  options.nodes.value_or(script.nodes),
                  sim::Script::kLeastNodes,
                  options.fidelity.value_or(script.fidelity),
                  options.duration.value_or(script.duration),
                  true,
                  sim::plan_of(script, options),
                  file->sha256,
                  [script, options](sim::Hooks hooks) {
                    return sim::run(script, options, std::move(hooks));
                  }};
  }
  const auto found = known_scenario(request.scenario);
  if (!found) return std::unexpected(found.error());
  const sim::Scenario& scenario = **found;
  return Chosen{std::string{scenario.name},
                options.nodes.value_or(scenario.nodes),
                scenario.least_nodes,
                options.fidelity.value_or(scenario.fidelity),
                options.duration.value_or(scenario.duration),
                scenario.endless,
                sim::plan_of(scenario, options),
                {},
                [&scenario, options](sim::Hooks hooks) {
                  return sim::run(scenario, options, std::move(hooks));
                }};
}

std::optional<Error> too_few_or_many(const Chosen& chosen) {
  if (chosen.nodes < chosen.least_nodes) {
    return Error{Exit::kUsage, fmt::format("{} needs at least {} nodes; {} were asked for.",
                                           chosen.name, chosen.least_nodes, chosen.nodes)};
  }
  const auto needed = memory_needed(chosen.nodes, chosen.fidelity);
  const auto available = memory_available();
  if (!available || needed <= *available) return std::nullopt;
  return Error{Exit::kUsage,
               fmt::format("{} nodes need about {} of memory; {} are available.", chosen.nodes,
                           cli::format_bytes(needed), cli::format_bytes(*available)),
               "Take fewer with --nodes, or --fidelity message, in which a node needs less."};
}

bool is_possible(const sim::Fault& fault, const Chosen& chosen) {
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

std::optional<Error> wrong_faults(const Chosen& chosen, const sim::RunOptions& options) {
  for (const sim::Fault& fault : chosen.plan) {
    if (is_possible(fault, chosen)) continue;
    return Error{Exit::kUsage,
                 fmt::format("A fault of {} names a node that the run does not have, or ends after "
                             "it: {}.",
                             chosen.name, sim::describe(fault)),
                 "Take more with --nodes or --duration."};
  }
  if (!options.keep_faults) return std::nullopt;
  for (const std::size_t index : *options.keep_faults) {
    if (index < chosen.plan.size()) continue;
    return Error{Exit::kUsage,
                 chosen.plan.empty()
                     ? fmt::format("This run of {} has no faults to keep.", chosen.name)
                     : fmt::format("There is no fault {}: this run of {} has {}, numbered from 0.",
                                   index, chosen.name, cli::count_of(chosen.plan.size(), "fault"))};
  }
  return std::nullopt;
}

std::optional<Error> another_file(const Chosen& chosen, const RunRequest& request) {
  if (request.sha256.empty() || request.sha256 == chosen.sha256) return std::nullopt;
  if (chosen.sha256.empty()) {
    return Error{Exit::kUsage,
                 fmt::format("{} is no file: --sha256 is for scenarios of files.", chosen.name)};
  }
  return Error{Exit::kUsage,
               fmt::format("{} has changed: its SHA-256 is {}.", chosen.name, chosen.sha256),
               "Without --sha256 it is run as it is."};
}

std::optional<Error> impossible(const Chosen& chosen, const RunRequest& request) {
  if (request.options.duration && !chosen.endless) {
    return Error{Exit::kUsage,
                 fmt::format("{} ends when it has shown what it shows: --duration is for scenarios "
                             "that go on until they are told to end.",
                             chosen.name)};
  }
  if (auto error = another_file(chosen, request)) return error;
  if (auto error = too_few_or_many(chosen)) return error;
  return wrong_faults(chosen, request.options);
}

Error cannot_write(const std::string& path) {
  return {Exit::kOutput,
          fmt::format("Cannot write {}: {}.", path, std::generic_category().message(errno))};
}

}  // namespace

Result<sim::Report> run_scenario(const RunRequest& request) {
  const auto chosen = choose(request);
  if (!chosen) return std::unexpected(chosen.error());
  if (auto error = impossible(*chosen, request)) return std::unexpected(*error);
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

  catch_interrupts();
  const auto started = std::chrono::steady_clock::now();
  std::optional<ProgressLine> line{std::in_place};
  sim::Hooks hooks;
  hooks.progress = [&](const sim::Progress& progress) {
    line->show(progress);
    return !interrupted();
  };
  if (spans.is_open()) hooks.spans = [&](std::string_view text) { spans << text; };
  sim::Report report = chosen->run(std::move(hooks));
  line.reset();
  report.wall_time = std::chrono::steady_clock::now() - started;
  report.version = GGEN_P2P_VERSION;
  report.build = build();
  report.options = written_options(request.options);
  if (!chosen->sha256.empty()) report.options.push_back({"sha256", chosen->sha256});

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
