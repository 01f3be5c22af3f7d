#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/sim/shared.hpp>
#include <ggen/p2p/sim/stored.hpp>

namespace ggen::p2p::sim {

/// What the stores of one simulation hold, once: equal chunks, chunk lists, records and releases
/// are handed out as one. What is here has been verified, so that the next store that brings the
/// same pays for a comparison and not for a hash.
///
/// What nobody holds any more is dropped by a sweep, which comes by itself whenever as much was
/// added as the last one left, and at least kSweepBytes: the pool never keeps alive more than about
/// twice what is held. Which of two equal things a store got shows in nothing but memory and speed.
/// It outlives the stores. Safe for several threads.
class BlobPool {
 public:
  static constexpr std::size_t kSweepBytes = 4 * 1024 * 1024;

  BlobPool() = default;
  BlobPool(const BlobPool&) = delete;
  BlobPool& operator=(const BlobPool&) = delete;

  [[nodiscard]] Shared<StoredRecord> record(registry::JournalRecord record);
  [[nodiscard]] Shared<StoredRelease> release(const registry::IndexAdd& add);
  /// Nothing when `hashes` have another Merkle root.
  [[nodiscard]] std::optional<Shared<ChunkHashes>> list(const crypto::Sha256Digest& root,
                                                        ChunkHashes hashes);
  /// The chunk with this hash; nothing when `bytes` have another.
  [[nodiscard]] std::optional<base::Buffer> chunk(const crypto::Sha256Digest& hash,
                                                  base::Buffer bytes);

  /// Drops what nobody holds but the pool.
  void sweep();

  struct Stats {
    std::size_t records = 0;
    std::size_t releases = 0;
    std::size_t lists = 0;
    std::size_t chunks = 0;
    /// Memory of all of them, about.
    std::size_t bytes = 0;
    /// Chunks that had to be hashed so far.
    std::uint64_t hashed = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  // A view of the bytes of the record itself.
  using RecordKey = std::pair<registry::JournalRecord::Kind, std::string_view>;

  void grow(std::size_t bytes);
  void drop_unheld();
  [[nodiscard]] std::size_t footprint() const;

  mutable std::mutex mutex_;
  std::map<RecordKey, Shared<StoredRecord>> records_;
  std::map<registry::EntryId, Shared<StoredRelease>> releases_;
  std::map<crypto::Sha256Digest, Shared<ChunkHashes>> lists_;
  std::map<crypto::Sha256Digest, base::Buffer> chunks_;
  std::uint64_t hashed_ = 0;
  std::size_t kept_ = 0;   // by the last sweep
  std::size_t added_ = 0;  // since then
};

}  // namespace ggen::p2p::sim
