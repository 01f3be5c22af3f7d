#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

/// How the benchmarks measure: wall time, medians over rounds, one core unless they say otherwise.
namespace bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

/// Calls work() until `at_least` has passed, and returns the calls a second.
template <class Work>
double rate(std::chrono::milliseconds at_least, Work&& work) {
  const auto start = Clock::now();
  std::size_t calls = 0;
  do {
    work();
    ++calls;
  } while (Clock::now() - start < at_least);
  return static_cast<double>(calls) / seconds_since(start);
}

/// One line of the table.
struct Row {
  std::string what;
  std::string value;
  std::string how;  ///< pinned or not, rounds, beside what
};
using Table = std::vector<Row>;

/// Ties this process to one core; -1 frees it. False when the machine does not have that core.
bool pin(int core);
/// Resident bytes of a process.
std::size_t resident(int pid);

// One file each.
void noise_rows(Table& table);
void yamux_rows(Table& table);
void stack_rows(Table& table);
void connection_rows(Table& table);
void sim_rows(Table& table);
void kad_rows(Table& table);
void gossip_rows(Table& table);
void reprovide_rows(Table& table);

}  // namespace bench
