#include "command_line.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "run_options.hpp"
#include "seed_runs.hpp"
#include "shrink.hpp"
#include "text.hpp"

namespace ggen::p2p::sim_cli {
namespace {

// What CLI11 fills in.
struct Raw {
  bool json = false;
  command::Run run;
  std::string fidelity;
  std::string duration;
  std::string keep_faults;
  command::Sweep sweep;
  std::string seeds;
  std::string timeout;
  command::Compare compare;
  command::Replay replay;
};

CLI::App* add_command(CLI::App& app, const char* name, const char* what,
                      const std::string& examples) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer("Examples:\n" + examples);
  return command;
}

void add_json(CLI::App* command, Raw& raw) {
  command->add_flag("--json", raw.json, "Print one JSON document on standard output, errors too");
}

// What `run` and `sweep` know.
void add_size(CLI::App* command, sim::RunOptions& options, Raw& raw) {
  command->add_option("--nodes", options.nodes, "How many nodes [the scenario's own number]")
      ->type_name("N");
  command
      ->add_option("--fidelity", raw.fidelity,
                   "wire: every byte; message: the frames of streams, which takes less time and "
                   "memory [the scenario's own]")
      ->type_name("wire|message")
      ->check(CLI::IsMember({"wire", "message"}));
  command
      ->add_option("--duration", raw.duration,
                   "How long churn, chaos and scenarios of files go on, in virtual time: 90s, 10m "
                   "[the scenario's own]")
      ->type_name("TIME");
}

void add_sweep(CLI::App& app, Raw& raw) {
  CLI::App* sweep = add_command(
      app, "sweep", "Run a scenario with many seeds, and make a failing run small",
      fmt::format(
          "  ggen-p2p-sim sweep publish-package --seeds 1..100\n"
          "  ggen-p2p-sim sweep large-network --seeds 1..1000 --jobs 4 --stop-after 1\n"
          "  ggen-p2p-sim sweep network-partition --seeds 1..50 --report out\n"
          "Each seed runs in a process of its own: one that crashes or hangs has failed, as "
          "one whose checks fail. Of the failures, the fastest is run again and again with "
          "fewer nodes and fewer faults, at most {} times, to find the smallest run that "
          "fails in the same way.",
          kMostShrinkingRuns));
  sweep->add_option("SCENARIO", raw.sweep.scenario, "One of those that `list` shows")->required();
  sweep->add_option("--seeds", raw.seeds, "The first and the last")->type_name("A..B")->required();
  sweep
      ->add_option("--jobs", raw.sweep.jobs,
                   "How many run at a time, fewer if memory does not allow so many [one for each "
                   "processor]")
      ->type_name("N");
  add_size(sweep, raw.sweep.options, raw);
  sweep
      ->add_option("--timeout", raw.timeout,
                   "A run that takes longer has failed, by the clock of this machine [10m]")
      ->type_name("TIME");
  sweep
      ->add_option("--stop-after", raw.sweep.stop_after,
                   "Leave out the seeds that follow the Nth one that fails [all run]")
      ->type_name("N");
  sweep
      ->add_option("--report", raw.sweep.report,
                   "Write the report of the smallest failing run into this folder")
      ->type_name("DIR");
  add_json(sweep, raw);
}

void add_commands(CLI::App& app, Raw& raw) {
  CLI::App* list = add_command(app, "list", "Show the scenarios that can be run",
                               "  ggen-p2p-sim list\n"
                               "  ggen-p2p-sim list --json | jq -r '.scenarios[].name'");
  add_json(list, raw);

  CLI::App* run = add_command(app, "run", "Run a scenario, and check what must hold",
                              "  ggen-p2p-sim run publish-package\n"
                              "  ggen-p2p-sim run large-network --nodes 200 --seed 7 --report out\n"
                              "  ggen-p2p-sim run dht-put-get --fidelity message --json\n"
                              "  ggen-p2p-sim run chaos --seed 7 --duration 10m\n"
                              "  ggen-p2p-sim run my-scenario.toml\n"
                              "  ggen-p2p-sim run publish-package --trace spans.json");
  run->add_option("SCENARIO", raw.run.scenario, "One of those that `list` shows, or a TOML file")
      ->required();
  run->add_option("--seed", raw.run.options.seed, "Chooses all that is left to chance")
      ->type_name("N")
      ->capture_default_str();
  add_size(run, raw.run.options, raw);
  run->add_option("--keep-faults", raw.keep_faults,
                  "Play only these faults of the scenario's, by their numbers, or none [all]")
      ->type_name("0,3,7|none");
  run->add_option("--sha256", raw.run.sha256,
                  "Run a scenario file only if it is the one that a report tells of")
      ->type_name("HEX");
  run->add_option("--report", raw.run.report, "Write index.html and report.json into this folder")
      ->type_name("DIR");
  run->add_option("--trace", raw.run.trace,
                  "Write what the nodes did as spans, in OTLP's JSON encoding")
      ->type_name("FILE");
  add_json(run, raw);

  add_sweep(app, raw);

  CLI::App* compare = add_command(app, "compare", "Lay the reports of two runs over each other",
                                  "  ggen-p2p-sim run large-network --nodes 100 --report a\n"
                                  "  ggen-p2p-sim run large-network --nodes 200 --report b\n"
                                  "  ggen-p2p-sim compare a b --output both");
  compare->add_option("A", raw.compare.a, "The folder of a report, or its report.json")->required();
  compare->add_option("B", raw.compare.b, "The other")->required();
  compare
      ->add_option("--output", raw.compare.output,
                   "Write index.html and comparison.json into this folder")
      ->type_name("DIR")
      ->required();

  CLI::App* replay =
      add_command(app, "replay", "Run again what a report tells of, and compare the traces",
                  "  ggen-p2p-sim replay out\n"
                  "  ggen-p2p-sim replay out/report.json");
  replay->add_option("REPORT", raw.replay.report, "The folder of a report, or its report.json")
      ->required();
}

std::optional<sim::Fidelity> fidelity_of(const std::string& name) {
  if (name.empty()) return std::nullopt;
  return name == "wire" ? sim::Fidelity::kWire : sim::Fidelity::kMessage;
}

std::optional<Error> out_of_range(std::string_view option,
                                  const std::optional<std::uint64_t>& value, std::uint64_t most) {
  if (!value || (*value >= 1 && *value <= most)) return std::nullopt;
  return Error{Exit::kUsage,
               fmt::format("--{} must be from 1 to {}; it is {}.", option, most, *value)};
}

Result<command::Sweep> read_sweep(Raw raw) {
  command::Sweep sweep = std::move(raw.sweep);
  sweep.options.fidelity = fidelity_of(raw.fidelity);
  if (!raw.duration.empty()) {
    if (auto set = set_option(sweep.options, "duration", raw.duration); !set) {
      return std::unexpected(std::move(set.error()));
    }
  }
  const auto seeds = parse_seed_range(raw.seeds);
  if (!seeds) return std::unexpected(seeds.error());
  sweep.seeds = *seeds;
  if (auto error = out_of_range("jobs", sweep.jobs, kMostJobs)) return std::unexpected(*error);
  if (auto error = out_of_range("stop-after", sweep.stop_after, kMostSeeds)) {
    return std::unexpected(*error);
  }
  if (raw.timeout.empty()) return sweep;
  const auto timeout = cli::parse_duration(raw.timeout);
  if (!timeout) return fail(Exit::kUsage, cli::sentence("--timeout " + timeout.error()));
  if (*timeout == base::Duration{}) {
    return fail(Exit::kUsage, "With --timeout 0 every run would be too late.");
  }
  sweep.timeout = *timeout;
  return sweep;
}

Result<CommandLine> chosen(std::string_view name, Raw raw) {
  CommandLine line;
  line.json = raw.json;
  if (name == "run") {
    raw.run.options.fidelity = fidelity_of(raw.fidelity);
    for (const auto& [option, value] :
         {std::pair{"duration", raw.duration}, {"keep-faults", raw.keep_faults}}) {
      if (value.empty()) continue;
      if (auto set = set_option(raw.run.options, option, value); !set) {
        return std::unexpected(std::move(set.error()));
      }
    }
    line.command = std::move(raw.run);
  } else if (name == "sweep") {
    auto sweep = read_sweep(std::move(raw));
    if (!sweep) return std::unexpected(std::move(sweep.error()));
    line.command = *std::move(sweep);
  } else if (name == "compare") {
    line.command = std::move(raw.compare);
  } else if (name == "replay") {
    line.command = std::move(raw.replay);
  }
  return line;
}

// What CLI11 found wrong, and what to do about it.
Error usage_error(const CLI::App& app, std::span<const char* const> arguments,
                  const CLI::ParseError& error) {
  const auto commands = app.get_subcommands();
  if (!commands.empty()) {
    return {Exit::kUsage, cli::sentence(error.what()),
            fmt::format("See: ggen-p2p-sim {} --help", commands.front()->get_name())};
  }
  const auto word = std::ranges::find_if(arguments, [](const char* a) { return a[0] != '-'; });
  if (word == arguments.end()) {
    return {Exit::kUsage, arguments.empty() ? "No command was given." : cli::sentence(error.what()),
            "See: ggen-p2p-sim --help"};
  }
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const auto suggestion = cli::nearest(*word, names);
  return {Exit::kUsage, fmt::format("There is no command `{}`.", *word),
          suggestion ? fmt::format("Did you mean: ggen-p2p-sim {}?", *suggestion)
                     : "See: ggen-p2p-sim --help"};
}

}  // namespace

std::variant<CommandLine, Shown, Refused> parse_command_line(int argc, const char* const* argv) {
  CLI::App app{
      "Runs a whole network of nodes in one process and in virtual time, and checks what must "
      "hold. The same seed gives the same run."};
  app.name("ggen-p2p-sim");
  app.set_version_flag("--version", fmt::format("ggen-p2p-sim {}", GGEN_P2P_VERSION));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  ggen-p2p-sim list\n"
      "  ggen-p2p-sim run publish-package\n"
      "  ggen-p2p-sim run large-network --nodes 200 --report out\n"
      "  ggen-p2p-sim sweep network-partition --seeds 1..50\n"
      "  ggen-p2p-sim replay out\n"
      "Each command has more: ggen-p2p-sim COMMAND --help. Exit codes: 0 all checks held, 1 one "
      "did not, 2 nothing ran, 3 a file cannot be written, 130 interrupted.");
  Raw raw;
  add_commands(app, raw);

  const std::span<const char* const> arguments{argv + 1,
                                               static_cast<std::size_t>(std::max(0, argc - 1))};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app.exit(error, out, err) == 0) return Shown{out.str()};
    const bool json = std::ranges::any_of(
        arguments, [](const char* text) { return std::strcmp(text, "--json") == 0; });
    return Refused{usage_error(app, arguments, error), json};
  }
  const bool json = raw.json;
  auto line = chosen(app.get_subcommands().front()->get_name(), std::move(raw));
  if (!line) return Refused{std::move(line.error()), json};
  return *std::move(line);
}

}  // namespace ggen::p2p::sim_cli
