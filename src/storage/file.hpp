#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/storage/failure.hpp>

namespace ggen::p2p::storage {

template <class T = void>
using Outcome = std::expected<T, registry::StoreError>;

// What errno says of a file. A full disk, a quota and a limit of the process on file sizes are the
// same to whoever wants to write.
[[nodiscard]] registry::StoreError os_error(std::string_view what,
                                            const std::filesystem::path& path, int error);
[[nodiscard]] Failure as_failure(const registry::StoreError& error);

// An open file. All operations name a position, so that threads can share it.
class File {
 public:
  File() noexcept = default;
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~File();

  // `flags` are those of open(2); a new file gets mode 0600.
  [[nodiscard]] static Outcome<File> open(const std::filesystem::path& path, int flags);
  // The same below an open folder. After a failure errno says why.
  [[nodiscard]] static Outcome<File> open_at(int folder, const std::string& name, int flags);

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] Outcome<std::uint64_t> size() const;
  // Reads until `to` is full or the file ends; returns how many bytes.
  [[nodiscard]] Outcome<std::size_t> read(std::uint64_t at, base::MutableBytes to) const;
  [[nodiscard]] Outcome<> write(std::uint64_t at, base::BytesView bytes) const;
  [[nodiscard]] Outcome<> truncate(std::uint64_t size) const;
  // Waits until the contents are on the disk.
  [[nodiscard]] Outcome<> sync() const;

 private:
  File(int fd, std::filesystem::path path) noexcept : fd_(fd), path_(std::move(path)) {}

  int fd_ = -1;
  std::filesystem::path path_;
};

// Replaces a file as a whole: what is there after a crash is the old contents or the new.
[[nodiscard]] Outcome<> replace_file(const std::filesystem::path& path, base::BytesView bytes);
// Renames durably. Both paths are in one file system.
[[nodiscard]] Outcome<> rename_file(const std::filesystem::path& from,
                                    const std::filesystem::path& to);
// Removes a file; nothing happens when there is none.
[[nodiscard]] Outcome<> remove_file(const std::filesystem::path& path);
// Waits until the names in a folder are on the disk.
[[nodiscard]] Outcome<> sync_folder(const std::filesystem::path& folder);

}  // namespace ggen::p2p::storage
