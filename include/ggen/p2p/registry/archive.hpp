#pragma once

#include <cstddef>
#include <cstdint>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::registry {

/// What a publish entry says of its archive: a deterministic tar, compressed, of which the
/// compressed bytes are cut into chunks of `chunk_size`, the last one shorter.
///
/// The usual chunk is 256 KiB: one fits the window that yamux opens a stream with, so that a
/// request never waits for credit; a bad one costs little and is blamed on the peer that sent it;
/// and the hash list takes 1/8192 of the archive. The entry states the size, and only large
/// archives have a larger one, because the hash list is bounded.
struct Archive {
  std::uint64_t packed_size = 0;  ///< bytes of the compressed archive
  std::uint64_t tar_size = 0;     ///< bytes of the tar itself: whoever unpacks stops there
  std::uint32_t chunk_size = 0;
  crypto::Sha256Digest tar_hash{};  ///< SHA-256 of the uncompressed tar
  crypto::Sha256Digest root{};      ///< Merkle root of the chunks (merkle.hpp)

  static constexpr std::uint32_t kUsualChunk = 256 * 1024;
  static constexpr std::uint32_t kLargestChunk = 16 * 1024 * 1024;
  /// The hash list of an archive takes at most 2 MiB.
  static constexpr std::uint64_t kMaxChunks = 64 * 1024;
  /// 1 TiB: the most that kMaxChunks of the largest size can be.
  static constexpr std::uint64_t kMaxSize = kMaxChunks * kLargestChunk;

  /// The chunk size for an archive of so many bytes, at most kMaxSize: kUsualChunk, doubled until
  /// there are at most kMaxChunks.
  [[nodiscard]] static std::uint32_t chunk_size_for(std::uint64_t packed_size) noexcept;

  /// Sizes are not 0 and at most kMaxSize; the chunk size is what chunk_size_for says. Everything
  /// below asks for a valid archive.
  [[nodiscard]] bool is_valid() const noexcept;
  [[nodiscard]] std::uint64_t chunk_count() const noexcept;
  /// Bytes of one chunk; `index` is below chunk_count().
  [[nodiscard]] std::uint32_t chunk_bytes(std::uint64_t index) const noexcept;

  bool operator==(const Archive&) const = default;
};

/// The key of an archive in the DHT, under which those who hold it are found: the multihash of its
/// root.
[[nodiscard]] base::Bytes provider_key(const crypto::Sha256Digest& root);

}  // namespace ggen::p2p::registry
