#include "archives.hpp"

#include <cstring>
#include <utility>

namespace ggen::p2p::registry {
namespace {

// All chunks but the last are of one size.
std::uint64_t held_bytes(const store::Blob& blob) {
  const Archive& archive = blob.archive;
  const std::uint64_t last = archive.chunk_count() - 1;
  const std::uint64_t full = blob.held.held() * archive.chunk_size;
  return blob.held.has(last) ? full - archive.chunk_size + archive.chunk_bytes(last) : full;
}

ChunkSet without(const ChunkSet& chunks, std::uint64_t index) {
  ChunkSet rest(chunks.count());
  for (std::uint64_t i = 0; i < chunks.count(); ++i) {
    if (i != index && chunks.has(i)) rest.insert(i);
  }
  return rest;
}

}  // namespace

std::size_t RootHash::operator()(const crypto::Sha256Digest& root) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, root.data(), sizeof(hash));
  return hash;
}

void Archives::count(const store::Blob& blob) {
  whole_ += blob.held.is_full() ? 1 : 0;
  bytes_ += held_bytes(blob);
}

void Archives::discount(const store::Blob& blob) {
  whole_ -= blob.held.is_full() ? 1 : 0;
  bytes_ -= held_bytes(blob);
}

void Archives::load(store::Blobs blobs) {
  for (store::Blob& blob : blobs.blobs) create(std::move(blob));
}

bool Archives::create(store::Blob blob) {
  const store::Blob* known = blobs_.find(blob.archive.root);
  if (known == nullptr && is_full()) return false;
  if (known != nullptr) {
    // The store answers in any order: a chunk written in the meantime is not in what it told.
    for (std::uint64_t i = 0; i < blob.held.count(); ++i) {
      if (known->held.has(i)) blob.held.insert(i);
    }
    remove(blob.archive.root);
  }
  count(blob);
  const crypto::Sha256Digest root = blob.archive.root;
  blobs_.try_emplace(root, std::move(blob));
  return true;
}

bool Archives::add_whole(const Archive& archive) {
  ChunkSet all(archive.chunk_count());
  for (std::uint64_t i = 0; i < all.count(); ++i) all.insert(i);
  return create({archive, std::move(all)});
}

void Archives::chunk_written(const crypto::Sha256Digest& root, std::uint64_t index) {
  store::Blob* blob = blobs_.find(root);
  if (blob == nullptr || index >= blob->held.count()) return;
  discount(*blob);
  blob->held.insert(index);
  count(*blob);
}

void Archives::chunk_lost(const crypto::Sha256Digest& root, std::uint64_t index) {
  store::Blob* blob = blobs_.find(root);
  if (blob == nullptr || !blob->held.has(index)) return;
  discount(*blob);
  blob->held = without(blob->held, index);
  count(*blob);
}

void Archives::remove(const crypto::Sha256Digest& root) {
  const store::Blob* blob = blobs_.find(root);
  if (blob == nullptr) return;
  discount(*blob);
  blobs_.erase(root);
}

const store::Blob* Archives::find(const crypto::Sha256Digest& root) const {
  return blobs_.find(root);
}

bool Archives::is_whole(const crypto::Sha256Digest& root) const {
  const store::Blob* blob = find(root);
  return blob != nullptr && blob->held.is_full();
}

std::vector<const store::Blob*> Archives::all() const {
  std::vector<const store::Blob*> blobs;
  blobs.reserve(blobs_.size());
  for (const auto* entry : blobs_.sorted()) blobs.push_back(&entry->second);
  return blobs;
}

}  // namespace ggen::p2p::registry
