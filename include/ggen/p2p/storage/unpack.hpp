#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/storage/failure.hpp>
#include <ggen/p2p/storage/pack.hpp>

namespace ggen::p2p::storage {

/// Gives packed bytes in their order, a piece at each call; an empty piece is the end.
using PackedSource = std::function<std::expected<base::Buffer, Failure>()>;

/// The packed bytes of a whole archive in a store: each chunk is verified as it is read. `storage`
/// outlives the source.
[[nodiscard]] PackedSource read_blob(registry::Storage& storage, const registry::Archive& archive);
/// The bytes of a file.
[[nodiscard]] PackedSource read_file(const std::filesystem::path& file);

struct Unpacked {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  ///< of all files
};

/// Unpacks an archive into `destination`: a folder that does not exist, or is empty. Its parent
/// must exist.
///
/// Everything is written to a folder beside it, `.<name>.unpack-XXXXXX`, which takes the name of
/// the destination when all has been found as the entry says: the size and hash of the tar. On
/// failure it is removed and the destination is as before.
///
/// An archive may be anybody's, so only what pack() makes is taken: files, directories before what
/// is in them, and symbolic links that stay inside. Refused are absolute paths, `..`, paths that
/// come twice or lead through a link, links that leave the folder, hard links, devices, sparse
/// files, names that are no UTF-8 or hold control characters, and whatever goes beyond `limits`.
/// Not more than archive.tar_size bytes are decompressed, in constant memory.
///
/// Files get mode 0644 or 0755, directories 0755. Blocks; thread-safe for different destinations.
[[nodiscard]] std::expected<Unpacked, Failure> unpack(const PackedSource& source,
                                                      const registry::Archive& archive,
                                                      const std::filesystem::path& destination,
                                                      const Progress& progress = {},
                                                      const ArchiveLimits& limits = {});

}  // namespace ggen::p2p::storage
