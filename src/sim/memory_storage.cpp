#include <algorithm>
#include <string>

#include <ggen/p2p/crypto/signed_envelope.hpp>
#include <ggen/p2p/registry/merkle.hpp>
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

}  // namespace

StoreResult MemoryStorage::run(registry::StoreOp op) {
  const std::lock_guard lock(mutex_);
  ++runs_[op.index()];
  if (auto fault = take_fault(op.index())) return std::unexpected(std::move(*fault));
  return std::visit([this](auto& one) { return answer(one); }, op);
}

void MemoryStorage::fail_next(std::size_t op, Error error, std::size_t times) {
  const std::lock_guard lock(mutex_);
  auto& faults = faults_[op];
  faults.insert(faults.end(), times, std::move(error));
}
void MemoryStorage::tear_next_append(std::size_t records) {
  const std::lock_guard lock(mutex_);
  torn_append_ = records;
}
void MemoryStorage::damage_record(std::size_t index) {
  const std::lock_guard lock(mutex_);
  journal_.at(index).bytes = base::Buffer::copy_of(std::vector<std::uint8_t>{0xff, 0xff});
}
void MemoryStorage::damage_chunk(const crypto::Sha256Digest& root, std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  auto& bytes = blobs_.at(root).data.at(index);
  base::Bytes changed = base::to_bytes(bytes.view());
  changed.at(0) ^= 1;
  bytes = base::Buffer::copy_of(changed);
}
void MemoryStorage::drop_index() {
  const std::lock_guard lock(mutex_);
  index_ = {};
}

std::vector<registry::JournalRecord> MemoryStorage::journal() const {
  const std::lock_guard lock(mutex_);
  return journal_;
}
std::size_t MemoryStorage::runs(std::size_t op) const {
  const std::lock_guard lock(mutex_);
  const auto at = runs_.find(op);
  return at == runs_.end() ? 0 : at->second;
}
void MemoryStorage::import(const registry::Archive& archive,
                           std::vector<crypto::Sha256Digest> chunks, base::BytesView packed) {
  const std::lock_guard lock(mutex_);
  Blob blob{archive, std::move(chunks), {}};
  for (std::uint64_t i = 0; i < archive.chunk_count(); ++i) {
    const auto from = static_cast<std::size_t>(i * archive.chunk_size);
    blob.data.emplace(i, base::Buffer::copy_of(packed.subspan(from, archive.chunk_bytes(i))));
  }
  blobs_.insert_or_assign(archive.root, std::move(blob));
}

store::Blob MemoryStorage::Blob::listed() const {
  registry::ChunkSet held(archive.chunk_count());
  for (const auto& [index, bytes] : data) held.insert(index);
  return {archive, std::move(held)};
}

std::optional<StoreError> MemoryStorage::take_fault(std::size_t op) {
  auto& faults = faults_[op];
  if (faults.empty()) return std::nullopt;
  Error first = std::move(faults.front());
  faults.erase(faults.begin());
  return first;
}

StoreResult MemoryStorage::answer(const store::ReadJournal& op) {
  store::JournalPage page;
  std::size_t bytes = 0;
  std::uint64_t at = op.from;
  for (; at < journal_.size() && bytes < kPageBytes; ++at) {
    page.records.push_back(journal_[static_cast<std::size_t>(at)]);
    bytes += page.records.back().bytes.size();
  }
  page.next = std::min<std::uint64_t>(at, journal_.size());
  page.more = page.next < journal_.size();
  return page;
}

StoreResult MemoryStorage::answer(store::Append& op) {
  const std::size_t count = std::min(torn_append_.value_or(op.records.size()), op.records.size());
  for (std::size_t i = 0; i < count; ++i) {
    auto& record = op.records[i];
    if (record.kind == registry::JournalRecord::Kind::kEntry) remember(record.bytes);
    journal_.push_back(std::move(record));
  }
  if (std::exchange(torn_append_, std::nullopt)) return error(Error::Kind::kIo, "torn");
  return store::Appended{journal_.size()};
}
// Nothing for bytes that are no envelope: they are kept, but nobody can ask for them.
void MemoryStorage::remember(const base::Buffer& envelope) {
  const auto decoded = crypto::SignedEnvelope::decode(envelope.view());
  if (!decoded) return;
  entries_.insert_or_assign(registry::EntryId{crypto::sha256(decoded->payload)}, envelope);
}

StoreResult MemoryStorage::answer(const store::ReadEntries& op) {
  store::Entries found;
  for (const auto& id : op.ids) {
    const auto at = entries_.find(id);
    found.envelopes.push_back(at == entries_.end() ? std::nullopt : std::optional(at->second));
  }
  return found;
}

StoreResult MemoryStorage::answer(const store::ListBlobs&) {
  store::Blobs all;
  for (const auto& [root, blob] : blobs_) all.blobs.push_back(blob.listed());
  return all;
}
StoreResult MemoryStorage::answer(store::CreateBlob& op) {
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
StoreResult MemoryStorage::answer(store::WriteChunk& op) {
  const auto at = blobs_.find(op.root);
  if (at == blobs_.end() || op.index >= at->second.chunks.size()) return missing();
  Blob& blob = at->second;
  if (op.bytes.size() != blob.archive.chunk_bytes(op.index) ||
      registry::chunk_hash(op.bytes.view()) != blob.chunks[static_cast<std::size_t>(op.index)]) {
    return error(Error::Kind::kWrongHash, "chunk " + std::to_string(op.index));
  }
  blob.data.insert_or_assign(op.index, std::move(op.bytes));
  return store::Done{};
}
StoreResult MemoryStorage::answer(const store::ReadChunk& op) {
  const auto at = blobs_.find(op.root);
  if (at == blobs_.end()) return missing();
  const auto chunk = at->second.data.find(op.index);
  if (chunk == at->second.data.end()) return missing();
  const auto& hash = at->second.chunks[static_cast<std::size_t>(op.index)];
  if (registry::chunk_hash(chunk->second.view()) != hash) {
    at->second.data.erase(chunk);
    return error(Error::Kind::kCorrupt, "chunk " + std::to_string(op.index));
  }
  return store::Chunk{chunk->second};
}
StoreResult MemoryStorage::answer(const store::ReadList& op) {
  const auto at = blobs_.find(op.root);
  if (at == blobs_.end()) return missing();
  return store::ChunkList{at->second.chunks};
}
StoreResult MemoryStorage::answer(const store::RemoveBlob& op) {
  blobs_.erase(op.root);
  return store::Done{};
}

StoreResult MemoryStorage::answer(const store::IndexPosition&) {
  return store::Position{index_.position()};
}
StoreResult MemoryStorage::answer(const store::IndexApply& op) {
  index_.apply(op);
  return store::Done{};
}
StoreResult MemoryStorage::answer(const store::IndexQuery& op) {
  return index_.query(op.query);
}

}  // namespace ggen::p2p::sim
