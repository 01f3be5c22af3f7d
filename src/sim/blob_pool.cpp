#include <algorithm>
#include <tuple>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/sim/blob_pool.hpp>

namespace ggen::p2p::sim {

namespace {

// What a node of a map and the block of a Shared take beside the value, about.
constexpr std::size_t kNode = 112;

std::size_t size_of(const StoredRecord& stored) {
  return kNode + sizeof stored + stored.record.bytes.footprint();
}
std::size_t size_of(const ChunkHashes& hashes) {
  return kNode + hashes.size() * sizeof(crypto::Sha256Digest);
}
std::size_t size_of(const base::Buffer& chunk) {
  return kNode + chunk.footprint();
}
std::size_t size_of(const StoredRelease& release) {
  std::size_t bytes = kNode + sizeof release + release.add.description.size();
  for (const auto& field : release.fields) {
    bytes += sizeof field + field.text.size() * sizeof(std::string);
  }
  return bytes;
}

bool same(const registry::IndexAdd& a, const registry::IndexAdd& b) {
  const auto all = [](const registry::IndexAdd& add) {
    return std::tie(add.entry, add.publisher, add.seq, add.name, add.version, add.description,
                    add.category, add.tags, add.authors);
  };
  return all(a) == all(b);
}

// Without the rest of a larger block that the bytes came in.
base::Buffer compact(base::Buffer bytes) {
  constexpr std::size_t kSlack = 256;  // the smallest block there is
  if (bytes.footprint() <= 2 * bytes.size() + kSlack) return bytes;
  return base::Buffer::copy_of(bytes.view());
}

bool equal(const base::Buffer& a, const base::Buffer& b) {
  const bool one = a.data() == b.data() && a.size() == b.size();
  return one || base::equal(a.view(), b.view());
}

}  // namespace

Shared<StoredRecord> BlobPool::record(registry::JournalRecord record) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find({record.kind, base::as_text(record.bytes.view())});
  if (found != records_.end()) return found->second;
  record.bytes = compact(std::move(record.bytes));
  auto stored = Shared<StoredRecord>::make(std::move(record));
  grow(size_of(*stored));
  const RecordKey key{stored->record.kind, base::as_text(stored->record.bytes.view())};
  records_.emplace(key, stored);
  return stored;
}

Shared<StoredRelease> BlobPool::release(const registry::IndexAdd& add) {
  const std::lock_guard lock(mutex_);
  const auto found = releases_.find(add.entry);
  if (found != releases_.end() && same(found->second->add, add)) return found->second;
  auto stored = Shared<StoredRelease>::make(add);
  grow(size_of(*stored));
  releases_.insert_or_assign(add.entry, stored);
  return stored;
}

std::optional<Shared<ChunkHashes>> BlobPool::list(const crypto::Sha256Digest& root,
                                                  ChunkHashes hashes) {
  const std::lock_guard lock(mutex_);
  const auto found = lists_.find(root);
  if (found != lists_.end() && *found->second == hashes) return found->second;
  if (registry::merkle_root(hashes) != root) return std::nullopt;
  auto stored = Shared<ChunkHashes>::make(std::move(hashes));
  grow(size_of(*stored));
  lists_.insert_or_assign(root, stored);
  return stored;
}

std::optional<base::Buffer> BlobPool::chunk(const crypto::Sha256Digest& hash, base::Buffer bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = chunks_.find(hash);
  if (found != chunks_.end() && equal(found->second, bytes)) return found->second;
  ++hashed_;
  if (registry::chunk_hash(bytes.view()) != hash) return std::nullopt;
  bytes = compact(std::move(bytes));
  grow(size_of(bytes));
  chunks_.insert_or_assign(hash, bytes);
  return bytes;
}

void BlobPool::sweep() {
  const std::lock_guard lock(mutex_);
  drop_unheld();
}

// Before something is added: whoever asked for it does not hold it yet.
void BlobPool::grow(std::size_t bytes) {
  if (added_ >= std::max(kSweepBytes, kept_)) drop_unheld();
  added_ += bytes;
}

void BlobPool::drop_unheld() {
  const auto unheld = [](const auto& item) { return item.second.unique(); };
  std::erase_if(records_, unheld);
  std::erase_if(releases_, unheld);
  std::erase_if(lists_, unheld);
  std::erase_if(chunks_, unheld);
  kept_ = footprint();
  added_ = 0;
}

std::size_t BlobPool::footprint() const {
  std::size_t bytes = 0;
  for (const auto& [key, record] : records_) bytes += size_of(*record);
  for (const auto& [key, release] : releases_) bytes += size_of(*release);
  for (const auto& [key, hashes] : lists_) bytes += size_of(*hashes);
  for (const auto& [key, chunk] : chunks_) bytes += size_of(chunk);
  return bytes;
}

BlobPool::Stats BlobPool::stats() const {
  const std::lock_guard lock(mutex_);
  return {records_.size(), releases_.size(), lists_.size(), chunks_.size(), footprint(), hashed_};
}

}  // namespace ggen::p2p::sim
