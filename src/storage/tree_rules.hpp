#pragma once

#include <string>
#include <string_view>

#include <ggen/p2p/storage/pack.hpp>

// What paths and links an archive may hold: the same for whoever packs and for whoever unpacks.
namespace ggen::p2p::storage {

// Half a sentence that says why a path may not be in an archive; empty when it may: parts divided
// by single slashes, none of them `.` or `..`, all of clean UTF-8, within the limits.
[[nodiscard]] std::string path_problem(std::string_view path, const ArchiveLimits& limits);

// The same for the target of the link at `path`, which is a valid path. A link stays inside when
// its target is relative, begins with at most as many `..` as the link has folders above it, and
// has none after that. With `..` behind other parts, where it leads would depend on other links.
[[nodiscard]] std::string link_problem(std::string_view path, std::string_view target,
                                       const ArchiveLimits& limits);

}  // namespace ggen::p2p::storage
