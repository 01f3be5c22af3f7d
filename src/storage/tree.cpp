#include "tree.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <unistd.h>

#include "file.hpp"
#include "text.hpp"
#include "tree_rules.hpp"

namespace ggen::p2p::storage {

namespace fs = std::filesystem;

namespace {

using Items = std::vector<TreeItem>;

std::unexpected<Failure> bad(const fs::path& path, const std::string& problem) {
  return std::unexpected(
      Failure{Failure::Kind::kBadTree, quote(path.native()) + " cannot be packed: " + problem});
}

std::unexpected<Failure> unreadable(const fs::path& path, int error) {
  return std::unexpected(as_failure(os_error("read", path, error)));
}

const char* what_is(mode_t mode) {
  if (S_ISSOCK(mode)) return "it is a socket; move it away";
  if (S_ISFIFO(mode)) return "it is a pipe; move it away";
  return "it is a device; move it away";
}

std::expected<TreeItem, Failure> look_at(const fs::path& full, std::string path,
                                         const ArchiveLimits& limits) {
  if (auto problem = path_problem(path, limits); !problem.empty()) {
    return bad(full, "its path " + problem + "; rename it");
  }
  TreeItem item{std::move(path), TreeItem::Kind::kFile};
  if (::lstat(full.c_str(), &item.about) != 0) return unreadable(full, errno);
  const mode_t mode = item.about.st_mode;
  if (S_ISREG(mode)) return item;
  item.kind = S_ISDIR(mode) ? TreeItem::Kind::kFolder : TreeItem::Kind::kLink;
  if (S_ISDIR(mode)) return item;
  if (!S_ISLNK(mode)) return bad(full, what_is(mode));
  std::error_code failed;
  item.target = fs::read_symlink(full, failed).native();
  if (failed) return unreadable(full, failed.value());
  if (auto problem = link_problem(item.path, item.target, limits); !problem.empty()) {
    return bad(full, "it is a link that " + problem + "; make it lead to a place inside by a " +
                         "relative path, or remove it");
  }
  return item;
}

// Appends what is in one folder.
std::expected<void, Failure> list_folder(const fs::path& directory, const std::string& folder,
                                         const ArchiveLimits& limits, Items& items) {
  const fs::path full = folder.empty() ? directory : directory / folder;
  std::error_code failed;
  fs::directory_iterator at(full, failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    const std::string name = at->path().filename().native();
    if (name == ".git") continue;
    if (items.size() >= limits.entries) {
      return std::unexpected(Failure{Failure::Kind::kTooLarge, quote(directory.native()) +
                                                                   " holds more than " +
                                                                   std::to_string(limits.entries) +
                                                                   " files: pack fewer of them"});
    }
    auto item = look_at(full / name, folder.empty() ? name : folder + "/" + name, limits);
    if (!item) return std::unexpected(std::move(item.error()));
    items.push_back(std::move(*item));
  }
  if (failed) return unreadable(full, failed.value());
  return {};
}

}  // namespace

std::expected<Items, Failure> list_tree(const fs::path& directory, const ArchiveLimits& limits) {
  Items items;
  auto listed = list_folder(directory, {}, limits, items);
  for (std::size_t i = 0; listed && i < items.size(); ++i) {
    if (items[i].kind != TreeItem::Kind::kFolder) continue;
    const std::string folder = items[i].path;
    listed = list_folder(directory, folder, limits, items);
  }
  if (!listed) return std::unexpected(std::move(listed.error()));
  std::ranges::sort(items, {}, &TreeItem::path);
  return items;
}

}  // namespace ggen::p2p::storage
