#include <charconv>
#include <limits>
#include <stdexcept>
#include <utility>

#include "report_json.hpp"

namespace ggen::p2p::sim {

namespace {

using nlohmann::json;

// Thrown and caught in this file only: one more way for a document to be wrong, beside those that
// nlohmann::json throws.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool holds, const char* what) {
  if (!holds) throw Malformed(what);
}

// get<uint64_t>() would take a negative number or a fraction and change it.
std::uint64_t natural(const json& value) {
  require(value.is_number_unsigned(), "a whole number not below zero is expected");
  return value.get<std::uint64_t>();
}

std::uint32_t natural32(const json& value) {
  const std::uint64_t number = natural(value);
  require(number <= std::numeric_limits<std::uint32_t>::max(), "a number is too large");
  return static_cast<std::uint32_t>(number);
}

base::Duration duration(const json& value) {
  const std::uint64_t number = natural(value);
  require(number <= static_cast<std::uint64_t>(base::Duration::max().count()),
          "a duration is too long");
  return base::Duration(static_cast<base::Duration::rep>(number));
}

base::Instant instant(const json& value) {
  return base::Instant(duration(value));
}

double real(const json& value) {
  require(value.is_number(), "a number is expected");
  return value.get<double>();
}

std::string text(const json& value) {
  return value.get<std::string>();
}

const json& array(const json& value) {
  require(value.is_array(), "a list is expected");
  return value;
}

Better better(const std::string& name) {
  if (name == "lower") return Better::kLower;
  if (name == "higher") return Better::kHigher;
  require(name == "neither", "`better` is one of lower, higher and neither");
  return Better::kNeither;
}

Caption caption(const json& fields) {
  return {.name = text(fields.at("name")),
          .title = text(fields.at("title")),
          .about = text(fields.at("about")),
          .unit = text(fields.at("unit")),
          .better = better(text(fields.at("better")))};
}

void read_values(const json& line, Distribution& values) {
  std::vector<Distribution::Bucket> buckets;
  for (const json& bucket : array(line.at("buckets"))) {
    buckets.push_back({natural(bucket.at(0)), natural(bucket.at(1)), natural(bucket.at(2))});
  }
  auto restored = Distribution::restore(buckets, natural(line.at("min")), natural(line.at("max")),
                                        natural(line.at("sum")));
  require(restored.has_value(), "a distribution contradicts itself");
  values = *std::move(restored);
}

void read_values(const json& line, TimeSeries& values) {
  std::vector<TimeSeries::Point> points;
  for (const json& point : array(line.at("points"))) {
    points.push_back({instant(point.at(0)), natural(point.at(1)), real(point.at(2)),
                      real(point.at(3)), real(point.at(4))});
  }
  auto restored =
      TimeSeries::restore(duration(line.at("step_ns")), natural(line.at("limit")), points);
  require(restored.has_value(), "a time series contradicts itself");
  values = *std::move(restored);
}

void read_values(const json& line, NodeValues& values) {
  for (const json& value : array(line.at("values"))) values.push_back(real(value));
}

template <class Values>
void read_plots(const json& all, std::vector<Plot<Values>>& plots) {
  for (const json& fields : array(all)) {
    Plot<Values> plot{.caption = caption(fields), .lines = {}};
    for (const json& line : array(fields.at("lines"))) {
      plot.lines.push_back({.name = text(line.at("name")), .values = Values()});
      read_values(line, plot.lines.back().values);
    }
    plots.push_back(std::move(plot));
  }
}

std::vector<NetworkMap::State> states(const std::string& characters) {
  std::vector<NetworkMap::State> found;
  found.reserve(characters.size());
  for (const char character : characters) {
    require(character >= '0' && character <= '2', "a node of the map has an unknown state");
    found.push_back(static_cast<NetworkMap::State>(character - '0'));
  }
  return found;
}

std::vector<NetworkMap::Edge> read_edges(const json& all, std::size_t nodes) {
  std::vector<NetworkMap::Edge> edges;
  for (const json& edge : array(all)) {
    edges.push_back({natural32(edge.at(0)), natural32(edge.at(1))});
    require(edges.back().from < nodes && edges.back().to < nodes,
            "an edge of the map leads nowhere");
  }
  require(edges.size() <= NetworkMap::kMaxEdges, "a frame of the map has too many edges");
  return edges;
}

NetworkMap network_map(const json& fields) {
  const std::string plane = text(fields.at("plane"));
  require(plane == "degrees" || plane == "unit-square", "the map's plane is unknown");
  NetworkMap map(plane == "degrees" ? NetworkMap::Plane::kDegrees : NetworkMap::Plane::kUnitSquare,
                 text(fields.at("reached")));
  for (const json& node : array(fields.at("nodes"))) {
    const auto index =
        map.add_node({natural32(node.at(0)), real(node.at(1)), real(node.at(2)), text(node.at(3))});
    require(index.has_value(), "the map has too many nodes");
  }
  const json& frames = array(fields.at("frames"));
  require(frames.size() <= NetworkMap::kMaxFrames, "the map has too many frames");
  std::vector<NetworkMap::Edge> edges;
  for (const json& frame : frames) {
    const base::Instant when = instant(frame.at("t_ns"));
    const auto of_nodes = states(text(frame.at("states")));
    require(of_nodes.size() == map.nodes().size(), "a frame of the map lacks nodes");
    require(map.frames().empty() || when >= map.frames().back().when, "the map goes back in time");
    if (frame.contains("edges")) edges = read_edges(frame.at("edges"), of_nodes.size());
    map.add_frame(when, of_nodes, edges);
  }
  return map;
}

std::uint64_t seed(const std::string& digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number);
  require(result.ec == std::errc() && result.ptr == end, "the seed is not a number");
  return number;
}

Report report(const json& document) {
  Report read;
  read.scenario = text(document.at("scenario"));
  read.summary = text(document.at("summary"));
  read.seed = seed(text(document.at("seed")));
  read.nodes = natural(document.at("nodes"));
  read.fidelity = text(document.at("fidelity"));
  for (const json& option : array(document.at("options"))) {
    read.options.push_back({.name = text(option.at(0)), .value = text(option.at(1))});
  }
  read.version = text(document.at("version"));
  read.build = text(document.at("build"));
  read.virtual_time = duration(document.at("virtual_ns"));
  read.wall_time = duration(document.at("wall_ns"));
  read.events = natural(document.at("events"));
  read.digest = text(document.at("digest"));
  read.interrupted = document.at("interrupted").get<bool>();
  for (const json& check : array(document.at("checks"))) {
    read.checks.push_back({.name = text(check.at("name")),
                           .passed = check.at("passed").get<bool>(),
                           .detail = text(check.at("detail"))});
  }
  // Earlier reports have none.
  if (document.contains("faults")) {
    for (const json& fault : array(document.at("faults"))) {
      read.faults.push_back({.index = natural(fault.at("index")),
                             .at = instant(fault.at("at_ns")),
                             .text = text(fault.at("text"))});
    }
  }
  for (const json& number : array(document.at("numbers"))) {
    const json& value = number.at("value");
    read.numbers.push_back(
        {.caption = caption(number),
         .value = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : real(value)});
  }
  read_plots(document.at("distributions"), read.distributions);
  read_plots(document.at("series"), read.series);
  read_plots(document.at("per_node"), read.per_node);
  if (const json& map = document.at("map"); !map.is_null()) read.map = network_map(map);
  return read;
}

}  // namespace

std::expected<Report, std::string> report_from_json(const json& document) {
  try {
    if (!document.is_object() || document.value("format", "") != kReportFormat) {
      return std::unexpected("not a report of ggen-p2p-sim");
    }
    if (natural(document.at("schema")) != kReportSchema) {
      return std::unexpected("the report is of another version of ggen-p2p-sim (schema " +
                             document.at("schema").dump() + ")");
    }
    return report(document);
  } catch (const json::exception& error) {
    return std::unexpected(std::string("not a whole report: ").append(error.what()));
  } catch (const Malformed& error) {
    return std::unexpected(std::string("not a whole report: ").append(error.what()));
  }
}

}  // namespace ggen::p2p::sim
