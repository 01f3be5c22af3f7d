#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/sim/fault_plan.hpp>

namespace ggen::p2p::sim {
namespace {

std::string seconds(base::Duration time) {
  return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

std::string joined(std::span<const std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string list(std::span<const NodeIndex> nodes) {
  std::vector<std::string> names;
  for (const NodeIndex node : nodes) names.push_back(std::to_string(node));
  return fmt::format("{} {}", nodes.size() == 1 ? "node" : "nodes", joined(names));
}

std::string of_partition(const fault::Partition& partition) {
  const std::string nodes = list(partition.nodes);
  switch (partition.kind) {
    case fault::Partition::Kind::kFull:
      return fmt::format("{} cut off from all others", nodes);
    case fault::Partition::Kind::kOneWay:
      return fmt::format("{} not heard by all others", nodes);
    case fault::Partition::Kind::kBridge:
      break;
  }
  return fmt::format("{} cut off but for a bridge over {}", nodes, list(partition.bridge));
}

std::string of_link(const LinkFaults& faults) {
  std::vector<std::string> parts;
  if (faults.loss > 0) parts.push_back(fmt::format("loses {:g} % of packets", 100 * faults.loss));
  if (faults.delay.count() > 0) {
    parts.push_back(fmt::format("sends {} late", seconds(faults.delay)));
  }
  if (faults.refuse_dials) parts.emplace_back("refuses dials");
  if (faults.clogged) parts.emplace_back("is clogged");
  return joined(parts);
}

std::string of_disk(const fault::Disk& disk) {
  std::vector<std::string> parts;
  const auto add = [&](double probability, std::string_view what) {
    if (probability > 0) parts.push_back(fmt::format("{:g} % {}", 100 * probability, what));
  };
  add(disk.fail, "failures");
  add(disk.lose_write, "lost writes");
  add(disk.rot, "rot");
  add(disk.tear, "torn writes");
  if (disk.delay.count() > 0) parts.push_back(fmt::format("{} late", seconds(disk.delay)));
  if (disk.full) parts.emplace_back("full");
  return joined(parts);
}

std::string_view of_crash(const fault::Crash& crash) {
  if (crash.wiped) return "loses its power and its disk";
  return crash.how == Network::Crash::kPower ? "loses its power" : "crashes";
}

}  // namespace

std::string describe(const Fault& fault) {
  const std::string what = std::visit(
      base::Overloaded{
          [](const fault::Crash& f) { return fmt::format("node {} {}", f.node, of_crash(f)); },
          [](const fault::Stop& f) { return fmt::format("node {} is stopped", f.node); },
          [](const fault::Partition& f) { return of_partition(f); },
          [](const fault::Link& f) { return fmt::format("node {} {}", f.node, of_link(f.faults)); },
          [](const fault::Disk& f) {
            return fmt::format("disk of node {}: {}", f.node, of_disk(f));
          },
          [](const fault::Clock& f) {
            return fmt::format("clock of node {} off by {}", f.node, seconds(f.jump));
          },
      },
      fault.what);
  return fmt::format("{} for {}", what, seconds(fault.lasts));
}

FaultPlan merged(FaultPlan a, FaultPlan b) {
  a.insert(a.end(), std::make_move_iterator(b.begin()), std::make_move_iterator(b.end()));
  std::ranges::stable_sort(a, {}, &Fault::at);
  return a;
}

}  // namespace ggen::p2p::sim
