#include "report_json.hpp"

#include <cmath>
#include <utility>

namespace ggen::p2p::sim {

namespace {

using nlohmann::json;

std::string_view name_of(Better better) {
  switch (better) {
    case Better::kNeither:
      return "neither";
    case Better::kLower:
      return "lower";
    case Better::kHigher:
      return "higher";
  }
  std::unreachable();
}

std::string_view name_of(NetworkMap::Plane plane) {
  return plane == NetworkMap::Plane::kDegrees ? "degrees" : "unit-square";
}

json caption_fields(const Caption& caption) {
  return {{"name", caption.name},
          {"title", caption.title},
          {"about", caption.about},
          {"unit", caption.unit},
          {"better", name_of(caption.better)}};
}

void put_values(json& line, const Distribution& values) {
  json buckets = json::array();
  for (const Distribution::Bucket& bucket : values.buckets()) {
    buckets.push_back({bucket.lowest, bucket.highest, bucket.times});
  }
  line["count"] = values.count();
  line["min"] = values.min();
  line["max"] = values.max();
  line["sum"] = values.sum();
  line["mean"] = values.mean();
  line["p50"] = values.quantile(0.5);
  line["p90"] = values.quantile(0.9);
  line["p99"] = values.quantile(0.99);
  line["buckets"] = std::move(buckets);
}

void put_values(json& line, const TimeSeries& values) {
  json points = json::array();
  for (const TimeSeries::Point& point : values.points()) {
    points.push_back(
        {point.when.time_since_epoch().count(), point.count, point.sum, point.min, point.max});
  }
  line["step_ns"] = values.step().count();
  line["limit"] = values.limit();
  line["points"] = std::move(points);
}

void put_values(json& line, const NodeValues& values) {
  line["values"] = values;
}

template <class Values>
json plots_to_json(const std::vector<Plot<Values>>& plots) {
  json all = json::array();
  for (const Plot<Values>& plot : plots) {
    json lines = json::array();
    for (const Line<Values>& line : plot.lines) {
      json fields = {{"name", line.name}};
      put_values(fields, line.values);
      lines.push_back(std::move(fields));
    }
    json fields = caption_fields(plot.caption);
    fields["lines"] = std::move(lines);
    all.push_back(std::move(fields));
  }
  return all;
}

// One character for each node keeps a frame of ten thousand nodes at ten kilobytes.
std::string states_to_text(const std::vector<NetworkMap::State>& states) {
  std::string text;
  text.reserve(states.size());
  for (const NetworkMap::State state : states)
    text += static_cast<char>('0' + std::to_underlying(state));
  return text;
}

json edges_to_json(const std::vector<NetworkMap::Edge>& edges) {
  json all = json::array();
  for (const NetworkMap::Edge& edge : edges) all.push_back({edge.from, edge.to});
  return all;
}

json map_to_json(const NetworkMap& map) {
  json nodes = json::array();
  for (const NetworkMap::Node& node : map.nodes()) {
    nodes.push_back({node.id, node.x, node.y, node.label});
  }
  json frames = json::array();
  const std::vector<NetworkMap::Edge>* before = nullptr;
  for (const NetworkMap::Frame& frame : map.frames()) {
    json fields = {{"t_ns", frame.when.time_since_epoch().count()},
                   {"states", states_to_text(frame.states)}};
    // Most frames have the edges of the one before: said by leaving them out.
    if (before == nullptr || *before != frame.edges) fields["edges"] = edges_to_json(frame.edges);
    before = &frame.edges;
    frames.push_back(std::move(fields));
  }
  return {{"plane", name_of(map.plane())},
          {"reached", map.reached()},
          {"nodes", std::move(nodes)},
          {"frames", std::move(frames)}};
}

}  // namespace

json to_json(const Report& report) {
  json options = json::array();
  for (const RunOption& option : report.options) options.push_back({option.name, option.value});
  json checks = json::array();
  for (const Check& check : report.checks) {
    checks.push_back({{"name", check.name}, {"passed", check.passed}, {"detail", check.detail}});
  }
  json faults = json::array();
  for (const ReportedFault& fault : report.faults) {
    faults.push_back({{"index", fault.index},
                      {"at_ns", fault.at.time_since_epoch().count()},
                      {"text", fault.text}});
  }
  json numbers = json::array();
  for (const Number& number : report.numbers) {
    json fields = caption_fields(number.caption);
    fields["value"] = std::isfinite(number.value) ? json(number.value) : json(nullptr);
    numbers.push_back(std::move(fields));
  }
  return {{"format", kReportFormat},
          {"schema", kReportSchema},
          {"scenario", report.scenario},
          {"summary", report.summary},
          // Text, because numbers end at 2^53 in JavaScript and in many readers of JSON.
          {"seed", std::to_string(report.seed)},
          {"nodes", report.nodes},
          {"fidelity", report.fidelity},
          {"options", std::move(options)},
          {"version", report.version},
          {"build", report.build},
          {"replay", replay_command(report)},
          {"virtual_ns", report.virtual_time.count()},
          {"wall_ns", report.wall_time.count()},
          {"events", report.events},
          {"digest", report.digest},
          {"interrupted", report.interrupted},
          {"checks", std::move(checks)},
          {"faults", std::move(faults)},
          {"numbers", std::move(numbers)},
          {"distributions", plots_to_json(report.distributions)},
          {"series", plots_to_json(report.series)},
          {"per_node", plots_to_json(report.per_node)},
          {"map", report.map ? map_to_json(*report.map) : json(nullptr)}};
}

json comparison_to_json(const Report& a, const Report& b) {
  return {
      {"format", kComparisonFormat}, {"schema", kReportSchema}, {"runs", {to_json(a), to_json(b)}}};
}

std::string dump(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace ggen::p2p::sim
