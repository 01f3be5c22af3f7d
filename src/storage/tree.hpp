#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <ggen/p2p/storage/failure.hpp>
#include <ggen/p2p/storage/pack.hpp>

namespace ggen::p2p::storage {

// What a directory holds, before it is packed.
struct TreeItem {
  enum class Kind : std::uint8_t { kFile, kFolder, kLink };
  std::string path;  // relative to the directory
  Kind kind{};
  std::string target{};  // of a link
  struct stat about{};
};

// Lists a directory: every path in the order of its bytes, so that folders come before what is in
// them. Refuses what no archive may hold. Leaves out `.git`.
[[nodiscard]] std::expected<std::vector<TreeItem>, Failure> list_tree(
    const std::filesystem::path& directory, const ArchiveLimits& limits);

}  // namespace ggen::p2p::storage
