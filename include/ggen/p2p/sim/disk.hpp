#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/sim/blob_pool.hpp>
#include <ggen/p2p/sim/memory_storage.hpp>

namespace ggen::p2p::sim {

/// How fast a disk is, and how it lets its owner down. Probabilities are 0 to 1; the default disk
/// is instant, endless and honest.
struct DiskModel {
  /// What each operation takes beside the transfer: uniform in [min_latency, max_latency].
  base::Duration min_latency{};
  base::Duration max_latency{};
  /// Of journal and chunks, one operation behind the other; 0: their transfer takes no time.
  std::uint64_t bytes_per_second = 0;
  /// Journal, chunk lists and chunks above this get kFull; 0: no limit. The index is not counted.
  std::uint64_t capacity = 0;

  /// An operation fails with kIo, and nothing was done.
  double fail = 0;
  /// An Append or WriteChunk succeeds, but its bytes are only in a cache: at the next crash they
  /// are gone. An Append that is honest makes those before it durable too, because the journal is
  /// one file; a chunk becomes so when it is written again.
  double lose_write = 0;
  /// A chunk has rotted when it is read: kCorrupt, and it is not held any more.
  double rot = 0;
  /// An Append that a crash interrupts leaves the beginning of its records. If not, it happened or
  /// did not, as likely as not.
  double tear = 0;
};

/// What a disk has done so far, over all crashes.
struct DiskCounters {
  std::uint64_t operations = 0;  ///< answered
  std::uint64_t bytes = 0;       ///< of journal and chunks, written or read by these
  std::uint64_t failed = 0;      ///< answered with kIo by the model
  std::uint64_t full = 0;
  std::uint64_t rotted = 0;        ///< chunks
  std::uint64_t crashes = 0;       ///< wipe() is one
  std::uint64_t interrupted = 0;   ///< operations that a crash left without an answer
  std::uint64_t torn = 0;          ///< Appends of which a crash left the beginning
  std::uint64_t lost_records = 0;  ///< of the journal, answered as durable and gone
  std::uint64_t lost_chunks = 0;   ///< as lost_records
};

/// One machine's disk in virtual time: a MemoryStorage below a model of its speed and its faults.
///
/// Each operation that begin() is given gets exactly one StoreDone from finish(), unless a crash
/// comes between the two; it is done at once when finish() is called, and durable then if the disk
/// is honest. Its generator draws three numbers for each operation and two for each one that a
/// crash interrupts, whatever the model says: one seed gives the same results at the same times,
/// and a model that is changed shifts nothing but what it changes. What is under way is bounded by
/// the engine above. Not thread-safe.
class Disk {
 public:
  /// With a pool, which outlives the disk, equal bytes are kept once for all disks on it.
  Disk(const DiskModel& model, base::Prng prng);
  Disk(const DiskModel& model, base::Prng prng, BlobPool& pool);

  /// Names an operation under way. Never used again by this disk, also after a crash: an engine
  /// that starts anew counts its StoreIds from the beginning.
  using Ticket = std::uint64_t;
  struct Planned {
    Ticket ticket = 0;
    base::Instant done_at;  ///< when finish() is to be called; not before `now`
  };
  [[nodiscard]] Planned begin(registry::Store operation, base::Instant now);
  /// Does the operation. Nothing when a crash ended it.
  [[nodiscard]] std::optional<registry::StoreDone> finish(Ticket ticket);
  /// Operations begun and neither finished nor ended by a crash.
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_.size(); }

  /// The power fails: of what is under way, each write has happened or has not, and an Append may
  /// be torn; nobody is told. What a disk that lies had only in its cache is gone: records, whose
  /// journal ends before them, and chunks, which rot in a whole archive and are missing in others.
  void crash();
  /// The machine gets a new disk: a crash, after which nothing is here.
  void wipe();

  /// From the next operation on.
  void set_model(const DiskModel& model);
  [[nodiscard]] const DiskModel& model() const noexcept { return model_; }
  [[nodiscard]] const DiskCounters& counters() const noexcept { return counters_; }
  /// What is here now: to import archives, and to look.
  [[nodiscard]] MemoryStorage& storage() noexcept { return storage_; }
  [[nodiscard]] const MemoryStorage& storage() const noexcept { return storage_; }

 private:
  enum class Fault : std::uint8_t { kNone, kFail, kLose, kRot };
  struct UnderWay {
    Ticket ticket = 0;
    std::uint64_t bytes = 0;
    Fault fault = Fault::kNone;
    registry::Store operation;
  };

  [[nodiscard]] Fault draw_fault(const registry::StoreOp& op);
  [[nodiscard]] bool has_room(const registry::StoreOp& op, std::uint64_t bytes) const;
  [[nodiscard]] registry::StoreResult run(UnderWay one);
  [[nodiscard]] registry::StoreResult append(registry::store::Append op, bool lost);
  [[nodiscard]] registry::StoreResult write(registry::store::WriteChunk op, bool lost);
  [[nodiscard]] registry::StoreResult read(const registry::store::ReadChunk& op, bool rots);
  void interrupt(UnderWay one);
  void lose_cache();

  DiskModel model_;
  base::Prng prng_;
  MemoryStorage storage_;
  std::vector<UnderWay> under_way_;  // in the order in which they began
  Ticket next_ticket_ = 1;
  base::Instant busy_until_{};
  // Where the journal ends when the cache is lost; nothing when all of it is durable.
  std::optional<std::uint64_t> durable_records_;
  std::set<std::pair<crypto::Sha256Digest, std::uint64_t>> cached_chunks_;
  DiskCounters counters_;
};

}  // namespace ggen::p2p::sim
