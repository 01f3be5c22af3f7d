#include "run_scenario.hpp"

#include <cerrno>
#include <chrono>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "interrupt.hpp"
#include "memory.hpp"
#include "progress.hpp"
#include "run_options.hpp"
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

std::optional<Error> too_few_or_many(const sim::Scenario& scenario,
                                     const sim::RunOptions& options) {
  const std::uint32_t nodes = options.nodes.value_or(scenario.nodes);
  if (nodes < scenario.least_nodes) {
    return Error{Exit::kUsage,
                 fmt::format("{} needs at least {} nodes; {} were asked for.", scenario.name,
                             scenario.least_nodes, nodes),
                 fmt::format("Without --nodes it has {}.", scenario.nodes)};
  }
  const auto needed = memory_needed(nodes, options.fidelity.value_or(scenario.fidelity));
  const auto available = memory_available();
  if (!available || needed <= *available) return std::nullopt;
  return Error{Exit::kUsage,
               fmt::format("{} nodes need about {} of memory; {} are available.", nodes,
                           cli::format_bytes(needed), cli::format_bytes(*available)),
               "Take fewer with --nodes, or --fidelity message, in which a node needs less."};
}

std::optional<Error> not_of_this_scenario(const sim::Scenario& scenario,
                                          const sim::RunOptions& options) {
  if (options.duration && !scenario.endless) {
    return Error{Exit::kUsage,
                 fmt::format("{} ends when it has shown what it shows: --duration is for scenarios "
                             "that go on until they are told to end.",
                             scenario.name)};
  }
  if (!options.keep_faults) return std::nullopt;
  const std::size_t faults = sim::plan_of(scenario, options).size();
  for (const std::size_t index : *options.keep_faults) {
    if (index < faults) continue;
    return Error{Exit::kUsage,
                 faults == 0 ? fmt::format("This run of {} has no faults to keep.", scenario.name)
                             : fmt::format("There is no fault {}: this run of {} has {}, numbered "
                                           "from 0.",
                                           index, scenario.name, cli::count_of(faults, "fault"))};
  }
  return std::nullopt;
}

Error cannot_write(const std::string& path) {
  return {Exit::kOutput,
          fmt::format("Cannot write {}: {}.", path, std::generic_category().message(errno))};
}

}  // namespace

Result<sim::Report> run_scenario(const RunRequest& request) {
  const auto scenario = known_scenario(request.scenario);
  if (!scenario) return std::unexpected(scenario.error());
  if (auto error = too_few_or_many(**scenario, request.options)) return std::unexpected(*error);
  if (auto error = not_of_this_scenario(**scenario, request.options)) {
    return std::unexpected(*error);
  }
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
  sim::Report report = sim::run(**scenario, request.options, std::move(hooks));
  line.reset();
  report.wall_time = std::chrono::steady_clock::now() - started;
  report.version = GGEN_P2P_VERSION;
  report.build = build();
  report.options = written_options(request.options);

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
