#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/storage/failure.hpp>

namespace ggen::p2p::storage {

/// A store in a folder:
///
/// | path                  | what                                                                 |
/// |-----------------------|----------------------------------------------------------------------|
/// | `lock`                | locked while a process has the store open; holds its id              |
/// | `journal`             | the signed entries, append-only                                      |
/// | `blobs/<root>.list`   | an archive's fields and the hashes of its chunks                     |
/// | `blobs/<root>.part`   | its packed bytes as far as they are here                             |
/// | `blobs/<root>.data`   | its packed bytes, when all are here                                  |
/// | `index.sqlite`        | the full-text index, made anew when it is missing or damaged         |
/// | `scratch/`            | what is being made; emptied at the start                             |
///
/// A damaged record of the journal is skipped. What a crash left half-written at its end is moved
/// to `journal.cut-<position>`.
///
/// Searches: each word must begin a token of the name, tags, category, authors or description of
/// one release; upper and lower case and accents make no difference, and a word of several tokens,
/// such as `left-pad`, must find them one behind the other. `leftpad` finds `left-pad` too.
///
/// run() and import() may be called from several threads.
class DiskStorage final : public registry::Storage {
 public:
  /// Opens the store in a folder, which is created if need be, with mode 0700; its parent must
  /// exist. Reads the whole journal.
  [[nodiscard]] static std::expected<std::unique_ptr<DiskStorage>, Failure> open(
      const std::filesystem::path& folder);
  ~DiskStorage() override;

  [[nodiscard]] registry::StoreResult run(registry::StoreOp op) override;

  /// Takes a file that pack() made, with what pack() said of it, as a whole archive. The file is
  /// moved, or copied and removed when it is on another file system; durable on return. On failure
  /// the file is still there.
  [[nodiscard]] std::expected<void, registry::StoreError> import(
      const registry::Archive& archive, std::span<const crypto::Sha256Digest> chunks,
      const std::filesystem::path& packed);

  /// Places of the journal that open() could not read, with good records behind them: for logs.
  [[nodiscard]] std::size_t journal_damage() const noexcept;
  /// Where pack() can write to, so that import() has only to move: in the store's folder. Emptied
  /// by open().
  [[nodiscard]] std::filesystem::path scratch_folder() const;

 private:
  struct Parts;
  explicit DiskStorage(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace ggen::p2p::storage
