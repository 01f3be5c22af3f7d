#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/sim/distribution.hpp>
#include <ggen/p2p/sim/network_map.hpp>
#include <ggen/p2p/sim/report.hpp>
#include <ggen/p2p/sim/simulation.hpp>
#include <ggen/p2p/sim/time_series.hpp>

namespace ggen::p2p::sim {

/// What a run measures: how fast entries spread, what lookups, searches and fetches take, what
/// nodes send, how the mesh holds.
class Metrics {
 public:
  explicit Metrics(const Simulation& simulation) : simulation_(simulation) {}

  void entry_reached(base::Duration after) { propagation_.add(nanoseconds(after)); }
  void searched(const registry::event::SearchDone& done, base::Duration took);
  void fetched(const registry::event::FetchDone& done);
  void looked_up(const kad::QueryDone& done);

  /// Looks at all nodes: once a second of virtual time, say.
  void sample(base::Instant now);
  /// What State::kReached of the map means, for one frame to the next; a node for which it is true.
  void set_reached(std::vector<bool> reached) { reached_ = std::move(reached); }

  /// A value for each node that the scenario has found out.
  void add_load(std::string name, std::string title, std::string unit, NodeValues values) {
    Caption caption{std::move(name), std::move(title), {}, std::move(unit), Better::kNeither};
    loads_.push_back({std::move(caption), {{"", std::move(values)}}});
  }

  /// A number that the scenario has found out.
  void add_number(Caption caption, double value) {
    numbers_.push_back({std::move(caption), value});
  }
  /// A value over time that the scenario follows: a point of `line` in the plot of this name.
  void follow(const Caption& caption, std::string_view line, base::Instant now, double value);

  /// Fills in distributions, series, values of each node, and the map.
  void write(Report& report, std::uint64_t entries);

 private:
  static std::uint64_t nanoseconds(base::Duration d) {
    return static_cast<std::uint64_t>(std::max<base::Duration>(d, {}).count());
  }
  void place_nodes();
  void sample_mesh(base::Instant now);
  void sample_duplicates(base::Instant now);
  void sample_map(base::Instant now);

  const Simulation& simulation_;
  Distribution propagation_;
  Distribution search_time_;
  Distribution fetch_time_;
  Distribution fetch_sources_;
  Distribution lookup_time_;
  Distribution lookup_asked_;
  Distribution lookup_hops_;
  TimeSeries mesh_low_;
  TimeSeries mesh_middle_;
  TimeSeries mesh_high_;
  TimeSeries connections_;
  TimeSeries up_;
  TimeSeries duplicates_;
  std::uint64_t counted_delivered_ = 0;
  std::uint64_t counted_duplicates_ = 0;
  std::vector<Plot<TimeSeries>> followed_;
  std::vector<Number> numbers_;
  std::vector<Plot<NodeValues>> loads_;
  std::optional<NetworkMap> map_;
  std::vector<NodeIndex> shown_;
  std::vector<bool> reached_;
};

}  // namespace ggen::p2p::sim
