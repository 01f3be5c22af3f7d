#include <algorithm>
#include <cmath>
#include <string>

#include <ggen/p2p/sim/fault_plan.hpp>

namespace ggen::p2p::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr base::Duration kShortest = seconds{1};
constexpr int kLongest = 4;  // times the mean

constexpr std::array<std::string_view, kFaultKinds> kNames{
    "crash",      "power", "wipe",  "stop",      "cut",       "one-way",
    "bridge",     "loss",  "delay", "refuse",    "clog",      "disk-fail",
    "lose-write", "rot",   "tear",  "disk-full", "disk-slow", "clock"};

// Whole milliseconds: the last digits of a library's logarithm must not show in the trace.
base::Duration exponential(base::Prng& prng, base::Duration mean) {
  const auto scale = std::chrono::duration<double, std::milli>(mean).count();
  const double drawn = -std::log1p(-prng.unit()) * scale;
  return milliseconds{std::llround(std::min(drawn, 1e12))};
}

// In [from, to).
double between(base::Prng& prng, double from, double to) {
  return from + prng.unit() * (to - from);
}

base::Duration milliseconds_between(base::Prng& prng, std::uint64_t from, std::uint64_t to) {
  return milliseconds{static_cast<std::int64_t>(from + prng.below(to - from))};
}

// Up to half of the nodes, `node` among them.
std::vector<NodeIndex> side_of(NodeIndex node, std::span<const NodeIndex> nodes, base::Prng& prng) {
  std::vector<NodeIndex> others;
  std::ranges::copy_if(nodes, std::back_inserter(others), [&](NodeIndex n) { return n != node; });
  prng.shuffle(others);
  const std::size_t size = prng.below(std::max<std::size_t>(1, nodes.size() / 2));
  others.resize(std::min(others.size(), size));
  others.push_back(node);
  std::ranges::sort(others);
  return others;
}

fault::Partition draw_partition(fault::Partition::Kind kind, NodeIndex node,
                                std::span<const NodeIndex> nodes, base::Prng& prng) {
  fault::Partition partition{kind, side_of(node, nodes, prng), {}};
  if (kind != fault::Partition::Kind::kBridge) return partition;
  std::vector<NodeIndex> others;
  std::ranges::set_difference(nodes, partition.nodes, std::back_inserter(others));
  if (others.empty()) return partition;
  partition.bridge.push_back(others[prng.below(others.size())]);
  return partition;
}

decltype(Fault::what) draw_what(FaultKind kind, NodeIndex node, std::span<const NodeIndex> nodes,
                                base::Prng& prng) {
  using enum FaultKind;
  fault::Link link{node, {}};
  fault::Disk disk{node};
  switch (kind) {
    case kCrash:
      return fault::Crash{node, Network::Crash::kProcess};
    case kPower:
      return fault::Crash{node, Network::Crash::kPower};
    case kWipe:
      return fault::Crash{node, Network::Crash::kPower, true};
    case kStop:
      return fault::Stop{node};
    case kCut:
      return draw_partition(fault::Partition::Kind::kFull, node, nodes, prng);
    case kOneWay:
      return draw_partition(fault::Partition::Kind::kOneWay, node, nodes, prng);
    case kBridge:
      return draw_partition(fault::Partition::Kind::kBridge, node, nodes, prng);
    case kLoss:
      link.faults.loss = std::round(between(prng, 1, 50)) / 100;
      return link;
    case kDelay:
      link.faults.delay = milliseconds_between(prng, 10, 2000);
      return link;
    case kRefuse:
      link.faults.refuse_dials = true;
      return link;
    case kClog:
      link.faults.clogged = true;
      return link;
    case kDiskFail:
      disk.fail = std::round(between(prng, 1, 100)) / 100;
      return disk;
    case kLoseWrite:
      disk.lose_write = std::round(between(prng, 10, 100)) / 100;
      return disk;
    case kRot:
      disk.rot = std::round(between(prng, 1, 50)) / 100;
      return disk;
    case kTear:
      disk.tear = 1;
      return disk;
    case kDiskFull:
      disk.full = true;
      return disk;
    case kDiskSlow:
      disk.delay = milliseconds_between(prng, 10, 2000);
      return disk;
    case kClock:
      break;
  }
  const bool back = prng.chance(0.5);
  const base::Duration jump = milliseconds_between(prng, 100, 3'600'000);
  return fault::Clock{node, back ? -jump : jump};
}

void draw_kind(FaultKind kind, double rate, NodeIndex node, std::span<const NodeIndex> nodes,
               base::Duration mean, base::Duration span, base::Prng prng, FaultPlan& plan) {
  if (rate <= 0) return;
  const base::Duration gap{static_cast<std::int64_t>(
      std::min(1e18, static_cast<double>(base::Duration{minutes{1}}.count()) / rate))};
  base::Duration at{};
  for (;;) {
    at += exponential(prng, gap);
    if (at + kShortest > span) return;
    const base::Duration drawn = std::max(exponential(prng, mean), kShortest);
    Fault fault{at, std::min({drawn, kLongest * mean, base::Duration{span - at}}), {}};
    fault.what = draw_what(kind, node, nodes, prng);
    plan.push_back(std::move(fault));
  }
}

}  // namespace

std::string_view name_of(FaultKind kind) noexcept {
  return kNames[static_cast<std::size_t>(kind)];
}

FaultRates draw_rates(const FaultRates& most, const base::Prng& prng) {
  FaultRates rates = most;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    base::Prng own = prng.child(kNames[i]);
    const bool off = own.chance(0.5);
    const double share = own.unit();
    rates.of[i] = off ? 0 : most.of[i] * share;
  }
  return rates;
}

FaultPlan draw_faults(const FaultRates& rates, std::span<const NodeIndex> nodes,
                      base::Duration span, const base::Prng& prng) {
  FaultPlan plan;
  for (const NodeIndex node : nodes) {
    const base::Prng of_node = prng.child(std::to_string(node));
    for (std::size_t i = 0; i < kFaultKinds; ++i) {
      draw_kind(static_cast<FaultKind>(i), rates.of[i], node, nodes, rates.lasts, span,
                of_node.child(kNames[i]), plan);
    }
  }
  std::ranges::stable_sort(plan, {}, &Fault::at);
  return plan;
}

}  // namespace ggen::p2p::sim
