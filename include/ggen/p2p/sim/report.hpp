#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/distribution.hpp>
#include <ggen/p2p/sim/network_map.hpp>
#include <ggen/p2p/sim/time_series.hpp>

namespace ggen::p2p::sim {

/// Which way a number is good; tells a comparison which run did better.
enum class Better : std::uint8_t { kNeither, kLower, kHigher };

/// What is said of a number or a plot.
///
/// Two units are scaled to what reads best: "ns" and "bytes". Any other is shown after the number
/// as it is, such as "hops"; "" is a plain number.
struct Caption {
  std::string name;   ///< one word a comparison finds it again by, such as "propagation"
  std::string title;  ///< what one sees: "Time until a node has the package"
  std::string about;  ///< a sentence or two on how to read it; may be empty
  std::string unit;
  Better better = Better::kNeither;
  friend bool operator==(const Caption&, const Caption&) = default;
};

struct RunOption {
  std::string name;   ///< as on the command line, without the dashes
  std::string value;  ///< empty: a flag
  friend bool operator==(const RunOption&, const RunOption&) = default;
};

struct Check {
  std::string name;  ///< what must hold
  bool passed = false;
  std::string detail;  ///< what was seen
  friend bool operator==(const Check&, const Check&) = default;
};

/// What went wrong in the run because the run was told so.
struct ReportedFault {
  std::uint64_t index = 0;  ///< what `--keep-faults` calls it
  base::Instant at;
  std::string text;
  friend bool operator==(const ReportedFault&, const ReportedFault&) = default;
};

struct Number {
  Caption caption;
  double value = 0;  ///< not finite: there is none, shown as a dash
  friend bool operator==(const Number&, const Number&) = default;
};

/// One line of a plot. A plot of one line may leave its name empty.
template <class Values>
struct Line {
  std::string name;
  Values values;
  friend bool operator==(const Line&, const Line&) = default;
};

/// Lines that share their axes. Of Distribution: shown as cumulative shares, or as bars where the
/// values are a few small counts. Of TimeSeries: shown over virtual time.
template <class Values>
struct Plot {
  Caption caption;
  std::vector<Line<Values>> lines;
  friend bool operator==(const Plot&, const Plot&) = default;
};

/// A value for each node, by its number: shown from the greatest to the least, which tells whether
/// the load is shared. The values are finite.
using NodeValues = std::vector<double>;

/// What a run was, did and measured. Plain data: a run fills it in, write_report() shows it.
struct Report {
  std::string scenario;  ///< as given to `run`: a built-in name, or a file
  std::string summary;   ///< a sentence or two on what it shows
  std::uint64_t seed = 0;
  std::uint64_t nodes = 0;
  std::string fidelity;            ///< "wire" or "message"
  std::vector<RunOption> options;  ///< those beyond seed, nodes and fidelity
  std::string version;
  std::string build;  ///< such as "release, g++ 12.2"

  base::Duration virtual_time{};
  base::Duration wall_time{};
  std::uint64_t events = 0;
  std::string digest;  ///< of the trace, in hexadecimal
  bool interrupted = false;

  std::vector<Check> checks;
  std::vector<ReportedFault> faults;  ///< in the order in which they began
  std::vector<Number> numbers;
  std::vector<Plot<Distribution>> distributions;
  std::vector<Plot<TimeSeries>> series;
  std::vector<Plot<NodeValues>> per_node;
  std::optional<NetworkMap> map;

  friend bool operator==(const Report&, const Report&) = default;
};

/// The command that runs it again, quoted for a shell.
[[nodiscard]] std::string replay_command(const Report& report);

/// Makes `folder` if need be, and finds whether write_report() and write_comparison() may write to
/// it: they ask the same, but after what may have been a long run.
std::expected<void, std::string> prepare_report_folder(const std::filesystem::path& folder);

/// Writes `report.json` and `index.html`, a page that shows it without any other file, into
/// `folder`, which is made if need be. A former report or comparison there is replaced; a folder
/// that holds anything else is refused. docs/simulator.md describes the JSON.
///
/// An error says what could not be done, and to which file. Blocks on the disk.
std::expected<void, std::string> write_report(const Report& report,
                                              const std::filesystem::path& folder);

/// `path` is a report's folder, or its `report.json`. What the file says is checked, so it may come
/// from anybody.
std::expected<Report, std::string> read_report(const std::filesystem::path& path);

/// Writes `index.html`, the same page with both runs laid over each other, and `comparison.json`,
/// the two reports, into `folder`, on the terms of write_report().
std::expected<void, std::string> write_comparison(const Report& a, const Report& b,
                                                  const std::filesystem::path& folder);

}  // namespace ggen::p2p::sim
