#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string_view>

#include <ggen/p2p/registry/metadata.hpp>
#include <ggen/p2p/storage/failure.hpp>

namespace ggen::p2p::storage {

inline constexpr std::string_view kManifestFile = "ggen.toml";
/// Bytes of a manifest.
inline constexpr std::size_t kMaxManifest = 256 * 1024;

/// Reads `ggen.toml` in a directory. A failure names the file, the line and the key. A key or table
/// that no manifest has is an error too, which suggests the nearest that one has: a typing mistake
/// must not publish a package without what was meant.
[[nodiscard]] std::expected<registry::Metadata, Failure> read_manifest_file(
    const std::filesystem::path& directory);

/// The same for text that was read already; `file` is what messages call it.
[[nodiscard]] std::expected<registry::Metadata, Failure> parse_manifest(std::string_view text,
                                                                        std::string_view file);

}  // namespace ggen::p2p::storage
