#pragma once

#include <filesystem>

#include "error.hpp"
#include "unique_fd.hpp"

/// The folder of one node: its keys, its packages, its control socket.
namespace ggen::p2p::cli {

/// Makes the home, with mode 0700, or checks the one that is there: a folder of this user into
/// which nobody else may write. Parents are made too.
[[nodiscard]] Result<void> prepare_home(const std::filesystem::path& home);

/// Held by a node for as long as it runs in its home, and released by the system when it dies.
class HomeLock {
 public:
  /// kHomeInUse when another process has it; its message names that process.
  [[nodiscard]] static Result<HomeLock> take(const std::filesystem::path& home);

 private:
  explicit HomeLock(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

}  // namespace ggen::p2p::cli
