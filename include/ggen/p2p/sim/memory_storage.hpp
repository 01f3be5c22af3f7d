#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
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
#include <ggen/p2p/sim/memory_index.hpp>

namespace ggen::p2p::sim {

/// A store in memory that passes the contract tests of the one on the disk, and fails when told to.
/// Everything in it is durable at once, and outlives the node that uses it: whoever destroys and
/// makes a node anew on the same object restarts it on its disk. Positions of the journal count
/// records. Safe for several threads.
class MemoryStorage final : public registry::Storage {
 public:
  using Error = registry::StoreError;

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
  /// Damages a chunk, which is held: reading it gives kCorrupt.
  void damage_chunk(const crypto::Sha256Digest& root, std::uint64_t index);
  /// The index is gone, as when its file was deleted between two starts.
  void drop_index();

  // What is here.

  [[nodiscard]] std::vector<registry::JournalRecord> journal() const;
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
  struct Blob {
    registry::Archive archive;
    std::vector<crypto::Sha256Digest> chunks;
    std::map<std::uint64_t, base::Buffer> data;

    [[nodiscard]] registry::store::Blob listed() const;
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
  std::optional<Error> take_fault(std::size_t op);
  void remember(const base::Buffer& envelope);

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
  std::vector<registry::JournalRecord> journal_;
  std::map<registry::EntryId, base::Buffer> entries_;
  std::map<crypto::Sha256Digest, Blob> blobs_;
  MemoryIndex index_;
  std::map<std::size_t, std::vector<Error>> faults_;
  std::map<std::size_t, std::size_t> runs_;
  std::optional<std::size_t> torn_append_;
};

}  // namespace ggen::p2p::sim
