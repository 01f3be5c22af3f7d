#include "tree_rules.hpp"

#include <algorithm>
#include <cstddef>

#include "text.hpp"

namespace ggen::p2p::storage {
namespace {

constexpr std::size_t kLongestPart = 255;  // what file systems take

std::string_view take_part(std::string_view& rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return part;
}

}  // namespace

std::string path_problem(std::string_view path, const ArchiveLimits& limits) {
  if (path.empty()) return "is empty";
  if (path.size() > limits.path) {
    return "is longer than " + std::to_string(limits.path) + " bytes";
  }
  if (!is_clean_utf8(path)) return "is not UTF-8, or holds control characters";
  if (path.front() == '/') return "is absolute";
  if (path.back() == '/') return "ends with a slash";
  std::size_t depth = 0;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view part = take_part(rest);
    if (part.empty() || part == ".") return "has an empty part, or one that is '.'";
    if (part == "..") return "has a part that is '..'";
    if (part.size() > kLongestPart) return "has a part of more than 255 bytes";
    if (++depth > limits.depth) {
      return "has more than " + std::to_string(limits.depth) + " parts";
    }
  }
  return {};
}

std::string link_problem(std::string_view path, std::string_view target,
                         const ArchiveLimits& limits) {
  if (target.empty()) return "leads nowhere";
  if (target.size() > limits.path) {
    return "has a target of more than " + std::to_string(limits.path) + " bytes";
  }
  if (!is_clean_utf8(target)) return "has a target that is not UTF-8, or holds control characters";
  const std::string to = "leads to " + quote(target);
  if (target.front() == '/') return to + ", which is absolute";
  auto above = std::ranges::count(path, '/');
  bool at_start = true;
  for (std::string_view rest = target; !rest.empty();) {
    const std::string_view part = take_part(rest);
    if (part == "..") {
      if (!at_start) return to + ", where '..' follows another part";
      if (--above < 0) return to + ", which is outside";
    } else if (!part.empty() && part != ".") {
      at_start = false;
    }
  }
  return {};
}

}  // namespace ggen::p2p::storage
