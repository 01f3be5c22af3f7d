#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <ggen/p2p/sim/package.hpp>
#include <ggen/p2p/sim/workload.hpp>
#include <ggen/p2p/sim/world.hpp>

namespace ggen::p2p::sim {

/// Carries a workload out, and keeps account of what became of it.
class Work {
 public:
  enum class Kind : std::uint8_t { kPublish, kFetch, kSearch, kPut, kGet };
  static constexpr std::size_t kKinds = 5;

  struct Account {
    std::size_t begun = 0;
    std::size_t good = 0;
    std::size_t failed = 0;
    std::size_t cut_short = 0;  ///< the node went down before the end
  };
  struct Release {
    Package package;
    registry::EntryId entry;
    base::Instant when;
  };

  /// Publishes on those nodes only that no fault of the run makes forget what they signed: one that
  /// does, and asks nobody, signs another history.
  Work(World& world, const Workload& workload);

  void go_on(base::Duration time);
  /// Until all that was begun has ended; false when `limit` is over first.
  bool settle(base::Duration limit);

  [[nodiscard]] const Account& account(Kind kind) const { return accounts_[index(kind)]; }
  [[nodiscard]] std::size_t under_way() const noexcept { return open_.size(); }
  /// What was published with success, in that order.
  [[nodiscard]] const std::vector<Release>& releases() const noexcept { return releases_; }
  /// Nodes that are up and have read their journal.
  [[nodiscard]] std::vector<NodeIndex> ready() const;
  /// The nodes among these whose disks hold the whole archive, and who serve it as it is.
  [[nodiscard]] std::vector<NodeIndex> holders(const Package& package) const;

 private:
  struct Operation {
    Kind kind{};
    NodeIndex node = 0;
    std::uint32_t life = 0;
    std::uint64_t id = 0;  // of the registry, or a query's
    kad::QueryId query{};
    std::size_t package = 0;  // of a publish
  };

  static std::size_t index(Kind kind) { return static_cast<std::size_t>(kind); }
  [[nodiscard]] base::Instant after(base::Instant then, Kind kind);
  void begin(Kind kind);
  void publish(const std::vector<NodeIndex>& nodes);
  void fetch(const std::vector<NodeIndex>& nodes);
  void search(const std::vector<NodeIndex>& nodes);
  void put(const std::vector<NodeIndex>& nodes);
  void get(const std::vector<NodeIndex>& nodes);
  void open(Operation operation);
  void look();
  [[nodiscard]] std::optional<bool> result(const Operation& operation);
  [[nodiscard]] NodeIndex any(const std::vector<NodeIndex>& nodes);

  World& world_;
  std::array<double, kKinds> rates_;
  std::uint64_t package_size_;
  base::Prng prng_;
  std::array<base::Prng, kKinds> times_;
  std::array<base::Instant, kKinds> next_{};
  std::set<NodeIndex> forgetful_;
  std::array<Account, kKinds> accounts_{};
  std::vector<Operation> open_;
  std::vector<Package> packages_;
  std::vector<Release> releases_;
  std::vector<base::Bytes> keys_;  // that were put
};

}  // namespace ggen::p2p::sim
