#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>

#include <ggen/p2p/sim/fault_plan.hpp>
#include <ggen/p2p/sim/simulation.hpp>

namespace ggen::p2p::sim {

/// Lets faults happen and heals them. What a node suffers is made anew from all faults that hold,
/// so that one that ends takes nothing of another with it. Links, disks, clock and power of the
/// nodes of its faults are its own to set.
class FaultPlayer {
 public:
  /// `disk` is what nodes have without a fault; `restart` starts one again that is down.
  FaultPlayer(Simulation& simulation, const DiskModel& disk, std::function<void(NodeIndex)> restart)
      : simulation_(simulation), disk_(disk), restart_(std::move(restart)) {}

  void begin(const PlannedFault& planned);
  void end(std::size_t index);
  /// Faults that hold now.
  [[nodiscard]] std::size_t active() const noexcept { return active_.size(); }

 private:
  struct Active {
    Fault fault;
    PartitionId partition = 0;  // of a partition
  };

  void begin(const fault::Crash& crash, Active&);
  void begin(const fault::Stop& stop, Active&);
  void begin(const fault::Partition& partition, Active& active);
  template <class Change>
  void begin(const Change& change, Active&) {
    apply(change.node);
  }
  void end(const fault::Crash& crash, const Active&) { back(crash.node); }
  void end(const fault::Stop& stop, const Active&) { back(stop.node); }
  void end(const fault::Partition& partition, const Active& active);
  template <class Change>
  void end(const Change& change, const Active&) {
    apply(change.node);
  }

  template <class What, class Act>
  void each(NodeIndex node, Act&& act) const;
  void apply(NodeIndex node);
  void back(NodeIndex node);

  Simulation& simulation_;
  DiskModel disk_;
  std::function<void(NodeIndex)> restart_;
  std::map<std::size_t, Active> active_;  // by index
};

}  // namespace ggen::p2p::sim
