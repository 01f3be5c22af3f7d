#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include <ggen/p2p/sim/simulation.hpp>
#include <ggen/p2p/telemetry/otlp.hpp>
#include <ggen/p2p/telemetry/span_tracker.hpp>

namespace ggen::p2p::sim {

/// The spans of all nodes, as one OTLP document.
class SpanLog {
 public:
  SpanLog(Simulation& simulation, base::WallTime started,
          std::function<void(std::string_view)> sink);

  /// The tracker of a node's present life; made when it is asked for first.
  [[nodiscard]] telemetry::SpanTracker& of(NodeIndex node);
  void observe(NodeIndex node, const node::Output& output, base::Instant now);
  /// The node is down: what it had begun ends.
  void stopped(NodeIndex node, base::Instant now);
  /// Ends the document.
  void finish(base::Instant now);

 private:
  void write(NodeIndex node);

  Simulation& simulation_;
  base::WallTime started_;
  telemetry::OtlpWriter writer_;
  std::map<NodeIndex, std::unique_ptr<telemetry::SpanTracker>> trackers_;
  std::map<NodeIndex, std::uint32_t> lives_;
};

}  // namespace ggen::p2p::sim
