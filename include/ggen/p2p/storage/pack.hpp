#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <vector>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/metadata.hpp>
#include <ggen/p2p/storage/failure.hpp>

namespace ggen::p2p::storage {

/// What an archive may hold at most. What pack() makes, unpack() takes.
struct ArchiveLimits {
  std::uint64_t tar_size = 64ULL * 1024 * 1024 * 1024;  ///< bytes of the tar
  std::size_t entries = 1'000'000;                      ///< files, directories and links
  std::size_t path = 1024;                              ///< bytes of a path, or of a link's target
  std::size_t depth = 64;                               ///< parts of a path
};

/// Told how far the work is, in bytes of `total`, from time to time and on the calling thread.
/// False ends the work with Failure::Kind::kCancelled.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

/// A directory that was packed.
struct Packed {
  registry::Metadata metadata;
  registry::Archive archive;
  std::vector<crypto::Sha256Digest> chunks{};  ///< the hashes of the packed file's chunks
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  ///< of all files
};

/// Packs a directory with a manifest into `out`, which is replaced, and which is removed again on
/// failure. Takes constant memory beside the list of paths.
///
/// The same directory gives the same tar on any machine: paths in the order of their bytes, no
/// owners, no times; of a file's permissions only whether its owner may execute it. Hard links are
/// packed as files of their own. Everything in the directory is packed but what is named `.git`.
/// Symbolic links are kept when they stay inside the directory; those that leave it, sockets, pipes
/// and devices, and names that are no UTF-8 or hold control characters are errors, because whoever
/// unpacks refuses them. So is a file that changes meanwhile.
///
/// Thread-safe for different `out`; blocks for as long as reading and compressing takes.
[[nodiscard]] std::expected<Packed, Failure> pack(const std::filesystem::path& directory,
                                                  const std::filesystem::path& out,
                                                  const Progress& progress = {},
                                                  const ArchiveLimits& limits = {});

}  // namespace ggen::p2p::storage
