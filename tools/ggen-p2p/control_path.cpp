#include "control_path.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/un.h>

namespace ggen::p2p::cli {

Error no_node(const std::filesystem::path& home) {
  return {Exit::kNoNode, fmt::format("No node is running in {}.", home.string()),
          fmt::format("Start one: ggen-p2p start --home '{}' --detach", home.string())};
}

Result<ControlPath> ControlPath::in(const std::filesystem::path& home) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  std::string plain = (home / "control.sock").string();
  if (plain.size() <= kLongest) return ControlPath{marketplace::UniqueFd{}, std::move(plain)};

  marketplace::UniqueFd folder{::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) {
    if (errno == ENOENT || errno == ENOTDIR) return std::unexpected(no_node(home));
    return fail(Exit::kHome, with_errno(fmt::format("Cannot open {}", home.string())),
                "Check the permissions of the folder.");
  }
  std::string short_path = fmt::format("/proc/self/fd/{}/control.sock", folder.get());
  return ControlPath{std::move(folder), std::move(short_path)};
}

}  // namespace ggen::p2p::cli
