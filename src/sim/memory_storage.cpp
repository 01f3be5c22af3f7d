#include <algorithm>
#include <functional>
#include <string>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/sim/memory_storage.hpp>

namespace ggen::p2p::sim {

using registry::StoreError;
using registry::StoreResult;
namespace store = registry::store;

namespace {

constexpr std::size_t kPageBytes = 64 * 1024;

std::unexpected<StoreError> error(StoreError::Kind kind, std::string detail) {
  return std::unexpected(StoreError{kind, std::move(detail)});
}
std::unexpected<StoreError> missing() {
  return error(StoreError::Kind::kMissing, "no such archive or chunk");
}

std::uint64_t list_bytes(std::size_t chunks) {
  return chunks * sizeof(crypto::Sha256Digest);
}

registry::EntryId id_of(const Shared<StoredRecord>& stored) {
  return *stored->id;
}

}  // namespace

MemoryStorage::MemoryStorage() : own_(std::make_unique<BlobPool>()), pool_(own_.get()) {}
MemoryStorage::MemoryStorage(BlobPool& pool) : pool_(&pool) {}
MemoryStorage::~MemoryStorage() = default;

StoreResult MemoryStorage::run(registry::StoreOp op) {
  const std::lock_guard lock(mutex_);
  ++runs_[op.index()];
  if (auto fault = take_fault(op.index())) return std::unexpected(std::move(*fault));
  return std::visit([this](auto& one) { return answer(one); }, op);
}

// Faults.

MemoryStorage::Script& MemoryStorage::script() {
  if (!script_) script_ = std::make_unique<Script>();
  return *script_;
}
void MemoryStorage::fail_next(std::size_t op, Error error, std::size_t times) {
  const std::lock_guard lock(mutex_);
  auto& faults = script().faults[op];
  faults.insert(faults.end(), times, std::move(error));
}
void MemoryStorage::tear_next_append(std::size_t records) {
  const std::lock_guard lock(mutex_);
  script().torn_append = records;
}
std::optional<StoreError> MemoryStorage::take_fault(std::size_t op) {
  if (!script_ || script_->faults[op].empty()) return std::nullopt;
  auto& faults = script_->faults[op];
  Error first = std::move(faults.front());
  faults.erase(faults.begin());
  return first;
}
void MemoryStorage::damage_record(std::size_t index) {
  const std::lock_guard lock(mutex_);
  auto& stored = journal_.at(index);
  const std::array<std::uint8_t, 2> damaged{0xff, 0xff};
  bytes_used_ = bytes_used_ - stored->record.bytes.size() + damaged.size();
  stored = pool_->record({stored->record.kind, base::Buffer::copy_of(damaged)});
}
bool MemoryStorage::damage_chunk(const crypto::Sha256Digest& root, std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  if (find(root, index) == nullptr) return false;
  blobs_.at(root).chunks[static_cast<std::size_t>(index)].damaged = true;
  return true;
}
void MemoryStorage::drop_index() {
  const std::lock_guard lock(mutex_);
  index_ = {};
}
void MemoryStorage::truncate_journal(std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  while (journal_.size() > records) {
    bytes_used_ -= journal_.back()->record.bytes.size();
    journal_.pop_back();
  }
  remember_all();
}
void MemoryStorage::clear() {
  const std::lock_guard lock(mutex_);
  journal_.clear();
  by_id_.clear();
  blobs_.clear();
  index_ = {};
  bytes_used_ = 0;
}

// What is here.

std::vector<registry::JournalRecord> MemoryStorage::journal() const {
  const std::lock_guard lock(mutex_);
  std::vector<registry::JournalRecord> records;
  records.reserve(journal_.size());
  for (const auto& stored : journal_) records.push_back(stored->record);
  return records;
}
std::uint64_t MemoryStorage::journal_size() const {
  const std::lock_guard lock(mutex_);
  return journal_.size();
}
std::uint64_t MemoryStorage::bytes_used() const {
  const std::lock_guard lock(mutex_);
  return bytes_used_;
}
std::size_t MemoryStorage::runs(std::size_t op) const {
  const std::lock_guard lock(mutex_);
  return runs_[op];
}
bool MemoryStorage::holds(const crypto::Sha256Digest& root) const {
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(root);
  return found != blobs_.end() && found->second.is_full() &&
         std::ranges::none_of(found->second.chunks, &Chunk::damaged);
}

std::uint64_t MemoryStorage::transfer_of(const registry::StoreOp& op) const {
  const std::lock_guard lock(mutex_);
  const auto page = [this](std::uint64_t from) {
    std::uint64_t bytes = 0;
    const std::size_t end = page_end(from);
    for (auto i = static_cast<std::size_t>(from); i < end; ++i) {
      bytes += journal_[i]->record.bytes.size();
    }
    return bytes;
  };
  const base::Overloaded bytes{
      [&](const store::ReadJournal& read) { return page(read.from); },
      [](const store::Append& append) {
        std::uint64_t sum = 0;
        for (const auto& record : append.records) sum += record.bytes.size();
        return sum;
      },
      [](const store::CreateBlob& create) { return list_bytes(create.chunks.size()); },
      [](const store::WriteChunk& write) { return std::uint64_t{write.bytes.size()}; },
      [this](const store::ReadChunk& read) {
        const Chunk* chunk = find(read.root, read.index);
        return std::uint64_t{chunk == nullptr ? 0 : chunk->bytes.size()};
      },
      [this](const store::ReadList& read) {
        const auto at = blobs_.find(read.root);
        return at == blobs_.end() ? 0 : list_bytes(at->second.chunks.size());
      },
      [](const auto&) { return std::uint64_t{0}; }};
  return std::visit(bytes, op);
}
void MemoryStorage::import(const registry::Archive& archive,
                           std::vector<crypto::Sha256Digest> chunks, base::BytesView packed) {
  const std::lock_guard lock(mutex_);
  auto list = pool_->list(archive.root, std::move(chunks));
  GGEN_INVARIANT(list && (*list)->size() == archive.chunk_count());
  erase(archive.root);
  Blob& blob = blobs_[archive.root];
  recast(blob, archive);
  blob.list = std::move(*list);
  for (std::uint64_t i = 0; i < archive.chunk_count(); ++i) {
    const auto from = static_cast<std::size_t>(i * archive.chunk_size);
    auto bytes = base::Buffer::copy_of(packed.subspan(from, archive.chunk_bytes(i)));
    auto chunk = pool_->chunk((*blob.list)[static_cast<std::size_t>(i)], std::move(bytes));
    GGEN_INVARIANT(chunk);
    put(blob, i, std::move(*chunk));
  }
}

// The journal.

std::size_t MemoryStorage::page_end(std::uint64_t from) const {
  std::size_t at = static_cast<std::size_t>(std::min<std::uint64_t>(from, journal_.size()));
  std::size_t bytes = 0;
  for (; at < journal_.size() && bytes < kPageBytes; ++at) {
    bytes += journal_[at]->record.bytes.size();
  }
  return at;
}
StoreResult MemoryStorage::answer(const store::ReadJournal& op) {
  store::JournalPage page;
  const std::size_t end = page_end(op.from);
  for (auto i = static_cast<std::size_t>(std::min<std::uint64_t>(op.from, end)); i < end; ++i) {
    page.records.push_back(journal_[i]->record);
  }
  page.next = end;
  page.more = end < journal_.size();
  return page;
}

StoreResult MemoryStorage::answer(store::Append& op) {
  std::optional<std::size_t> torn;
  if (script_) torn = std::exchange(script_->torn_append, std::nullopt);
  const std::size_t count = std::min(torn.value_or(op.records.size()), op.records.size());
  for (std::size_t i = 0; i < count; ++i) {
    journal_.push_back(pool_->record(std::move(op.records[i])));
    bytes_used_ += journal_.back()->record.bytes.size();
    remember(journal_.back());
  }
  if (torn) return error(Error::Kind::kIo, "torn");
  return store::Appended{journal_.size()};
}
void MemoryStorage::remember(const Shared<StoredRecord>& stored) {
  if (!stored->id) return;
  const auto at = std::ranges::lower_bound(by_id_, *stored->id, std::less{}, id_of);
  if (at != by_id_.end() && id_of(*at) == *stored->id) {
    *at = stored;
  } else {
    by_id_.insert(at, stored);
  }
}
void MemoryStorage::remember_all() {
  by_id_.clear();
  // From behind, so that the last of each id is its first.
  for (auto at = journal_.rbegin(); at != journal_.rend(); ++at) {
    if ((*at)->id) by_id_.push_back(*at);
  }
  std::ranges::stable_sort(by_id_, std::less{}, id_of);
  const auto rest = std::ranges::unique(by_id_, std::equal_to{}, id_of);
  by_id_.erase(rest.begin(), rest.end());
}

StoreResult MemoryStorage::answer(const store::ReadEntries& op) {
  store::Entries found;
  for (const auto& id : op.ids) {
    auto& envelope = found.envelopes.emplace_back();
    const auto at = std::ranges::lower_bound(by_id_, id, std::less{}, id_of);
    if (at != by_id_.end() && id_of(*at) == id) envelope = (*at)->record.bytes;
  }
  return found;
}

// Archives.

store::Blob MemoryStorage::Blob::listed() const {
  registry::ChunkSet set(archive.chunk_count());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (!chunks[i].bytes.empty()) set.insert(i);
  }
  return {archive, std::move(set)};
}

const MemoryStorage::Chunk* MemoryStorage::find(const crypto::Sha256Digest& root,
                                                std::uint64_t index) const {
  const auto at = blobs_.find(root);
  if (at == blobs_.end() || index >= at->second.chunks.size()) return nullptr;
  const Chunk& chunk = at->second.chunks[static_cast<std::size_t>(index)];
  return chunk.bytes.empty() ? nullptr : &chunk;
}
void MemoryStorage::put(Blob& blob, std::uint64_t index, base::Buffer bytes) {
  drop(blob, index);
  ++blob.held;
  bytes_used_ += bytes.size();
  blob.chunks[static_cast<std::size_t>(index)].bytes = std::move(bytes);
}
void MemoryStorage::drop(Blob& blob, std::uint64_t index) {
  Chunk& chunk = blob.chunks[static_cast<std::size_t>(index)];
  if (!chunk.bytes.empty()) --blob.held;
  bytes_used_ -= chunk.bytes.size();
  chunk = {};
}
void MemoryStorage::erase(const crypto::Sha256Digest& root) {
  const auto at = blobs_.find(root);
  if (at == blobs_.end()) return;
  for (const Chunk& chunk : at->second.chunks) bytes_used_ -= chunk.bytes.size();
  bytes_used_ -= list_bytes(at->second.chunks.size());
  blobs_.erase(at);
}

// Whole archives are not read for a list.
StoreResult MemoryStorage::answer(const store::ListBlobs&) {
  store::Blobs all;
  for (auto& [root, blob] : blobs_) {
    const bool whole = blob.is_full();
    for (std::size_t i = 0; !whole && i < blob.chunks.size(); ++i) {
      if (blob.chunks[i].damaged) drop(blob, i);
    }
    all.blobs.push_back(blob.listed());
  }
  return all;
}
StoreResult MemoryStorage::answer(store::CreateBlob& op) {
  const bool fits = op.chunks.size() == op.archive.chunk_count();
  auto list = fits ? pool_->list(op.archive.root, std::move(op.chunks)) : std::nullopt;
  if (!list) return error(Error::Kind::kWrongHash, "the chunks are not those of the archive");
  Blob& blob = blobs_[op.archive.root];
  const bool is_new = blob.chunks.empty();
  if (!is_new && blob.is_full() && blob.archive.packed_size != op.archive.packed_size) {
    return error(Error::Kind::kWrongHash, "the archive has another size");
  }
  if (blob.archive != op.archive) recast(blob, op.archive);
  blob.list = std::move(*list);
  return blob.listed();
}
// Two entries may name one root and say different things of it: even how many chunks it has, when
// one of them takes inner nodes of the tree for chunks. What does not fit the last one is dropped.
void MemoryStorage::recast(Blob& blob, const registry::Archive& archive) {
  const auto count = static_cast<std::size_t>(archive.chunk_count());
  const bool same_count = blob.chunks.size() == count;
  for (std::size_t i = 0; i < blob.chunks.size(); ++i) {
    const bool fits = same_count && blob.chunks[i].bytes.size() == archive.chunk_bytes(i);
    if (!fits) drop(blob, i);
  }
  bytes_used_ -= list_bytes(blob.chunks.size());
  bytes_used_ += list_bytes(count);
  blob.chunks.resize(count);
  blob.archive = archive;
}
StoreResult MemoryStorage::answer(store::WriteChunk& op) {
  const auto at = blobs_.find(op.root);
  if (at == blobs_.end() || op.index >= at->second.chunks.size()) return missing();
  Blob& blob = at->second;
  std::optional<base::Buffer> chunk;
  if (op.bytes.size() == blob.archive.chunk_bytes(op.index)) {
    chunk = pool_->chunk((*blob.list)[static_cast<std::size_t>(op.index)], std::move(op.bytes));
  }
  if (!chunk) return error(Error::Kind::kWrongHash, "chunk " + std::to_string(op.index));
  put(blob, op.index, std::move(*chunk));
  return store::Done{};
}
StoreResult MemoryStorage::answer(const store::ReadChunk& op) {
  const Chunk* chunk = find(op.root, op.index);
  if (chunk == nullptr) return missing();
  if (!chunk->damaged) return store::Chunk{chunk->bytes};
  drop(blobs_.at(op.root), op.index);
  return error(Error::Kind::kCorrupt, "chunk " + std::to_string(op.index));
}
StoreResult MemoryStorage::answer(const store::ReadList& op) {
  const auto at = blobs_.find(op.root);
  if (at == blobs_.end()) return missing();
  return store::ChunkList{*at->second.list};
}
StoreResult MemoryStorage::answer(const store::RemoveBlob& op) {
  erase(op.root);
  return store::Done{};
}

// The index.

StoreResult MemoryStorage::answer(const store::IndexPosition&) {
  return store::Position{index_.position()};
}
StoreResult MemoryStorage::answer(const store::IndexApply& op) {
  index_.apply(op, *pool_);
  return store::Done{};
}
StoreResult MemoryStorage::answer(const store::IndexQuery& op) {
  return index_.query(op.query);
}

}  // namespace ggen::p2p::sim
