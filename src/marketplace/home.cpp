#include <cerrno>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ggen/p2p/marketplace/home.hpp>

#include "system_error.hpp"

namespace ggen::p2p::marketplace {
namespace {

namespace fs = std::filesystem;

std::unexpected<Failure> unusable(const fs::path& home, std::string_view why, std::string hint) {
  return std::unexpected(
      Failure{Reason::kHome, fmt::format("{} cannot be the home of a node: {}", home.string(), why),
              std::move(hint)});
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

}  // namespace ggen::p2p::marketplace
