#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.hpp"

namespace bench {
namespace {

constexpr std::uint32_t kNodes = 1000;

struct Run {
  double seconds = 0;
  double virtual_seconds = 0;
  double events = 0;
  double peak_bytes = 0;
  bool passed = false;
};

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t size = ::read(file, part.data(), part.size());
    if (size <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(size));
  }
}

// By the program itself, with its allocator, as anybody runs it.
Run run_large_network(const std::string& fidelity) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return {};
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../tools/ggen-p2p-sim";
  const std::string nodes = std::to_string(kNodes);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl(program.c_str(), program.c_str(), "run", "large-network", "--nodes", nodes.c_str(),
            "--seed", "7", "--fidelity", fidelity.c_str(), "--json", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  const auto report = nlohmann::json::parse(read_all(ends[0]), nullptr, false);
  ::close(ends[0]);
  rusage usage{};
  int status = 0;
  ::wait4(child, &status, 0, &usage);
  if (!report.is_object()) return {};
  Run run;
  run.seconds = report.value("wall_ns", 0.0) / 1e9;
  run.virtual_seconds = report.value("virtual_ns", 0.0) / 1e9;
  run.events = report.value("events", 0.0);
  run.peak_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  run.passed = status == 0;
  return run;
}

void add_rows(Table& table, const std::string& fidelity) {
  const Run run = run_large_network(fidelity);
  const std::string how =
      fmt::format("not pinned, one run of {:.0f} s virtual time, {:.1f} million events{}",
                  run.virtual_seconds, run.events / 1e6, run.passed ? "" : "; IT FAILED");
  const std::string what = fmt::format("simulator, {}, {} nodes", fidelity, kNodes);
  table.push_back({what + ": start to all fetched", fmt::format("{:.0f} s", run.seconds), how});
  table.push_back({what + ": events on one core",
                   fmt::format("{:.0f} /s", run.events / std::max(run.seconds, 1e-9)),
                   "the same run"});
  table.push_back({what + ": peak RSS a node",
                   fmt::format("{:.0f} KiB", run.peak_bytes / 1024 / kNodes), "the same run"});
}

}  // namespace

void sim_rows(Table& table) {
  add_rows(table, "message");
  add_rows(table, "wire");
}

}  // namespace bench
