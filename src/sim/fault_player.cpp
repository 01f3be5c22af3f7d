#include <algorithm>
#include <utility>
#include <variant>

#include <ggen/p2p/sim/fault_player.hpp>

namespace ggen::p2p::sim {
namespace {

// The groups of a partition: 1 for the usual side, 2 for the other.
Partition groups_of(const fault::Partition& partition, std::size_t machines) {
  constexpr Groups kHeardByNobodyElse{2, 3};
  Partition groups(machines);
  for (const NodeIndex node : partition.nodes) {
    groups[node] =
        partition.kind == fault::Partition::Kind::kOneWay ? kHeardByNobodyElse : Groups{2, 2};
  }
  for (const NodeIndex node : partition.bridge) groups[node] = {3, 3};
  return groups;
}

}  // namespace

void FaultPlayer::begin(const PlannedFault& planned) {
  Active& active = active_[planned.index] = {planned.fault};
  std::visit([&](const auto& what) { begin(what, active); }, active.fault.what);
}

void FaultPlayer::end(std::size_t index) {
  const auto ended = active_.extract(index);
  const Active& active = ended.mapped();
  std::visit([&](const auto& what) { end(what, active); }, active.fault.what);
}

void FaultPlayer::begin(const fault::Crash& crash, Active&) {
  simulation_.crash(crash.node, crash.how);
  if (crash.wiped) simulation_.disk(crash.node).wipe();
}

void FaultPlayer::begin(const fault::Stop& stop, Active&) {
  simulation_.stop(stop.node);
}

void FaultPlayer::begin(const fault::Partition& partition, Active& active) {
  active.partition = simulation_.network().part(groups_of(partition, simulation_.size()));
}

void FaultPlayer::end(const fault::Partition&, const Active& active) {
  simulation_.network().heal(active.partition);
}

// What holds of one kind at a node.
template <class What, class Act>
void FaultPlayer::each(NodeIndex node, Act&& act) const {
  for (const auto& [index, active] : active_) {
    const What* what = std::get_if<What>(&active.fault.what);
    if (what != nullptr && what->node == node) act(*what);
  }
}

void FaultPlayer::apply(NodeIndex node) {
  LinkFaults link;
  each<fault::Link>(node, [&](const fault::Link& f) {
    link.loss += f.faults.loss;
    link.delay += f.faults.delay;
    link.refuse_dials |= f.faults.refuse_dials;
    link.clogged |= f.faults.clogged;
  });
  simulation_.network().set_faults(node, link);

  DiskModel disk = disk_;
  each<fault::Disk>(node, [&](const fault::Disk& f) {
    disk.fail = std::max(disk.fail, f.fail);
    disk.lose_write = std::max(disk.lose_write, f.lose_write);
    disk.rot = std::max(disk.rot, f.rot);
    disk.tear = std::max(disk.tear, f.tear);
    disk.min_latency += f.delay;
    disk.max_latency += f.delay;
    if (f.full) disk.capacity = 1;
  });
  simulation_.disk(node).set_model(disk);

  base::Duration jump{};
  each<fault::Clock>(node, [&](const fault::Clock& f) { jump += f.jump; });
  simulation_.set_clock_jump(node, jump);
}

// Starts a node again when nothing keeps it down any more.
void FaultPlayer::back(NodeIndex node) {
  bool down = false;
  each<fault::Crash>(node, [&](const fault::Crash&) { down = true; });
  each<fault::Stop>(node, [&](const fault::Stop&) { down = true; });
  if (down) return;
  if (simulation_.is_stopping(node)) simulation_.crash(node, Network::Crash::kProcess);
  if (!simulation_.is_up(node)) restart_(node);
}

}  // namespace ggen::p2p::sim
