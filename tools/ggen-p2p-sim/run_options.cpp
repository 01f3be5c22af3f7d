#include "run_options.hpp"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "text.hpp"

namespace ggen::p2p::sim_cli {
namespace {

constexpr std::string_view kDuration = "duration";
constexpr std::string_view kKeepFaults = "keep-faults";
constexpr std::string_view kNone = "none";

std::optional<std::vector<std::size_t>> numbers(std::string_view text) {
  std::vector<std::size_t> found;
  if (text == kNone) return found;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const auto [next, error] = std::from_chars(at, end, found.emplace_back());
    if (error != std::errc{}) return std::nullopt;
    if (next == end) return found;
    if (*next != ',') return std::nullopt;
    at = next + 1;
  }
}

}  // namespace

Result<void> set_option(sim::RunOptions& options, std::string_view name, std::string_view value) {
  if (name == kDuration) {
    const auto duration = cli::parse_duration(value);
    if (!duration || *duration == base::Duration{}) {
      return fail(Exit::kUsage,
                  cli::sentence(fmt::format("--{} {}", kDuration,
                                            duration ? "must be above zero" : duration.error())));
    }
    options.duration = *duration;
    return {};
  }
  if (name == kKeepFaults) {
    options.keep_faults = numbers(value);
    if (options.keep_faults) return {};
    return fail(
        Exit::kUsage,
        fmt::format("--{} must be numbers of faults such as 0,3,7, or {}.", kKeepFaults, kNone),
        "The report of a run, and its --json, number the faults.");
  }
  return fail(
      Exit::kUsage,
      fmt::format("The report is of a run with --{}, which this version does not know.", name));
}

std::vector<sim::RunOption> written_options(const sim::RunOptions& options) {
  std::vector<sim::RunOption> written;
  if (options.duration) {
    written.push_back({std::string{kDuration}, cli::format_duration(*options.duration)});
  }
  if (options.keep_faults) {
    std::string list;
    for (const std::size_t index : *options.keep_faults) {
      list += fmt::format("{}{}", list.empty() ? "" : ",", index);
    }
    written.push_back({std::string{kKeepFaults}, list.empty() ? std::string{kNone} : list});
  }
  return written;
}

}  // namespace ggen::p2p::sim_cli
