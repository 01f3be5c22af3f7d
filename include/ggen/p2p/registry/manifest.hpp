#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ggen/p2p/registry/metadata.hpp>

/// The manifest of a package: what the file `ggen.toml` in its directory says.
///
///     [package]
///     name = "left-pad"           # needed, like the version
///     version = "1.0.0"
///     description = "Pads on the left"
///     category = "text"
///     tags = ["strings"]
///     license = "MIT"
///     authors = ["Ada <ada@example.org>"]
///
///     [dependencies]
///     spaces = "^1.2"
///     "12D3KooW.../tabs" = "2"
///
/// Reading TOML is the driver's; here is what its values may be.
namespace ggen::p2p::registry {

/// The values as they stand in the file, none of them checked.
struct RawManifest {
  std::optional<std::string> name{};
  std::optional<std::string> version{};
  std::string description{};
  std::string category{};
  std::vector<std::string> tags{};
  std::string license{};
  std::vector<std::string> authors{};
  /// Key and value, in the order of the file.
  std::vector<std::pair<std::string, std::string>> dependencies{};
};

/// Checks a manifest. The error's key is the one in the file, `package.version` or
/// `dependencies.spaces`, so that its message tells where to look.
[[nodiscard]] std::expected<Metadata, FieldError> read_manifest(const RawManifest& raw);

}  // namespace ggen::p2p::registry
