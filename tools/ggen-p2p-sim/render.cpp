#include "render.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/sim/scenario.hpp>

#include "text.hpp"

namespace ggen::p2p::sim_cli {
namespace {

double seconds(base::Duration time) {
  return std::chrono::duration<double>(time).count();
}

// Of virtual time over that of the machine.
double speed_up(const sim::Report& report) {
  return seconds(report.virtual_time) / std::max(seconds(report.wall_time), 1e-9);
}

std::string_view name_of(sim::Fidelity fidelity) {
  return fidelity == sim::Fidelity::kWire ? "wire" : "message";
}

std::string nanoseconds(double value) {
  constexpr std::array<std::pair<double, std::string_view>, 3> kUnits{
      {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}};
  for (const auto& [size, name] : kUnits) {
    if (value >= size) return fmt::format("{:.2f} {}", value / size, name);
  }
  return fmt::format("{:.0f} ns", value);
}

std::string with_unit(double value, std::string_view unit) {
  if (!std::isfinite(value)) return "-";
  if (unit == "ns") return nanoseconds(value);
  if (unit == "bytes" && value >= 0) return cli::format_bytes(static_cast<std::uint64_t>(value));
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  const std::string number = whole ? fmt::format("{:.0f}", value) : fmt::format("{:.3f}", value);
  return unit.empty() ? number : fmt::format("{} {}", number, unit);
}

std::string checks(const sim::Report& report) {
  std::size_t width = 0;
  for (const sim::Check& check : report.checks) width = std::max(width, check.name.size());
  std::string text;
  for (const sim::Check& check : report.checks) {
    text += fmt::format("  {:<6}  {:<{}}  {}\n", check.passed ? "ok" : "FAILED", check.name, width,
                        check.detail);
  }
  return text;
}

// The report has all of them.
constexpr std::size_t kMostFaults = 20;

std::string faults(const sim::Report& report) {
  if (report.faults.empty()) return {};
  std::string text = fmt::format("\n  {}\n", cli::count_of(report.faults.size(), "fault"));
  for (const sim::ReportedFault& fault : report.faults | std::views::take(kMostFaults)) {
    text += fmt::format("  {:>10.2f} s  #{:<3}  {}\n", seconds(fault.at.time_since_epoch()),
                        fault.index, fault.text);
  }
  if (report.faults.size() > kMostFaults) text += "  ...\n";
  return text;
}

std::string title_of(const sim::Plot<sim::Distribution>& plot,
                     const sim::Line<sim::Distribution>& line) {
  return line.name.empty() ? plot.caption.title
                           : fmt::format("{}, {}", plot.caption.title, line.name);
}

std::string measured(const sim::Report& report) {
  std::size_t width = 0;
  for (const auto& number : report.numbers) width = std::max(width, number.caption.title.size());
  for (const auto& plot : report.distributions) {
    for (const auto& line : plot.lines) width = std::max(width, title_of(plot, line).size());
  }
  std::string text;
  for (const auto& number : report.numbers) {
    text += fmt::format("  {:<{}}  {:>12}\n", number.caption.title, width,
                        with_unit(number.value, number.caption.unit));
  }
  if (report.distributions.empty()) return text;
  text += fmt::format("\n  {:<{}}  {:>12}  {:>12}  {:>12}  {:>10}\n", "", width, "p50", "p99",
                      "max", "values");
  for (const auto& plot : report.distributions) {
    for (const auto& line : plot.lines) {
      const auto show = [&](std::uint64_t value) {
        return with_unit(static_cast<double>(value), plot.caption.unit);
      };
      text += fmt::format("  {:<{}}  {:>12}  {:>12}  {:>12}  {:>10}\n", title_of(plot, line), width,
                          show(line.values.quantile(0.5)), show(line.values.quantile(0.99)),
                          show(line.values.max()), line.values.count());
    }
  }
  return text;
}

bool all_passed(const sim::Report& report) {
  return std::ranges::all_of(report.checks, &sim::Check::passed);
}

}  // namespace

std::string to_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string render_list() {
  std::size_t width = 0;
  for (const auto& scenario : sim::scenarios()) width = std::max(width, scenario.name.size());
  std::string text = fmt::format("{:<{}}  {:>5}  {:<8}  {}\n", "scenario", width, "nodes",
                                 "fidelity", "what must be seen");
  for (const auto& scenario : sim::scenarios()) {
    text += fmt::format("{:<{}}  {:>5}  {:<8}  {}\n", scenario.name, width, scenario.nodes,
                        name_of(scenario.fidelity), scenario.summary);
  }
  return text;
}

Json list_to_json() {
  Json list = Json::array();
  for (const auto& scenario : sim::scenarios()) {
    list.push_back({{"name", scenario.name},
                    {"nodes", scenario.nodes},
                    {"least_nodes", scenario.least_nodes},
                    {"fidelity", name_of(scenario.fidelity)},
                    {"summary", scenario.summary}});
  }
  return {{"scenarios", std::move(list)}};
}

std::string render(const sim::Report& report) {
  std::string text = fmt::format("{}: seed {}, {} nodes, {}\n{}\n\n", report.scenario, report.seed,
                                 report.nodes, report.fidelity, report.summary);
  text += checks(report);
  text += faults(report);
  text += fmt::format("\n{}\n", measured(report));
  text += fmt::format("  virtual time {:.2f} s, wall time {:.2f} s: {:.1f} times as fast as life\n",
                      seconds(report.virtual_time), seconds(report.wall_time), speed_up(report));
  text += fmt::format("  {} events\n\n", report.events);
  if (report.interrupted) text += "Interrupted: all of this is of what was reached.\n";
  if (!all_passed(report)) {
    text += fmt::format("Made by version {} ({}). To run it again:\n  {}\n", report.version,
                        report.build, sim::replay_command(report));
  }
  return text + digest_line(report);
}

Json to_json(const sim::Report& report) {
  Json json{{"scenario", report.scenario},
            {"seed", report.seed},
            {"nodes", report.nodes},
            {"fidelity", report.fidelity},
            {"version", report.version},
            {"build", report.build},
            {"replay", sim::replay_command(report)},
            {"passed", all_passed(report)},
            {"interrupted", report.interrupted},
            {"virtual_ns", report.virtual_time.count()},
            {"wall_ns", report.wall_time.count()},
            {"speed_up", speed_up(report)},
            {"events", report.events},
            {"digest", report.digest},
            {"checks", Json::array()},
            {"faults", Json::array()},
            {"numbers", Json::array()},
            {"distributions", Json::array()}};
  for (const auto& check : report.checks) {
    json["checks"].push_back(
        {{"name", check.name}, {"passed", check.passed}, {"detail", check.detail}});
  }
  for (const auto& fault : report.faults) {
    json["faults"].push_back({{"index", fault.index},
                              {"at_ns", fault.at.time_since_epoch().count()},
                              {"text", fault.text}});
  }
  for (const auto& number : report.numbers) {
    json["numbers"].push_back({{"name", number.caption.name},
                               {"title", number.caption.title},
                               {"unit", number.caption.unit},
                               {"value", number.value}});
  }
  for (const auto& plot : report.distributions) {
    for (const auto& line : plot.lines) {
      json["distributions"].push_back({{"name", plot.caption.name},
                                       {"line", line.name},
                                       {"title", plot.caption.title},
                                       {"unit", plot.caption.unit},
                                       {"count", line.values.count()},
                                       {"min", line.values.min()},
                                       {"p50", line.values.quantile(0.5)},
                                       {"p90", line.values.quantile(0.9)},
                                       {"p99", line.values.quantile(0.99)},
                                       {"max", line.values.max()}});
    }
  }
  return json;
}

std::string digest_line(const sim::Report& report) {
  return fmt::format("trace sha256: {}\n", report.digest);
}

std::string render_error(const Error& error) {
  std::string text = fmt::format("error: {}\n", cli::printable(error.message));
  if (!error.hint.empty()) text += fmt::format("       {}\n", cli::printable(error.hint));
  return text;
}

Json to_json(const Error& error) {
  std::string_view code = "failed";
  if (error.code == Exit::kUsage) code = "usage";
  if (error.code == Exit::kOutput) code = "output";
  return {{"error", {{"code", code}, {"message", error.message}, {"hint", error.hint}}}};
}

}  // namespace ggen::p2p::sim_cli
