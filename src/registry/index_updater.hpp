#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "context.hpp"

namespace ggen::p2p::registry {

/// Keeps the index behind the journal: what became durable there is applied, in order, one
/// IndexApply at a time.
class IndexUpdater {
 public:
  /// Changes that wait, at most; see has_room().
  static constexpr std::size_t kMaxChanges = 32 * 1024;
  static constexpr std::size_t kBatchChanges = 1024;

  explicit IndexUpdater(Context& context) : context_(context) {}

  /// What `records` more records of the journal changed, up to `position` of it.
  void push(std::vector<IndexChange> changes, std::size_t records, std::uint64_t position);
  /// The index lacks a part of what the journal held at the start. It stays as it is: with what
  /// comes now nobody would see that it lacks something, and the next start makes up for it.
  void leave_behind() noexcept { left_behind_ = true; }
  [[nodiscard]] bool has_room() const noexcept { return waiting_ < kMaxChanges; }
  /// Records of the journal whose changes searches find, since the start, as far as they ever
  /// will.
  [[nodiscard]] std::uint64_t applied() const noexcept { return applied_; }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return retry_at_; }

 private:
  struct Step {
    std::vector<IndexChange> changes;
    std::uint64_t records = 0;
    std::uint64_t position = 0;
  };

  void apply();
  void done(StoreResult result, base::Instant now);

  Context& context_;
  std::deque<Step> steps_;
  std::size_t waiting_ = 0;  // changes in steps_
  std::uint64_t applied_ = 0;
  std::optional<Step> under_way_;
  bool left_behind_ = false;
  std::optional<base::Instant> retry_at_;
};

}  // namespace ggen::p2p::registry
