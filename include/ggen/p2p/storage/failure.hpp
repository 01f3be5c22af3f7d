#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ggen::p2p::storage {

/// Why something with files came to nothing.
struct Failure {
  enum class Kind : std::uint8_t {
    kIo,            ///< the system refused: permissions, a disk that fails
    kFull,          ///< no room on the disk
    kInUse,         ///< another process has the store open
    kDamaged,       ///< the store cannot be read, and what to do is said
    kTooNew,        ///< a newer program made the store
    kNotFound,      ///< no such file or directory
    kBadManifest,   ///< `ggen.toml` is missing, no TOML, or says what it may not
    kBadTree,       ///< the directory holds what no package may
    kChanged,       ///< a file changed while it was packed
    kBadArchive,    ///< the archive is not what its entry says, or no archive that we make
    kUnsafe,        ///< the archive would write outside its folder, or holds what is never unpacked
    kTooLarge,      ///< beyond ArchiveLimits
    kTargetExists,  ///< the destination is there already
    kCancelled,     ///< the caller's Progress said so
  };
  Kind kind{};
  /// What, where and what to do next, for a person; may be printed on any terminal.
  std::string message{};
};
/// A short name, such as `in-use`, for machines to read.
[[nodiscard]] std::string_view to_string(Failure::Kind kind) noexcept;

}  // namespace ggen::p2p::storage
