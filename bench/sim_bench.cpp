#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ggen/p2p/sim/scenario.hpp>

#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;

constexpr std::uint32_t kNodes = 1000;

struct Run {
  double seconds = 0;
  double virtual_seconds = 0;
  double events = 0;
  double peak_bytes = 0;
  bool passed = false;
};

// In a process of its own, so that the peak of its memory is known.
Run run_large_network(sim::Fidelity fidelity) {
  int ends[2];
  Run run;
  if (::pipe(ends) != 0) return run;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto start = Clock::now();
    const sim::Report report =
        sim::run(*sim::find_scenario("large-network"), {.nodes = kNodes, .fidelity = fidelity});
    run.seconds = seconds_since(start);
    run.virtual_seconds = std::chrono::duration<double>(report.virtual_time).count();
    run.events = static_cast<double>(report.events);
    run.passed = std::ranges::all_of(report.checks, &sim::Check::passed);
    ::_exit(::write(ends[1], &run, sizeof run) == sizeof run ? 0 : 1);
  }
  ::close(ends[1]);
  const bool whole = ::read(ends[0], &run, sizeof run) == sizeof run;
  ::close(ends[0]);
  rusage usage{};
  ::wait4(child, nullptr, 0, &usage);
  run.passed = run.passed && whole;
  run.peak_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  return run;
}

void add_rows(Table& table, std::string_view name, const Run& run) {
  const std::string how =
      fmt::format("not pinned, one run of {:.0f} s virtual time, {:.1f} million events{}",
                  run.virtual_seconds, run.events / 1e6, run.passed ? "" : "; A CHECK FAILED");
  const std::string what = fmt::format("simulator, {}, {} nodes", name, kNodes);
  table.push_back({what + ": start to all fetched", fmt::format("{:.0f} s", run.seconds), how});
  table.push_back({what + ": events on one core",
                   fmt::format("{:.0f} /s", run.events / run.seconds), "the same run"});
  table.push_back({what + ": peak RSS a node",
                   fmt::format("{:.0f} KiB", run.peak_bytes / 1024 / kNodes), "the same run"});
}

}  // namespace

void sim_rows(Table& table) {
  add_rows(table, "message", run_large_network(sim::Fidelity::kMessage));
  add_rows(table, "wire", run_large_network(sim::Fidelity::kWire));
}

}  // namespace bench
