#pragma once

#include <cstddef>
#include <optional>
#include <variant>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>

#include "own_record.hpp"
#include "state.hpp"

namespace ggen::p2p::kad {

/// Knows when what is to be done without being asked: refreshing buckets, publishing own records
/// again, dropping what has expired.
class Maintenance {
 public:
  explicit Maintenance(State& state) : state_(state) {}

  /// The table has its first peer: all is to be learnt.
  void begin(base::Instant now);
  /// Lookups of a random key in each bucket are due now; those of the own id too if `own`.
  void refresh(bool own, base::Instant now);
  /// Publish this when the time comes.
  void publish_at(const OwnRecord& record, base::Instant at) { own_.set(record, at); }
  void forget(const OwnRecord& record) { own_.set(record, std::nullopt); }

  /// A lookup of this key.
  struct Refresh {
    base::Bytes key;
  };
  using Job = std::variant<Refresh, OwnRecord>;
  /// The next job that is due.
  [[nodiscard]] std::optional<Job> next_job(base::Instant now);
  /// When a job will be due.
  [[nodiscard]] std::optional<base::Instant> next_job_at() const;

  /// Something may have been stored: it will expire.
  void schedule_expiry(base::Instant now);
  /// Drops what has expired, if it is time.
  void expire(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_expiry() const { return next_expiry_; }

 private:
  void refresh_early(base::Instant now);
  void queue_refreshes();

  State& state_;
  base::Fifo<base::Bytes> refreshes_;
  std::optional<base::Instant> refreshes_due_;  // since then, while there are any
  std::optional<base::Duration> early_gap_;     // before the next early lookup, while there are any
  std::optional<base::Instant> next_refresh_;   // none before the table had its first peer
  std::optional<base::Instant> next_expiry_;    // none while nothing is stored
  base::TimerHeap<OwnRecord, OwnRecordHash> own_;
};

}  // namespace ggen::p2p::kad
