#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/registry/storage.hpp>

#include "memory_search.hpp"

namespace ggen::p2p::test {

/// A store in memory that passes the contract tests of the real one, and fails when told to. Safe
/// for several threads.
class MemoryStorage final : public registry::Storage {
 public:
  using Error = registry::StoreError;

  [[nodiscard]] registry::StoreResult run(registry::StoreOp op) override {
    const std::lock_guard lock(mutex_);
    ++runs_[op.index()];
    if (auto fault = take_fault(op.index())) return std::unexpected(std::move(*fault));
    return std::visit([this](auto& one) { return answer(one); }, op);
  }

  // Faults.

  /// The next `times` operations of a kind fail and do nothing: fail_next<store::Append>(...).
  template <class Op>
  void fail_next(Error error, std::size_t times = 1) {
    const std::lock_guard lock(mutex_);
    auto& faults = faults_[index_of<Op>()];
    faults.insert(faults.end(), times, std::move(error));
  }
  /// The next Append writes only so many of its records, then fails: the power went.
  void tear_next_append(std::size_t records) {
    const std::lock_guard lock(mutex_);
    torn_append_ = records;
  }
  /// Damages a record that was written: it is no entry any more.
  void damage_record(std::size_t index) {
    const std::lock_guard lock(mutex_);
    journal_.at(index).bytes = base::Buffer::copy_of(std::vector<std::uint8_t>{0xff, 0xff});
  }
  /// Damages a chunk that is held: reading it gives kCorrupt.
  void damage_chunk(const crypto::Sha256Digest& root, std::uint64_t index) {
    const std::lock_guard lock(mutex_);
    auto& bytes = blobs_.at(root).data.at(index);
    base::Bytes changed = base::to_bytes(bytes.view());
    changed.at(0) ^= 1;
    bytes = base::Buffer::copy_of(changed);
  }
  /// The index is gone, as when its file was deleted between two starts.
  void drop_index() {
    const std::lock_guard lock(mutex_);
    index_ = {};
  }

  // What a test looks at.

  [[nodiscard]] std::vector<registry::JournalRecord> journal() const {
    const std::lock_guard lock(mutex_);
    return journal_;
  }
  /// How many operations of a kind came, failed ones included.
  template <class Op>
  [[nodiscard]] std::size_t runs() const {
    const std::lock_guard lock(mutex_);
    const auto at = runs_.find(index_of<Op>());
    return at == runs_.end() ? 0 : at->second;
  }
  /// Puts a whole archive here at once, as a driver does with what it packed.
  void import(const registry::Archive& archive, std::vector<crypto::Sha256Digest> chunks,
              base::BytesView packed) {
    const std::lock_guard lock(mutex_);
    Blob blob{archive, std::move(chunks), {}};
    for (std::uint64_t i = 0; i < archive.chunk_count(); ++i) {
      const auto from = static_cast<std::size_t>(i * archive.chunk_size);
      blob.data.emplace(i, base::Buffer::copy_of(packed.subspan(from, archive.chunk_bytes(i))));
    }
    blobs_.insert_or_assign(archive.root, std::move(blob));
  }

 private:
  using Result = registry::StoreResult;
  static constexpr std::size_t kPageBytes = 64 * 1024;

  struct Blob {
    registry::Archive archive;
    std::vector<crypto::Sha256Digest> chunks;
    std::map<std::uint64_t, base::Buffer> data;

    [[nodiscard]] registry::store::Blob listed() const {
      registry::ChunkSet held(archive.chunk_count());
      for (const auto& [index, bytes] : data) held.insert(index);
      return {archive, std::move(held)};
    }
  };

  template <class Op, std::size_t I = 0>
  static constexpr std::size_t index_of() {
    if constexpr (std::is_same_v<std::variant_alternative_t<I, registry::StoreOp>, Op>) {
      return I;
    } else {
      return index_of<Op, I + 1>();
    }
  }

  static std::unexpected<Error> error(Error::Kind kind, std::string detail) {
    return std::unexpected(Error{kind, std::move(detail)});
  }
  static std::unexpected<Error> missing() {
    return error(Error::Kind::kMissing, "no such archive or chunk");
  }

  std::optional<Error> take_fault(std::size_t op) {
    auto& faults = faults_[op];
    if (faults.empty()) return std::nullopt;
    Error first = std::move(faults.front());
    faults.erase(faults.begin());
    return first;
  }

  Result answer(const registry::store::ReadJournal& op) {
    registry::store::JournalPage page;
    std::size_t bytes = 0;
    std::uint64_t at = op.from;
    for (; at < journal_.size() && (bytes < kPageBytes); ++at) {
      page.records.push_back(journal_[static_cast<std::size_t>(at)]);
      bytes += page.records.back().bytes.size();
    }
    page.next = std::min<std::uint64_t>(at, journal_.size());
    page.more = page.next < journal_.size();
    return page;
  }

  Result answer(registry::store::Append& op) {
    const std::size_t count = std::min(torn_append_.value_or(op.records.size()), op.records.size());
    for (std::size_t i = 0; i < count; ++i) {
      auto& record = op.records[i];
      if (record.kind == registry::JournalRecord::Kind::kEntry) remember(record.bytes);
      journal_.push_back(std::move(record));
    }
    if (std::exchange(torn_append_, std::nullopt)) return error(Error::Kind::kIo, "torn");
    return registry::store::Appended{journal_.size()};
  }
  void remember(const base::Buffer& envelope) {
    const auto decoded = crypto::SignedEnvelope::decode(envelope.view());
    if (!decoded) return;
    entries_.insert_or_assign(registry::EntryId{crypto::sha256(decoded->payload)}, envelope);
  }

  Result answer(const registry::store::ReadEntries& op) {
    registry::store::Entries found;
    for (const auto& id : op.ids) {
      const auto at = entries_.find(id);
      found.envelopes.push_back(at == entries_.end() ? std::nullopt : std::optional(at->second));
    }
    return found;
  }

  Result answer(const registry::store::ListBlobs&) {
    registry::store::Blobs all;
    for (const auto& [root, blob] : blobs_) all.blobs.push_back(blob.listed());
    return all;
  }
  Result answer(registry::store::CreateBlob& op) {
    if (op.chunks.size() != op.archive.chunk_count() ||
        registry::merkle_root(op.chunks) != op.archive.root) {
      return error(Error::Kind::kWrongHash, "the chunks are not those of the archive");
    }
    auto [at, is_new] = blobs_.try_emplace(op.archive.root);
    Blob& blob = at->second;
    if (!is_new && blob.listed().held.is_full() &&
        blob.archive.packed_size != op.archive.packed_size) {
      return error(Error::Kind::kWrongHash, "the archive has another size");
    }
    blob.archive = op.archive;
    blob.chunks = std::move(op.chunks);
    return blob.listed();
  }
  Result answer(registry::store::WriteChunk& op) {
    const auto at = blobs_.find(op.root);
    if (at == blobs_.end() || op.index >= at->second.chunks.size()) return missing();
    Blob& blob = at->second;
    if (op.bytes.size() != blob.archive.chunk_bytes(op.index) ||
        registry::chunk_hash(op.bytes.view()) != blob.chunks[static_cast<std::size_t>(op.index)]) {
      return error(Error::Kind::kWrongHash, "chunk " + std::to_string(op.index));
    }
    blob.data.insert_or_assign(op.index, std::move(op.bytes));
    return registry::store::Done{};
  }
  Result answer(const registry::store::ReadChunk& op) {
    const auto at = blobs_.find(op.root);
    if (at == blobs_.end()) return missing();
    const auto chunk = at->second.data.find(op.index);
    if (chunk == at->second.data.end()) return missing();
    const auto& hash = at->second.chunks[static_cast<std::size_t>(op.index)];
    if (registry::chunk_hash(chunk->second.view()) != hash) {
      at->second.data.erase(chunk);
      return error(Error::Kind::kCorrupt, "chunk " + std::to_string(op.index));
    }
    return registry::store::Chunk{chunk->second};
  }
  Result answer(const registry::store::ReadList& op) {
    const auto at = blobs_.find(op.root);
    if (at == blobs_.end()) return missing();
    return registry::store::ChunkList{at->second.chunks};
  }
  Result answer(const registry::store::RemoveBlob& op) {
    blobs_.erase(op.root);
    return registry::store::Done{};
  }

  Result answer(const registry::store::IndexPosition&) {
    return registry::store::Position{index_.position()};
  }
  Result answer(const registry::store::IndexApply& op) {
    index_.apply(op);
    return registry::store::Done{};
  }
  Result answer(const registry::store::IndexQuery& op) { return index_.query(op.query); }

  mutable std::mutex mutex_;
  std::vector<registry::JournalRecord> journal_;
  std::map<registry::EntryId, base::Buffer> entries_;
  std::map<crypto::Sha256Digest, Blob> blobs_;
  MemorySearch index_;
  std::map<std::size_t, std::vector<Error>> faults_;
  std::map<std::size_t, std::size_t> runs_;
  std::optional<std::size_t> torn_append_;
};

}  // namespace ggen::p2p::test
