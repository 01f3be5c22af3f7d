#include "home.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ggen::p2p::cli {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> unusable(const fs::path& home, std::string_view why, std::string hint) {
  return fail(Exit::kHome, fmt::format("{} cannot be the home of a node: {}.", home.string(), why),
              std::move(hint));
}

std::string owner_of_lock(int file) {
  char text[32] = {};
  const ssize_t size = ::pread(file, text, sizeof(text) - 1, 0);
  std::string pid{text, size > 0 ? static_cast<std::size_t>(size) : 0};
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? std::string{"another process"} : fmt::format("process {}", pid);
}

}  // namespace

Result<void> prepare_home(const fs::path& home) {
  struct stat info{};
  if (::stat(home.c_str(), &info) != 0) {
    std::error_code error;
    if (errno != ENOENT) {
      return unusable(home, with_errno("the system says"), "Choose another folder with --home.");
    }
    fs::create_directories(home.parent_path(), error);
    if (error || (::mkdir(home.c_str(), 0700) != 0 && errno != EEXIST)) {
      const std::string why = error ? error.message() : with_errno("it cannot be made");
      return unusable(home, why, "Choose a folder that you may write to with --home.");
    }
    if (::stat(home.c_str(), &info) != 0) {
      return unusable(home, with_errno("the system says"), "Choose another folder with --home.");
    }
  }
  if (!S_ISDIR(info.st_mode)) {
    return unusable(home, "it is not a folder", "Choose another folder with --home.");
  }
  if (info.st_uid != ::geteuid()) {
    return unusable(home, "it belongs to another user",
                    "Run ggen-p2p as that user, or choose another folder with --home.");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return unusable(home, "others may write to it",
                    fmt::format("Type: chmod 700 '{}'", home.string()));
  }
  if (::access(home.c_str(), R_OK | W_OK | X_OK) != 0) {
    return unusable(home, with_errno("it cannot be read and written"),
                    fmt::format("Type: chmod 700 '{}'", home.string()));
  }
  return {};
}

Result<HomeLock> HomeLock::take(const fs::path& home) {
  const fs::path path = home / "node.lock";
  UniqueFd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) {
    return unusable(home, with_errno("node.lock cannot be opened"),
                    "Check the permissions of the folder and the room on the disk.");
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return unusable(home, with_errno("node.lock cannot be locked"),
                      "Choose a folder on a local file system with --home.");
    }
    return fail(
        Exit::kHomeInUse,
        fmt::format("A node runs in {} already ({}).", home.string(), owner_of_lock(file.get())),
        fmt::format("Use it, or end it with: ggen-p2p stop --home '{0}'\nA second node on "
                    "this machine needs a home of its own: --home DIR.",
                    home.string()));
  }
  // For people who look into the file; the lock itself is what counts.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return unusable(home, with_errno("node.lock cannot be written"), "Check the room on the disk.");
  }
  return HomeLock{std::move(file)};
}

}  // namespace ggen::p2p::cli
