#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/sim/invariants.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>

#include "invariant_answers.hpp"
#include "invariant_chunks.hpp"
#include "invariant_deadlines.hpp"
#include "invariant_leaks.hpp"
#include "invariant_lookups.hpp"
#include "invariant_mesh.hpp"
#include "invariant_queues.hpp"

namespace ggen::p2p::sim {

using connection::Direction;

/// All of them, and what they share.
struct Invariants::Rules {
  /// Chooses who looks at a stream of one node.
  class Streams final : public StreamObserver {
   public:
    Streams(Rules& rules, NodeIndex node) : rules_(rules), node_(node) {}

    std::unique_ptr<StreamWatch> opened(connection::StreamRef stream, Direction direction,
                                        std::string_view protocol) override {
      rules_.leaks.opened(node_);
      return rules_.watch(node_, stream, direction, protocol);
    }
    void closed(connection::StreamRef, connection::StreamEnd) override {
      rules_.leaks.closed(node_);
    }

   private:
    Rules& rules_;
    NodeIndex node_;
  };

  explicit Rules(Simulation& all) : simulation(all) {}

  [[nodiscard]] std::unique_ptr<StreamWatch> watch(NodeIndex node, connection::StreamRef stream,
                                                   Direction direction, std::string_view protocol);
  [[nodiscard]] bool is_checked(NodeIndex node) const { return simulation.spec(node).checked; }

  Simulation& simulation;
  Invariant no_leak{"nothing leaks", "answers of stores and ends of nodes"};
  Invariant within_limits{"every queue is within its limit", "comparisons"};
  Invariant no_missed_deadline{"no deadline is in the past", "deadlines"};
  Invariant mesh_complete{"an accepted message goes to every peer in the mesh",
                          "peers of accepted messages"};
  Invariant answers_fresh{"no answer outlives its expiry", "records answered"};
  Invariant verified{"no byte is served or kept unverified", "chunks and lists"};
  Invariant lookups_end{"every lookup ends in time", "lookups"};
  Invariant heals{"after healing every entry reaches every subscriber", "times"};

  LeaksInvariant leaks{simulation, no_leak};
  QueuesInvariant queues{simulation, within_limits};
  DeadlinesInvariant deadlines{simulation, no_missed_deadline};
  MeshInvariant mesh{simulation, mesh_complete};
  AnswersInvariant answers{simulation, answers_fresh};
  ChunksInvariant chunks{simulation, verified};
  LookupsInvariant lookups{simulation, lookups_end};
  std::vector<std::unique_ptr<Streams>> streams;  // by node
};

std::unique_ptr<StreamWatch> Invariants::Rules::watch(NodeIndex node, connection::StreamRef stream,
                                                      Direction direction,
                                                      std::string_view protocol) {
  if (std::ranges::find(gossipsub::kProtocols, protocol) != gossipsub::kProtocols.end()) {
    const auto peer = simulation.network().remote(node, stream.connection);
    return peer ? mesh.watch(node, *peer) : nullptr;
  }
  if (direction == Direction::kOutbound) return nullptr;
  if (protocol == registry::kFetchProtocol) return chunks.watch(node);
  const auto& kad = simulation.spec(node).node.kad;
  if (!kad || protocol != kad->protocol) return nullptr;
  const auto peer = simulation.network().remote(node, stream.connection);
  return peer ? answers.watch(node, *peer) : nullptr;
}

Invariants::Invariants(Simulation& simulation) : rules_(std::make_unique<Rules>(simulation)) {
  simulation.inspect(*this);
}
Invariants::~Invariants() = default;

// ---- What is told ----

void Invariants::published(const Package& package) {
  rules_->chunks.published(package);
}
void Invariants::put_value(NodeIndex node, base::BytesView key, base::BytesView value) {
  if (rules_->is_checked(node)) rules_->answers.put_value(node, key, value);
}
void Invariants::began(NodeIndex node, Lookup lookup, std::uint64_t id, base::Duration deadline) {
  if (rules_->is_checked(node)) rules_->lookups.began(node, lookup, id, deadline);
}
void Invariants::settled(bool all_know, std::string what) {
  rules_->heals.look();
  if (!all_know) rules_->heals.violate(rules_->simulation.now(), 0, std::move(what));
}

// ---- What is seen ----

StreamObserver* Invariants::started(NodeIndex node) {
  Rules& rules = *rules_;
  rules.mesh.know(node);
  if (!rules.is_checked(node)) return nullptr;
  rules.leaks.started(node);
  rules.mesh.started(node);
  rules.answers.started(node);
  if (rules.streams.size() <= node) rules.streams.resize(node + 1);
  rules.streams[node] = std::make_unique<Rules::Streams>(rules, node);
  return rules.streams[node].get();
}

void Invariants::output(NodeIndex node, const node::Output& output, base::Instant) {
  if (!rules_->is_checked(node)) return;
  rules_->lookups.output(node, output);
  if (const auto* delivered = std::get_if<gossipsub::Delivered>(&output)) {
    rules_->mesh.delivered(node, delivered->message);
  } else if (const auto* of_registry = std::get_if<registry::Output>(&output)) {
    const auto* done = std::get_if<registry::event::PublishDone>(of_registry);
    if (done != nullptr && done->result) rules_->mesh.published(node, *done->result);
  }
}

void Invariants::storing(NodeIndex node, const registry::Store& operation) {
  if (!rules_->is_checked(node)) return;
  rules_->leaks.storing(node, operation.id);
  rules_->chunks.storing(node, operation);
}
void Invariants::stored(NodeIndex node, const registry::StoreDone& done) {
  if (!rules_->is_checked(node)) return;
  rules_->leaks.stored(node, done.id);
  rules_->chunks.stored(node, done);
}
void Invariants::crashing(NodeIndex node) {
  if (rules_->is_checked(node)) rules_->leaks.crashing(node);
}

void Invariants::stopped(NodeIndex node, base::Instant) {
  if (!rules_->is_checked(node)) return;
  rules_->leaks.stopped(node);
  rules_->mesh.stopped(node);
  rules_->answers.stopped(node);
  rules_->chunks.stopped(node);
  rules_->lookups.stopped(node);
}

// ---- From time to time ----

void Invariants::sample() {
  for (NodeIndex node = 0; node < rules_->simulation.size(); ++node) {
    if (!rules_->simulation.is_up(node) || !rules_->is_checked(node)) continue;
    rules_->queues.look(node);
    rules_->deadlines.look(node);
  }
  rules_->mesh.sample();
  rules_->lookups.sample();
}

void Invariants::ended(bool at_rest) {
  rules_->leaks.ended(at_rest, rules_->chunks.release());
}

std::vector<Check> Invariants::checks() const {
  const Rules& r = *rules_;
  std::vector<Check> checks;
  for (const Invariant* invariant :
       {&r.no_leak, &r.within_limits, &r.no_missed_deadline, &r.mesh_complete, &r.answers_fresh,
        &r.verified, &r.lookups_end, &r.heals}) {
    checks.push_back(invariant->check());
  }
  return checks;
}

}  // namespace ggen::p2p::sim
