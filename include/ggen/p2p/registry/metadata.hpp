#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/name.hpp>
#include <ggen/p2p/registry/range.hpp>
#include <ggen/p2p/registry/version.hpp>

namespace ggen::p2p::registry {

/// Another package that a release needs. Without publisher, whoever installs resolves the name as
/// if it had been typed.
struct Dependency {
  std::optional<multiformats::PeerId> publisher;
  Name name;
  Range range{};

  bool operator==(const Dependency&) const = default;
};

/// What a release says about itself: what stands in its manifest, and in its publish entry.
struct Metadata {
  Name name;
  Version version;
  std::string description{};
  std::string category{};
  std::vector<std::string> tags{};
  std::string license{};
  std::vector<std::string> authors{};
  std::vector<Dependency> dependencies{};

  static constexpr std::size_t kMaxDescription = 1024;  ///< bytes
  static constexpr std::size_t kMaxLabel = 32;          ///< of a category or tag
  static constexpr std::size_t kMaxTags = 16;
  static constexpr std::size_t kMaxLicense = 128;  ///< bytes
  static constexpr std::size_t kMaxAuthors = 16;
  static constexpr std::size_t kMaxAuthor = 128;  ///< bytes
  static constexpr std::size_t kMaxDependencies = 128;

  bool operator==(const Metadata&) const = default;
};

/// A field that holds what it may not.
struct FieldError {
  std::string key;      ///< `description`, `tags[2]`, `dependencies.left-pad`, ...
  std::string problem;  ///< half a sentence: "is longer than 1024 bytes"
  [[nodiscard]] std::string message() const { return key + " " + problem; }
};

/// A category or tag: `[a-z0-9][a-z0-9-]*`, at most Metadata::kMaxLabel bytes.
[[nodiscard]] bool is_label(std::string_view text) noexcept;

/// Checks every field that its type does not check already: lengths, counts, texts that any
/// terminal may print, tags that come once, dependencies that come once and are not the package
/// itself.
[[nodiscard]] std::expected<void, FieldError> validate(const Metadata& metadata);

}  // namespace ggen::p2p::registry
