#include "file.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ggen::p2p::storage {

using registry::StoreError;

namespace {

std::unexpected<StoreError> failed(std::string_view what, const std::filesystem::path& path) {
  return std::unexpected(os_error(what, path, errno));
}

}  // namespace

StoreError os_error(std::string_view what, const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  const auto kind = full              ? StoreError::Kind::kFull
                    : error == ENOENT ? StoreError::Kind::kMissing
                                      : StoreError::Kind::kIo;
  std::string detail = "cannot ";
  detail.append(what).append(" ").append(path.native()).append(": ");
  detail.append(std::generic_category().message(error));
  return {kind, std::move(detail)};
}

Failure as_failure(const StoreError& error) {
  switch (error.kind) {
    case StoreError::Kind::kFull:
      return {Failure::Kind::kFull, error.detail};
    case StoreError::Kind::kMissing:
      return {Failure::Kind::kNotFound, error.detail};
    case StoreError::Kind::kCorrupt:
      return {Failure::Kind::kDamaged, error.detail};
    default:
      return {Failure::Kind::kIo, error.detail};
  }
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome<File> File::open(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) return failed("open", path);
  return File(fd, path);
}

Outcome<File> File::open_at(int folder, const std::string& name, int flags) {
  const int fd = ::openat(folder, name.c_str(), flags | O_CLOEXEC, 0600);
  if (fd >= 0) return File(fd, name);
  const int error = errno;
  auto why = failed("open", name);
  errno = error;
  return why;
}

Outcome<std::uint64_t> File::size() const {
  struct stat about{};
  if (::fstat(fd_, &about) != 0) return failed("look at", path_);
  return static_cast<std::uint64_t>(about.st_size);
}

Outcome<std::size_t> File::read(std::uint64_t at, base::MutableBytes to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto offset = static_cast<off_t>(at + done);
    const ssize_t got = ::pread(fd_, to.data() + done, to.size() - done, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", path_);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Outcome<> File::write(std::uint64_t at, base::BytesView bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("write to", path_);
    at += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Outcome<> File::truncate(std::uint64_t size) const {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed("set the size of", path_);
  return {};
}

Outcome<> File::sync() const {
  if (::fdatasync(fd_) != 0) return failed("write to", path_);
  return {};
}

Outcome<> replace_file(const std::filesystem::path& path, base::BytesView bytes) {
  std::filesystem::path fresh = path;
  fresh += ".tmp";
  auto file = File::open(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return std::unexpected(std::move(file.error()));
  auto done = file->write(0, bytes);
  if (done) done = file->sync();
  if (done) done = rename_file(fresh, path);
  if (!done) ::unlink(fresh.c_str());
  return done;
}

Outcome<> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from);
  auto synced = sync_folder(to.parent_path());
  if (synced && from.parent_path() != to.parent_path()) synced = sync_folder(from.parent_path());
  return synced;
}

Outcome<> remove_file(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove", path);
  return {};
}

Outcome<> sync_folder(const std::filesystem::path& folder) {
  auto opened = File::open(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return std::unexpected(std::move(opened.error()));
  if (::fsync(opened->fd()) != 0) return failed("write to", folder);
  return {};
}

}  // namespace ggen::p2p::storage
