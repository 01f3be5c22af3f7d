#pragma once

#include <filesystem>
#include <string>

#include <ggen/p2p/marketplace/unique_fd.hpp>

#include "error.hpp"

namespace ggen::p2p::cli {

/// The control socket's name for bind() and connect(), which take at most 107 bytes: a home with a
/// longer path is reached by a descriptor of its folder.
class ControlPath {
 public:
  [[nodiscard]] static Result<ControlPath> in(const std::filesystem::path& home);

  /// Valid while this object lives.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  ControlPath(marketplace::UniqueFd folder, std::string text)
      : folder_(std::move(folder)), text_(std::move(text)) {}

  marketplace::UniqueFd folder_;
  std::string text_;
};

/// kNoNode, with what to type.
[[nodiscard]] Error no_node(const std::filesystem::path& home);

}  // namespace ggen::p2p::cli
