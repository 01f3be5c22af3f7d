#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/sim/blob_pool.hpp>
#include <ggen/p2p/sim/memory_index.hpp>
#include <ggen/p2p/sim/shared.hpp>
#include <ggen/p2p/sim/stored.hpp>

namespace ggen::p2p::sim {

/// A store in memory that passes the contract tests of the one on the disk, and fails when told to.
/// Everything in it is durable at once, and outlives the node that uses it: whoever destroys and
/// makes a node anew on the same object restarts it on its disk. Positions of the journal count
/// records. Safe for several threads.
///
/// Memory does not rot by itself: a chunk is hashed when it is written and not again, and
/// damage_chunk() marks what a real disk would find when it hashes what it reads. With a shared
/// pool an entry costs 24 bytes here (journal, ids, index), a chunk 32, and an empty store below
/// 400.
class MemoryStorage final : public registry::Storage {
 public:
  using Error = registry::StoreError;

  /// Shares with nobody.
  MemoryStorage();
  /// Shares what it holds with all stores on `pool`, which outlives it.
  explicit MemoryStorage(BlobPool& pool);
  ~MemoryStorage() override;

  [[nodiscard]] registry::StoreResult run(registry::StoreOp op) override;

  // Faults.

  /// The next `times` operations of a kind fail and do nothing: fail_next<store::Append>(...).
  template <class Op>
  void fail_next(Error error, std::size_t times = 1) {
    fail_next(kIndexOf<Op>, std::move(error), times);
  }
  /// The next Append writes only so many of its records, then fails: the power went.
  void tear_next_append(std::size_t records);
  /// Damages a record that was written: it is no entry any more. `index` is that of one.
  void damage_record(std::size_t index);
  /// Damages a chunk: reading it gives kCorrupt, and listing an archive that is held in part finds
  /// that it is not there. False when it is not held.
  bool damage_chunk(const crypto::Sha256Digest& root, std::uint64_t index);
  /// The index is gone, as when its file was deleted between two starts.
  void drop_index();
  /// Only the first `records` of the journal are left.
  void truncate_journal(std::uint64_t records);
  /// Everything is gone: a new disk.
  void clear();

  // What is here.

  [[nodiscard]] std::vector<registry::JournalRecord> journal() const;
  /// The records of it.
  [[nodiscard]] std::uint64_t journal_size() const;
  /// Bytes that journal, chunk lists and chunks take on a disk of their own, whoever shares them.
  [[nodiscard]] std::uint64_t bytes_used() const;
  /// The whole archive is here, and none of it damaged.
  [[nodiscard]] bool holds(const crypto::Sha256Digest& root) const;
  /// Bytes of these that an operation would write or read, about; 0 for what only looks things up.
  [[nodiscard]] std::uint64_t transfer_of(const registry::StoreOp& op) const;
  /// How many operations of a kind came, failed ones included.
  template <class Op>
  [[nodiscard]] std::size_t runs() const {
    return runs(kIndexOf<Op>);
  }
  /// Puts a whole archive here at once, as a driver does with what it packed: `chunks` are the
  /// hashes of its chunks, `packed` all its bytes.
  void import(const registry::Archive& archive, std::vector<crypto::Sha256Digest> chunks,
              base::BytesView packed);

 private:
  struct Chunk {
    base::Buffer bytes;  // empty when the chunk is not held
    bool damaged = false;
  };
  struct Blob {
    registry::Archive archive;
    Shared<ChunkHashes> list;
    std::vector<Chunk> chunks;  // as many as in the list
    std::uint64_t held = 0;

    [[nodiscard]] bool is_full() const noexcept { return held == chunks.size(); }
    [[nodiscard]] registry::store::Blob listed() const;
  };
  // What only tests that want faults pay for.
  struct Script {
    std::array<std::vector<Error>, std::variant_size_v<registry::StoreOp>> faults;
    std::optional<std::size_t> torn_append;
  };

  template <class Op, std::size_t I = 0>
  static constexpr std::size_t index_of() {
    if constexpr (std::is_same_v<std::variant_alternative_t<I, registry::StoreOp>, Op>) {
      return I;
    } else {
      return index_of<Op, I + 1>();
    }
  }
  template <class Op>
  static constexpr std::size_t kIndexOf = index_of<Op>();

  void fail_next(std::size_t op, Error error, std::size_t times);
  [[nodiscard]] std::size_t runs(std::size_t op) const;
  Script& script();
  std::optional<Error> take_fault(std::size_t op);
  void remember(const Shared<StoredRecord>& stored);
  void remember_all();
  [[nodiscard]] const Chunk* find(const crypto::Sha256Digest& root, std::uint64_t index) const;
  void recast(Blob& blob, const registry::Archive& archive);
  void put(Blob& blob, std::uint64_t index, base::Buffer bytes);
  void drop(Blob& blob, std::uint64_t index);
  void erase(const crypto::Sha256Digest& root);
  [[nodiscard]] std::size_t page_end(std::uint64_t from) const;

  registry::StoreResult answer(const registry::store::ReadJournal& op);
  registry::StoreResult answer(registry::store::Append& op);
  registry::StoreResult answer(const registry::store::ReadEntries& op);
  registry::StoreResult answer(const registry::store::ListBlobs& op);
  registry::StoreResult answer(registry::store::CreateBlob& op);
  registry::StoreResult answer(registry::store::WriteChunk& op);
  registry::StoreResult answer(const registry::store::ReadChunk& op);
  registry::StoreResult answer(const registry::store::ReadList& op);
  registry::StoreResult answer(const registry::store::RemoveBlob& op);
  registry::StoreResult answer(const registry::store::IndexPosition& op);
  registry::StoreResult answer(const registry::store::IndexApply& op);
  registry::StoreResult answer(const registry::store::IndexQuery& op);

  mutable std::mutex mutex_;
  std::unique_ptr<BlobPool> own_;
  BlobPool* pool_;
  std::vector<Shared<StoredRecord>> journal_;
  std::vector<Shared<StoredRecord>> by_id_;  // sorted, the last of each id
  std::map<crypto::Sha256Digest, Blob> blobs_;
  MemoryIndex index_;
  std::uint64_t bytes_used_ = 0;
  std::unique_ptr<Script> script_;
  std::array<std::uint32_t, std::variant_size_v<registry::StoreOp>> runs_{};
};

}  // namespace ggen::p2p::sim
