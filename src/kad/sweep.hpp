#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/kad/lookup.hpp>
#include <ggen/p2p/kad/output.hpp>
#include <ggen/p2p/kad/provide_stats.hpp>

#include "allotment.hpp"
#include "announcements.hpp"
#include "exploration.hpp"
#include "state.hpp"

namespace ggen::p2p::kad {

/// Tells others again what this node provides, before they forget it. Where many keys are due, not
/// by a lookup for each: the key space is swept region by region, each of a few k peers. A few
/// lookups find all peers of the region, each key is allotted to its k nearest among them, and each
/// peer is told of all its keys at once. Few keys are left to lookups of their own, and so are all
/// while the size of the network is unknown, and keys around which peers have settled.
///
/// Each region has its moment in the interval by its distance from the local node, so that the load
/// is even, and not the same for all nodes.
class Sweep {
 public:
  explicit Sweep(State& state) : state_(state) {}

  /// Others have been told of the key: when to tell them again.
  [[nodiscard]] base::Instant again_at(base::BytesView key, base::Instant now) const;

  // What is to be done now.

  /// A lookup of `key`, which begins at `known` and at the nearest of the table.
  struct Explore {
    RegionId region;
    base::Bytes key;
    std::vector<PeerRecord> known;
    bool random = false;  ///< nobody could know the key, and it lies anywhere in the region
  };
  /// A key that needs a lookup of its own.
  struct Single {
    base::Bytes key;
  };
  using Job = std::variant<Explore, Single>;
  [[nodiscard]] std::optional<Job> next_job(base::Instant now);
  /// When a job will be due.
  [[nodiscard]] std::optional<base::Instant> next_job_at() const;
  [[nodiscard]] std::optional<Announcements::Batch> next_batch();

  // What came of it.

  void explored(RegionId id, const Lookup& lookup, bool timed_out, base::Instant now);
  void announced(const Announcements::Done& done, base::Instant now);
  /// A Single has ended.
  void placed(base::BytesView key, const result::Placed& placed, base::Instant now);

  /// The event that has become due, if any.
  [[nodiscard]] std::optional<ReprovideBehind> fallen_behind(base::Instant now);
  /// When one will be.
  [[nodiscard]] std::optional<base::Instant> behind_at() const;
  [[nodiscard]] ProvideStats stats(base::Instant now) const;

 private:
  /// A region that is being swept: explored first, then told of a thousand keys at a time.
  struct Region {
    Prefix part;
    double network_size = 0;
    Exploration exploration;
    std::optional<Place> target{};  // of the lookup that is under way
    std::vector<base::Bytes> keys{};
    std::vector<std::uint8_t> takers{};  // of each key
    std::vector<Allotment::Share> shares{};
    std::size_t next_share = 0;
    std::size_t under_way = 0;  // shares
  };

  [[nodiscard]] std::optional<Prefix> region_of(base::BytesView key, base::Instant now) const;
  [[nodiscard]] std::optional<Job> start_due(base::Instant now);
  [[nodiscard]] std::optional<Explore> explore(RegionId id, base::Instant now);
  void tell_more(RegionId id, base::Instant now);
  void settle_keys(Region& region, base::Instant now);
  void end(RegionId id, base::Instant now);
  [[nodiscard]] base::Instant retry_at(base::Instant now) const;
  [[nodiscard]] bool nobody_to_tell() const;

  State& state_;
  base::SlotMap<Region, RegionTag> regions_;
  base::Fifo<RegionId> exploring_;  // want a lookup
  base::Fifo<RegionId> telling_;    // have shares to begin
  base::Fifo<base::Bytes> singles_;
  bool behind_ = false;
  ProvideStats stats_;
};

}  // namespace ggen::p2p::kad
