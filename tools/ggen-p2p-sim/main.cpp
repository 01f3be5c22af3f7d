// The program: reads the command line, carries the command out, prints what came of it.

#include <cstdio>
#include <exception>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>

#include "command_line.hpp"
#include "render.hpp"
#include "render_sweep.hpp"
#include "run_options.hpp"
#include "run_scenario.hpp"
#include "sweep.hpp"
#include "text.hpp"

namespace {

using namespace ggen::p2p;
using namespace ggen::p2p::sim_cli;

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// With --json, the one document on standard output is the error; otherwise it goes to people.
Exit tell(const Error& error, bool json) {
  if (json) {
    print(to_text(to_json(error)) + "\n");
  } else {
    const std::string text = render_error(error);
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return error.code;
}

Exit list(bool json) {
  print(json ? to_text(list_to_json()) + "\n" : render_list());
  return Exit::kOk;
}

Exit run(const command::Run& command, bool json) {
  const auto report = run_scenario(
      {command.scenario, command.options, command.report, command.trace, command.sha256});
  if (!report) return tell(report.error(), json);
  print(json ? to_text(to_json(*report)) + "\n" : render(*report));
  if (report->interrupted) return Exit::kInterrupted;
  for (const sim::Check& check : report->checks) {
    if (!check.passed) return Exit::kFailed;
  }
  return Exit::kOk;
}

Exit sweep(const command::Sweep& command, bool json) {
  const auto swept = sim_cli::sweep(command);
  if (!swept) return tell(swept.error(), json);
  print(json ? to_text(to_json(*swept)) + "\n" : render(*swept));
  return swept->exit();
}

Exit compare(const command::Compare& command) {
  const auto a = sim::read_report(command.a);
  if (!a) return tell({Exit::kUsage, cli::sentence(a.error())}, false);
  const auto b = sim::read_report(command.b);
  if (!b) return tell({Exit::kUsage, cli::sentence(b.error())}, false);
  if (const auto written = sim::write_comparison(*a, *b, command.output); !written) {
    return tell({Exit::kOutput, cli::sentence(written.error())}, false);
  }
  print(fmt::format("A: {}\nB: {}\n{}/index.html shows both.\n",
                    cli::printable(sim::replay_command(*a)),
                    cli::printable(sim::replay_command(*b)), command.output));
  return Exit::kOk;
}

// The run that a report tells of. It may come from anybody.
Result<RunRequest> request_of(const sim::Report& report) {
  if (report.interrupted) {
    return fail(Exit::kUsage, "The report is of a run that was interrupted.",
                "Where it ended was up to whoever stopped it, so there is nothing to compare.");
  }
  if (report.nodes > std::numeric_limits<std::uint32_t>::max()) {
    return fail(Exit::kUsage, fmt::format("The report tells of {} nodes.", report.nodes));
  }
  RunRequest request{report.scenario, {}, {}, {}, {}};
  request.options.seed = report.seed;
  request.options.nodes = static_cast<std::uint32_t>(report.nodes);
  if (report.fidelity == "wire") {
    request.options.fidelity = sim::Fidelity::kWire;
  } else if (report.fidelity == "message") {
    request.options.fidelity = sim::Fidelity::kMessage;
  } else {
    return fail(Exit::kUsage, fmt::format("There is no fidelity `{}`.", report.fidelity));
  }
  for (const sim::RunOption& option : report.options) {
    if (option.name == "sha256") {
      request.sha256 = option.value;
      continue;
    }
    if (auto set = set_option(request.options, option.name, option.value); !set) {
      return std::unexpected(std::move(set.error()));
    }
  }
  return request;
}

Exit replay(const command::Replay& command) {
  const auto before = sim::read_report(command.report);
  if (!before) return tell({Exit::kUsage, cli::sentence(before.error())}, false);
  const auto request = request_of(*before);
  if (!request) return tell(request.error(), false);
  const auto after = run_scenario(*request);
  if (!after) return tell(after.error(), false);
  if (after->interrupted) {
    print("Interrupted: there is nothing to compare.\n" + digest_line(*after));
    return Exit::kInterrupted;
  }
  const bool same = before->digest == after->digest;
  std::string text = fmt::format("{}\n", sim::replay_command(*after));
  text += same ? "The same trace as in the report.\n"
               : fmt::format("ANOTHER TRACE than in the report, which has {}.\n",
                             cli::printable(before->digest));
  if (!same && (before->version != after->version || before->build != after->build)) {
    text += fmt::format("It was made by version {} ({}), this is {} ({}).\n",
                        cli::printable(before->version), cli::printable(before->build),
                        after->version, after->build);
  }
  print(text + digest_line(*after));
  return same ? Exit::kOk : Exit::kFailed;
}

Exit carry_out(int argc, const char* const* argv) {
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* shown = std::get_if<Shown>(&parsed)) {
    print(shown->text);
    return Exit::kOk;
  }
  if (const auto* refused = std::get_if<Refused>(&parsed)) {
    return tell(refused->error, refused->json);
  }
  const auto& line = std::get<CommandLine>(parsed);
  return std::visit(base::Overloaded{
                        [&](const command::List&) { return list(line.json); },
                        [&](const command::Run& command) { return run(command, line.json); },
                        [&](const command::Sweep& command) { return sweep(command, line.json); },
                        [](const command::Compare& command) { return compare(command); },
                        [](const command::Replay& command) { return replay(command); },
                    },
                    line.command);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Exit code = carry_out(argc, argv);
    // What could not be printed was not told: a full disk must not pass for success.
    if (code == Exit::kOk && std::ferror(stdout) != 0) {
      code = tell({Exit::kOutput, "The output could not be written.", "Is the disk full?"}, false);
    }
    return static_cast<int>(code);
  } catch (const std::exception& error) {
    return static_cast<int>(
        tell({Exit::kFailed, fmt::format("Something unforeseen: {}.", error.what()),
              "This is a mistake of the program: please report it."},
             false));
  }
}
