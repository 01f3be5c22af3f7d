#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/storage.hpp>

namespace ggen::p2p::registry {

/// Roots are hashes already: any of their bytes spread well.
struct RootHash {
  std::size_t operator()(const crypto::Sha256Digest& root) const noexcept;
};

/// Which archives the store holds, whole or in part, as the storage has told.
class Archives {
 public:
  /// Archives that are known at a time: a few hundred bytes each, and 8 KiB for the largest ones.
  static constexpr std::size_t kMaxArchives = 16 * 1024;

  explicit Archives(std::size_t max_archives = kMaxArchives) : max_archives_(max_archives) {}

  /// What the store held at the start.
  void load(store::Blobs blobs);
  /// What the store holds of an archive, as CreateBlob told. Chunks that were written since stay.
  /// False when there are too many archives.
  bool create(store::Blob blob);
  /// The whole archive is in the store. False when there are too many.
  bool add_whole(const Archive& archive);
  /// A chunk is in the store, or no longer. Nothing happens when the archive is not known.
  void chunk_written(const crypto::Sha256Digest& root, std::uint64_t index);
  void chunk_lost(const crypto::Sha256Digest& root, std::uint64_t index);
  void remove(const crypto::Sha256Digest& root);

  /// Null when nothing is held. Valid until the next change.
  [[nodiscard]] const store::Blob* find(const crypto::Sha256Digest& root) const;
  [[nodiscard]] bool is_whole(const crypto::Sha256Digest& root) const;
  [[nodiscard]] bool is_full() const noexcept { return blobs_.size() >= max_archives_; }
  /// All of them, in the order of their roots. Valid until the next change.
  [[nodiscard]] std::vector<const store::Blob*> all() const;

  [[nodiscard]] std::size_t whole() const noexcept { return whole_; }
  [[nodiscard]] std::size_t partial() const noexcept { return blobs_.size() - whole_; }
  /// Bytes of all chunks held.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  // Takes what a blob counts for into the sums, or out of them.
  void count(const store::Blob& blob);
  void discount(const store::Blob& blob);

  std::size_t max_archives_;
  base::HashMap<crypto::Sha256Digest, store::Blob, RootHash> blobs_;
  std::size_t whole_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace ggen::p2p::registry
