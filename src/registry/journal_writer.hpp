#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "context.hpp"

namespace ggen::p2p::registry {

/// Brings records to the journal: one Append at a time, and what comes meanwhile goes with the next
/// one. When the store fails, the same records are tried again later, so that their order stays;
/// only what somebody waits for fails at once.
class JournalWriter {
 public:
  /// Told when the entry of a record is durable, or will not be.
  using Waiter =
      std::move_only_function<void(std::expected<void, StoreError> result, base::Instant now)>;
  /// A record, and what follows when it is durable.
  struct Item {
    JournalRecord record;
    std::vector<IndexChange> changes{};
    std::vector<Output> events{};
    Waiter waiter{};
  };
  /// Records that became durable, and the position of the journal behind them.
  using Committed = std::move_only_function<void(std::vector<Item> items, std::uint64_t position,
                                                 base::Instant now)>;

  /// What waits to be written, at most; see has_room().
  static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;
  static constexpr std::size_t kMaxItems = 16 * 1024;
  /// Of one Append.
  static constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;
  static constexpr std::size_t kBatchItems = 512;

  JournalWriter(Context& context, Committed committed)
      : context_(context), committed_(std::move(committed)) {}

  void push(Item item);
  /// False when what waits is at its limit: whoever can should come again later.
  [[nodiscard]] bool has_room() const noexcept {
    return bytes_ < kMaxBytes && items_.size() < kMaxItems;
  }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return retry_at_; }

 private:
  void write();
  void written(StoreResult result, base::Instant now);
  void put_back(const StoreError& error, base::Instant now);

  Context& context_;
  Committed committed_;
  std::deque<Item> items_;
  std::size_t bytes_ = 0;  // of items_
  std::vector<Item> under_way_;
  std::optional<base::Instant> retry_at_;
};

}  // namespace ggen::p2p::registry
