#include <string>
#include <utility>

#include <ggen/p2p/sim/span_log.hpp>

namespace ggen::p2p::sim {

SpanLog::SpanLog(Simulation& simulation, base::WallTime started,
                 std::function<void(std::string_view)> sink)
    : simulation_(simulation), started_(started), writer_(std::move(sink)) {}

telemetry::SpanTracker& SpanLog::of(NodeIndex node) {
  auto& tracker = trackers_[node];
  if (!tracker) {
    const std::string label =
        "spans of " + std::to_string(node) + " life " + std::to_string(++lives_[node]);
    tracker = std::make_unique<telemetry::SpanTracker>(simulation_.prng(label), started_);
  }
  return *tracker;
}

void SpanLog::observe(NodeIndex node, const node::Output& output, base::Instant now) {
  of(node).observe(output, now);
  write(node);
}

void SpanLog::stopped(NodeIndex node, base::Instant now) {
  const auto found = trackers_.find(node);
  if (found == trackers_.end()) return;
  found->second->stop(now);
  write(node);
  trackers_.erase(found);
}

void SpanLog::write(NodeIndex node) {
  auto span = trackers_.at(node)->poll();
  if (!span) return;
  writer_.begin_resource({"ggen-p2p-sim", simulation_.id(node).to_string()});
  for (; span; span = trackers_.at(node)->poll()) writer_.write(*span);
}

void SpanLog::finish(base::Instant now) {
  while (!trackers_.empty()) stopped(trackers_.begin()->first, now);
  writer_.finish();
}

}  // namespace ggen::p2p::sim
