#include <algorithm>
#include <string>
#include <utility>

#include <ggen/p2p/sim/metrics.hpp>

namespace ggen::p2p::sim {
namespace {

constexpr std::size_t kMaxShown = 1000;

std::uint64_t at_share(std::vector<std::uint64_t>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + at);
  return values[static_cast<std::size_t>(at)];
}

}  // namespace

void Metrics::searched(const registry::event::SearchDone&, base::Duration took) {
  search_time_.add(nanoseconds(took));
}

void Metrics::fetched(const registry::event::FetchDone& done) {
  if (!done.result) return;
  fetch_time_.add(nanoseconds(done.took));
  fetch_sources_.add(done.sources.size());
}

void Metrics::looked_up(const kad::QueryDone& done) {
  lookup_time_.add(nanoseconds(done.stats.took));
  lookup_asked_.add(done.stats.asked);
  if (done.stats.hops > 0) lookup_hops_.add(done.stats.hops);
}

void Metrics::sample(base::Instant now) {
  sample_mesh(now);
  sample_map(now);
  sample_duplicates(now);
}

void Metrics::follow(const Caption& caption, std::string_view line, base::Instant now,
                     double value) {
  auto plot = std::ranges::find(followed_, caption.name,
                                [](const auto& p) -> const std::string& { return p.caption.name; });
  if (plot == followed_.end()) plot = followed_.insert(plot, {caption, {}});
  auto at = std::ranges::find(plot->lines, line, &Line<TimeSeries>::name);
  if (at == plot->lines.end()) at = plot->lines.insert(at, {std::string{line}, TimeSeries{}});
  at->values.add(now, value);
}

void Metrics::sample_mesh(base::Instant now) {
  std::vector<std::uint64_t> degrees;
  std::size_t connections = 0;
  std::size_t up = 0;
  for (NodeIndex i = 0; i < simulation_.size(); ++i) {
    if (!simulation_.is_up(i)) continue;
    const node::Node& node = simulation_.node(i);
    ++up;
    connections += node.connection_count();
    if (node.gossipsub() != nullptr) {
      degrees.push_back(node.gossipsub()->mesh(registry::kUpdatesTopic).size());
    }
  }
  up_.add(now, static_cast<double>(up));
  if (up > 0) connections_.add(now, static_cast<double>(connections) / static_cast<double>(up));
  if (degrees.empty()) return;
  mesh_low_.add(now, static_cast<double>(at_share(degrees, 0.1)));
  mesh_middle_.add(now, static_cast<double>(at_share(degrees, 0.5)));
  mesh_high_.add(now, static_cast<double>(at_share(degrees, 0.9)));
}

// Of the nodes that are shown: adding up what a router holds takes its time. A node that was down
// has begun to count anew.
void Metrics::sample_duplicates(base::Instant now) {
  std::uint64_t delivered = 0;
  std::uint64_t duplicates = 0;
  for (const NodeIndex node : shown_) {
    if (!simulation_.is_up(node) || simulation_.node(node).gossipsub() == nullptr) continue;
    const auto stats = simulation_.node(node).gossipsub()->stats();
    delivered += stats.delivered;
    duplicates += stats.duplicates;
  }
  if (delivered > counted_delivered_ && duplicates >= counted_duplicates_) {
    duplicates_.add(now, static_cast<double>(duplicates - counted_duplicates_) /
                             static_cast<double>(delivered - counted_delivered_));
  }
  counted_delivered_ = delivered;
  counted_duplicates_ = duplicates;
}

// A large network shows every n-th node. Nodes that come after the first frame are not shown.
void Metrics::place_nodes() {
  map_.emplace(NetworkMap::Plane::kDegrees, "has the newest package");
  const std::size_t step = (simulation_.size() + kMaxShown - 1) / kMaxShown;
  for (std::size_t i = 0; i < simulation_.size(); i += step) {
    const auto node = static_cast<NodeIndex>(i);
    const Place& place = simulation_.network().place(node);
    if (map_->add_node({node, place.longitude, place.latitude, "node " + std::to_string(node)})) {
      shown_.push_back(node);
    }
  }
}

void Metrics::sample_map(base::Instant now) {
  if (simulation_.size() == 0) return;
  if (!map_) place_nodes();
  std::vector<NetworkMap::State> states;
  for (const NodeIndex node : shown_) {
    const bool reached = node < reached_.size() && reached_[node];
    states.push_back(!simulation_.is_up(node) ? NetworkMap::State::kDown
                     : reached                ? NetworkMap::State::kReached
                                              : NetworkMap::State::kUp);
  }
  map_->add_frame(now, states);
}

void Metrics::write(Report& report, std::uint64_t entries) {
  const auto plot = [&](Caption caption, std::string line, Distribution& values) {
    if (values.count() == 0) return;
    report.distributions.push_back({std::move(caption), {{std::move(line), std::move(values)}}});
  };
  plot({"propagation", "Time until a node has heard of a release",
        "From the publisher's commit to the entry's commit at another node.", "ns", Better::kLower},
       "", propagation_);
  plot({"search", "Time of a search", "With the answers of peers.", "ns", Better::kLower}, "",
       search_time_);
  plot({"fetch", "Time to fetch an archive", "", "ns", Better::kLower}, "", fetch_time_);
  plot({"sources", "Peers that one fetch drew from", "", "peers", Better::kHigher}, "",
       fetch_sources_);
  plot({"lookup", "Time of a lookup in the DHT", "Those that the scenario asked for.", "ns",
        Better::kLower},
       "", lookup_time_);
  plot({"asked", "Peers that one lookup asked", "", "peers", Better::kLower}, "", lookup_asked_);
  plot({"hops", "Hops of a lookup in the DHT",
        "Answers that led to the nearest peer that answered, one to the next.", "hops",
        Better::kLower},
       "", lookup_hops_);

  report.series.push_back({{"mesh", "Peers in a node's mesh",
                            "A tenth of all nodes have fewer than the lowest line, a tenth more "
                            "than the highest.",
                            "peers", Better::kNeither},
                           {{"lowest tenth", std::move(mesh_low_)},
                            {"median", std::move(mesh_middle_)},
                            {"highest tenth", std::move(mesh_high_)}}});
  report.series.push_back(
      {{"connections", "Connections of a node", "The mean of all.", "connections", {}},
       {{"", std::move(connections_)}}});
  report.series.push_back({{"up", "Nodes that are up", "", "nodes", {}}, {{"", std::move(up_)}}});

  if (!duplicates_.points().empty()) {
    report.series.push_back(
        {{"duplicates-over-time", "Duplicates for each message delivered",
          "Of the messages of each second, at the nodes of the map.", "", Better::kLower},
         {{"", std::move(duplicates_)}}});
  }
  for (auto& followed : followed_) report.series.push_back(std::move(followed));

  NodeValues sent;
  NodeValues received;
  std::uint64_t duplicates = 0;
  std::uint64_t delivered = 0;
  for (NodeIndex i = 0; i < simulation_.size(); ++i) {
    const Traffic& traffic = simulation_.network().traffic(i);
    sent.push_back(static_cast<double>(traffic.sent));
    received.push_back(static_cast<double>(traffic.received));
    if (!simulation_.is_up(i) || simulation_.node(i).gossipsub() == nullptr) continue;
    const auto stats = simulation_.node(i).gossipsub()->stats();
    duplicates += stats.duplicates;
    delivered += stats.delivered;
  }
  report.per_node.push_back(
      {{"traffic", "Bytes that a node sent and received",
        "Each node by its rank: a flat line is a shared load.", "bytes", Better::kLower},
       {{"sent", std::move(sent)}, {"received", std::move(received)}}});
  for (auto& load : loads_) report.per_node.push_back(std::move(load));
  report.numbers.push_back(
      {{"entries", "Entries published", "", "", {}}, static_cast<double>(entries)});
  if (delivered > 0) {
    report.numbers.push_back(
        {{"duplicates", "Duplicates for each message delivered",
          "Copies that a node got beside the first; of nodes that are up.", "", Better::kLower},
         static_cast<double>(duplicates) / static_cast<double>(delivered)});
  }
  for (auto& number : numbers_) report.numbers.push_back(std::move(number));
  report.map = std::move(map_);
}

}  // namespace ggen::p2p::sim
