#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/sim/network.hpp>

/// What goes wrong in a run, as data: drawn from the seed or written by hand, and played while the
/// scenario goes on.
namespace ggen::p2p::sim {

namespace fault {

/// It goes down, and starts again in the end.
struct Crash {
  NodeIndex node = 0;
  Network::Crash how = Network::Crash::kProcess;
  bool wiped = false;  ///< it starts again with a new disk
};
/// It stops in good order, and starts again in the end. If it is not down by then, it is killed.
struct Stop {
  NodeIndex node = 0;
};

struct Partition {
  enum class Kind : std::uint8_t {
    kFull,    ///< `nodes` and all others don't reach each other
    kOneWay,  ///< the others hear nothing of `nodes`, which hear them
    kBridge,  ///< full, but for the nodes of `bridge`, which reach everybody
  };
  Kind kind = Kind::kFull;
  std::vector<NodeIndex> nodes{};
  std::vector<NodeIndex> bridge{};
};
struct Link {
  NodeIndex node = 0;
  LinkFaults faults{};
};
/// What a disk does beside its own model: of probabilities the greatest holds.
struct Disk {
  NodeIndex node = 0;
  double fail = 0;
  double lose_write = 0;
  double rot = 0;
  double tear = 0;
  base::Duration delay{};  ///< added to each operation
  bool full = false;       ///< takes nothing more
};
/// Its calendar jumps forth, or back if negative, and in the end the other way.
struct Clock {
  NodeIndex node = 0;
  base::Duration jump{};
};

}  // namespace fault

/// What goes wrong at one time, and is healed after another.
struct Fault {
  base::Duration at{};  ///< since the plan begins
  base::Duration lasts{};
  std::variant<fault::Crash, fault::Stop, fault::Partition, fault::Link, fault::Disk, fault::Clock>
      what{};
};

/// For people, without the time at which it begins: "node 3 loses its power for 12.5 s".
[[nodiscard]] std::string describe(const Fault& fault);

/// In the order in which they begin. They may overlap, also at one node: then all of them hold.
using FaultPlan = std::vector<Fault>;

/// A fault of a plan, and its place there: what it is called whichever others are left out.
struct PlannedFault {
  std::size_t index = 0;
  Fault fault{};
};

/// The kinds that are drawn.
enum class FaultKind : std::uint8_t {
  kCrash,   ///< of the process
  kPower,   ///< of the machine
  kWipe,    ///< of the machine, which starts again with a new disk
  kStop,    ///< in good order
  kCut,     ///< a partition around the node
  kOneWay,  ///< the same, one-way
  kBridge,  ///< the same, with a bridge
  kLoss,
  kDelay,
  kRefuse,
  kClog,
  kDiskFail,
  kLoseWrite,
  kRot,
  kTear,
  kDiskFull,
  kDiskSlow,
  kClock,
};
inline constexpr std::size_t kFaultKinds = 18;
/// One word, such as "disk-fail".
[[nodiscard]] std::string_view name_of(FaultKind kind) noexcept;

/// How often things go wrong.
struct FaultRates {
  /// Faults of a node in a minute, by kind.
  std::array<double, kFaultKinds> of{};
  /// How long a fault lasts in the mean. It is drawn from an exponential distribution, and at most
  /// four times as long.
  base::Duration lasts = std::chrono::seconds{20};

  [[nodiscard]] double& operator[](FaultKind kind) { return of[static_cast<std::size_t>(kind)]; }
};

/// Swarm testing: each kind is off as likely as not, and else has a rate of at most that in `most`.
/// Runs with few kinds of faults find what many kinds at once would hide.
[[nodiscard]] FaultRates draw_rates(const FaultRates& most, const base::Prng& prng);

/// Faults of `nodes` over `span`; all are healed before it ends. Depends on its arguments only; the
/// faults that one node has by itself don't depend on the other nodes.
[[nodiscard]] FaultPlan draw_faults(const FaultRates& rates, std::span<const NodeIndex> nodes,
                                    base::Duration span, const base::Prng& prng);

/// Puts plans together.
[[nodiscard]] FaultPlan merged(FaultPlan a, FaultPlan b);

}  // namespace ggen::p2p::sim
