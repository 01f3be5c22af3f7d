#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>

#include "file.hpp"

// The file beside an archive's data: the archive's fields, a check, and the hashes of its chunks.
namespace ggen::p2p::storage {

struct ChunkListFile {
  registry::Archive archive;
  std::vector<crypto::Sha256Digest> chunks;
};

// True when these are the hashes of an archive: as many as it has chunks, and of its root.
[[nodiscard]] bool belong_to(const registry::Archive& archive,
                             std::span<const crypto::Sha256Digest> chunks);

[[nodiscard]] Outcome<> write_chunk_list(const std::filesystem::path& path,
                                         const registry::Archive& archive,
                                         std::span<const crypto::Sha256Digest> chunks);
// kCorrupt when it is not what was written.
[[nodiscard]] Outcome<ChunkListFile> read_chunk_list_file(const std::filesystem::path& path);
// One hash of it, unchecked: whoever hashes the chunk sees whether it is right.
[[nodiscard]] Outcome<crypto::Sha256Digest> read_chunk_hash(const std::filesystem::path& path,
                                                            std::uint64_t index);

}  // namespace ggen::p2p::storage
