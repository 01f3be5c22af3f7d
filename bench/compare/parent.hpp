#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

/// How a peer program and compare.py talk; README.md says what.
namespace bench {

inline void announce_ready() {
  fmt::print("ready\n");
  std::fflush(stdout);
}

/// Blocks: nothing else happens between the warm-up and the measurement.
inline void wait_for_line() {
  for (int c = 0; c != '\n' && c != EOF;) c = std::getchar();
}

inline void wait_for_start() {
  announce_ready();
  wait_for_line();
}

/// Stays until the CPU time of this process has been read.
inline void tell_result(const std::string& json) {
  fmt::print("{}\n", json);
  std::fflush(stdout);
  wait_for_line();
}

inline std::string seconds_json(double seconds) {
  return fmt::format(R"({{"seconds": {}}})", seconds);
}

/// Without those that are no numbers or zero.
inline std::vector<std::uint64_t> parse_numbers(const std::vector<std::string>& words) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& word : words) {
    std::uint64_t number = 0;
    const char* end = word.data() + word.size();
    const bool whole = std::from_chars(word.data(), end, number).ptr == end;
    if (whole && number > 0) numbers.push_back(number);
  }
  return numbers;
}

inline int usage(const char* program) {
  fmt::print(stderr, "usage: {} serve | CASE ADDRESS NUMBER...; bench/compare/README.md has them\n",
             program);
  return 2;
}

}  // namespace bench
