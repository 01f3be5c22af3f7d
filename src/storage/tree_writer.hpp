#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include <ggen/p2p/storage/failure.hpp>
#include <ggen/p2p/storage/pack.hpp>

#include "file.hpp"

namespace ggen::p2p::storage {

// Makes files, folders and links below a fresh folder that only this object writes to, by paths
// that a stranger chose. Each folder on the way is opened by itself and never through a link, so
// that nothing is ever made anywhere else; and nothing is made twice.
class TreeWriter {
 public:
  TreeWriter(File root, const ArchiveLimits& limits) : root_(std::move(root)), limits_(limits) {}

  [[nodiscard]] std::expected<void, Failure> make_folder(const std::string& path);
  [[nodiscard]] std::expected<void, Failure> make_link(const std::string& path,
                                                       const std::string& target);
  // An empty file to write to.
  [[nodiscard]] std::expected<File, Failure> make_file(const std::string& path, bool executable);

 private:
  // Where the last part of a path is to be made: an open folder and a name in it.
  struct Place {
    int folder;
    std::string name;
  };
  [[nodiscard]] std::expected<Place, Failure> place_for(const std::string& path);
  [[nodiscard]] std::expected<void, Failure> enter(const std::string& folder);

  File root_;
  const ArchiveLimits& limits_;
  std::string entered_;  // the folder that `folder_` has open; empty: root_
  File folder_;
};

}  // namespace ggen::p2p::storage
