#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/invariants.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>

namespace ggen::p2p::sim {

/// What a node answers to GET_PROVIDERS and GET_VALUE is its own, or was given to it no longer ago
/// than its configuration keeps records. What it was given and what it answers is read from the
/// streams on which it is asked.
class AnswersInvariant {
 public:
  AnswersInvariant(const Simulation& simulation, Invariant& invariant);
  ~AnswersInvariant();

  void started(NodeIndex node);
  void stopped(NodeIndex node);
  /// A stream on which `peer` asks `node`.
  [[nodiscard]] std::unique_ptr<StreamWatch> watch(NodeIndex node, NodeIndex peer);
  void put_value(NodeIndex node, base::BytesView key, base::BytesView value);

 private:
  class Watch;
  struct Message;
  /// Stands for a key and a provider or value of it.
  using Record = std::uint64_t;
  /// When each was last given to a node; the greatest instant: it is its own.
  using Given = base::HashMap<Record, base::Instant>;
  struct Store {
    Given providers;
    Given values;
    std::size_t sweep_at = kFirstSweep;
  };
  static constexpr std::size_t kFirstSweep = 1024;

  void asked(NodeIndex node, NodeIndex peer, const Message& request);
  void answered(NodeIndex node, const Message& answer, base::Instant asked_at);
  void sweep(NodeIndex node);

  const Simulation& simulation_;
  Invariant& invariant_;
  std::vector<std::unique_ptr<Store>> stores_;  // by node; null while it is down
};

}  // namespace ggen::p2p::sim
