#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include <ggen/p2p/sim/invariants.hpp>

namespace ggen::p2p::sim {

/// Every query, search and fetch that somebody began on a node ends in time, unless the node goes
/// before.
class LookupsInvariant {
 public:
  LookupsInvariant(const Simulation& simulation, Invariant& invariant)
      : simulation_(simulation), invariant_(invariant) {}

  void began(NodeIndex node, Invariants::Lookup lookup, std::uint64_t id, base::Duration limit);
  void output(NodeIndex node, const node::Output& output);
  void stopped(NodeIndex node);
  void sample();

 private:
  using Name = std::tuple<NodeIndex, Invariants::Lookup, std::uint64_t>;
  struct UnderWay {
    base::Duration limit{};
    base::Instant deadline;
  };

  void ended(NodeIndex node, Invariants::Lookup lookup, std::uint64_t id);
  /// What waits behind a fetch that goes on has its turn later.
  void fetch_moved(NodeIndex node);

  const Simulation& simulation_;
  Invariant& invariant_;
  std::map<Name, UnderWay> under_way_;
};

}  // namespace ggen::p2p::sim
