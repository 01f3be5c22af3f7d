// One command, one table: see docs/performance.md for what each row means.

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "measure.hpp"
#include "server.hpp"

namespace bench {

bool pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core >= 0) {
    CPU_SET(static_cast<unsigned>(core), &set);
  } else {
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) CPU_SET(i, &set);
  }
  return ::sched_setaffinity(0, sizeof(set), &set) == 0;
}

std::size_t resident(int pid) {
  std::ifstream status{fmt::format("/proc/{}/status", pid)};
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    std::size_t kib = 0;
    status >> kib;
    return kib * 1024;
  }
  return 0;
}

namespace {

std::string machine() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

void print(const Table& table) {
  std::size_t what = 0;
  std::size_t value = 0;
  for (const Row& row : table) {
    what = std::max(what, row.what.size());
    value = std::max(value, row.value.size());
  }
  fmt::print("| {:<{}} | {:>{}} | how |\n|{:-<{}}|{:->{}}|---|\n", "what", what, "value", value, "",
             what + 2, ":", value + 2);
  for (const Row& row : table) {
    fmt::print("| {:<{}} | {:>{}} | {} |\n", row.what, what, row.value, value, row.how);
  }
}

int run(const std::string& filter) {
  const struct {
    const char* name;
    void (*rows)(Table&);
  } parts[] = {{"noise", noise_rows},      {"yamux", yamux_rows},
               {"stack", stack_rows},      {"connection", connection_rows},
               {"sim", sim_rows},          {"kad", kad_rows},
               {"gossipsub", gossip_rows}, {"reprovide", reprovide_rows}};
  Table table;
  bool any = false;
  for (const auto& part : parts) {
    if (!filter.empty() && filter != part.name) continue;
    any = true;
    fmt::print(stderr, "measuring {} ...\n", part.name);
    part.rows(table);
  }
  if (!any) {
    fmt::print(stderr,
               "usage: ggen-bench [noise | yamux | stack | connection | sim | kad | gossipsub | "
               "reprovide]\n");
    return 2;
  }
  fmt::print("{}, {} cores\n\n", machine(), std::thread::hardware_concurrency());
  print(table);
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  return word == "--serve" ? bench::serve() : bench::run(word);
}
