#include "tree_writer.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.hpp"
#include "tree_rules.hpp"

namespace ggen::p2p::storage {
namespace {

std::unexpected<Failure> unsafe(const std::string& path, const std::string& problem) {
  return std::unexpected(
      Failure{Failure::Kind::kUnsafe, "the archive holds " + quote(path) + ", which " + problem +
                                          ": do not trust this release, and tell its publisher"});
}

std::unexpected<Failure> not_made(const std::string& path, int error) {
  if (error == EEXIST) return unsafe(path, "comes twice");
  return std::unexpected(as_failure(os_error("make", printable(path), error)));
}

}  // namespace

std::expected<void, Failure> TreeWriter::enter(const std::string& folder) {
  if (folder == entered_) return {};
  constexpr int kHow = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  entered_.clear();
  folder_ = File();
  for (std::size_t from = 0; from < folder.size();) {
    const std::size_t slash = std::min(folder.find('/', from), folder.size());
    const int above = folder_.fd() >= 0 ? folder_.fd() : root_.fd();
    auto next = File::open_at(above, folder.substr(from, slash - from), kHow);
    if (!next) {
      const int error = errno;
      if (error == ENOENT) return unsafe(folder, "is a folder that does not come before its files");
      if (error == ENOTDIR || error == ELOOP) return unsafe(folder, "leads through a link or file");
      return std::unexpected(as_failure(next.error()));
    }
    folder_ = std::move(*next);
    from = slash + 1;
  }
  entered_ = folder;
  return {};
}

std::expected<TreeWriter::Place, Failure> TreeWriter::place_for(const std::string& path) {
  if (auto problem = path_problem(path, limits_); !problem.empty()) return unsafe(path, problem);
  const std::size_t slash = path.rfind('/');
  const bool at_top = slash == std::string::npos;
  auto entered = enter(at_top ? std::string() : path.substr(0, slash));
  if (!entered) return std::unexpected(std::move(entered.error()));
  return Place{entered_.empty() ? root_.fd() : folder_.fd(),
               at_top ? path : path.substr(slash + 1)};
}

std::expected<void, Failure> TreeWriter::make_folder(const std::string& path) {
  const auto place = place_for(path);
  if (!place) return std::unexpected(place.error());
  if (::mkdirat(place->folder, place->name.c_str(), 0755) != 0) return not_made(path, errno);
  // Whatever the umask: the same archive gives the same files to everybody.
  if (::fchmodat(place->folder, place->name.c_str(), 0755, 0) != 0) return not_made(path, errno);
  return {};
}

std::expected<void, Failure> TreeWriter::make_link(const std::string& path,
                                                   const std::string& target) {
  const auto place = place_for(path);
  if (!place) return std::unexpected(place.error());
  if (auto problem = link_problem(path, target, limits_); !problem.empty()) {
    return unsafe(path, "is a link that " + problem);
  }
  if (::symlinkat(target.c_str(), place->folder, place->name.c_str()) != 0) {
    return not_made(path, errno);
  }
  return {};
}

std::expected<File, Failure> TreeWriter::make_file(const std::string& path, bool executable) {
  const auto place = place_for(path);
  if (!place) return std::unexpected(place.error());
  constexpr int kHow = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  auto file = File::open_at(place->folder, place->name, kHow);
  if (!file) return not_made(path, errno);
  if (::fchmod(file->fd(), executable ? 0755 : 0644) != 0) return not_made(path, errno);
  return std::move(*file);
}

}  // namespace ggen::p2p::storage
