#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include <ggen/p2p/registry/version.hpp>

namespace ggen::p2p::registry {

// Takes a version apart from left to right, remembering where it stands for the error.
class VersionReader {
 public:
  explicit VersionReader(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] bool at_end() const noexcept { return position_ == text_.size(); }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] char peek() const noexcept { return at_end() ? '\0' : text_[position_]; }
  // Takes `c` if it comes next.
  bool take(char c) noexcept;

  // Major, minor or patch.
  [[nodiscard]] std::expected<std::uint64_t, VersionError> number();
  // Identifiers with dots between them. Numeric ones must not begin with a zero in a prerelease.
  [[nodiscard]] std::expected<void, VersionError> identifiers(bool prerelease);

  [[nodiscard]] std::unexpected<VersionError> fail(VersionError::Kind kind) const;

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace ggen::p2p::registry
