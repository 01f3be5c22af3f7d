#include <algorithm>

#include <ggen/p2p/multiformats/multihash.hpp>
#include <ggen/p2p/registry/archive.hpp>

namespace ggen::p2p::registry {

std::uint32_t Archive::chunk_size_for(std::uint64_t packed_size) noexcept {
  std::uint32_t size = kUsualChunk;
  while (size < kLargestChunk && size * kMaxChunks < packed_size) size *= 2;
  return size;
}

bool Archive::is_valid() const noexcept {
  return packed_size > 0 && packed_size <= kMaxSize && tar_size > 0 && tar_size <= kMaxSize &&
         chunk_size == chunk_size_for(packed_size);
}

std::uint64_t Archive::chunk_count() const noexcept {
  return (packed_size + chunk_size - 1) / chunk_size;
}

std::uint32_t Archive::chunk_bytes(std::uint64_t index) const noexcept {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(chunk_size, packed_size - index * chunk_size));
}

base::Bytes provider_key(const crypto::Sha256Digest& root) {
  base::Bytes key{multiformats::Multihash::kSha2_256, static_cast<std::uint8_t>(root.size())};
  base::append(key, root);
  return key;
}

}  // namespace ggen::p2p::registry
