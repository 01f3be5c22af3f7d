#include <ggen/p2p/registry/manifest.hpp>
#include <ggen/p2p/registry/reference.hpp>

#include "text.hpp"

namespace ggen::p2p::registry {
namespace {

std::unexpected<FieldError> refuse(std::string key, std::string problem) {
  return std::unexpected(FieldError{std::move(key), std::move(problem)});
}

// `publisher/name` or `name`, and the range. A petname would mean somebody else to others.
std::expected<Dependency, FieldError> read_dependency(const std::string& key,
                                                      const std::string& value) {
  const std::string path = "dependencies." + key;
  if (key.find('@') != std::string::npos) {
    return refuse(path, "holds an '@': write the versions behind the '='");
  }
  auto reference = Reference::parse(key);
  if (!reference) return refuse(path, "is not a package: " + reference.error());
  auto range = Range::parse(value);
  if (!range) return refuse(path, "has no valid range: " + range.error().message());
  Dependency dependency{std::nullopt, std::move(reference->name), std::move(*range)};
  if (!reference->publisher) return dependency;
  const auto* publisher = std::get_if<multiformats::PeerId>(&*reference->publisher);
  if (!publisher) {
    return refuse(path,
                  "names its publisher by a petname, which nobody else knows: write the "
                  "publisher's id");
  }
  dependency.publisher = *publisher;
  return dependency;
}

}  // namespace

std::expected<Metadata, FieldError> read_manifest(const RawManifest& raw) {
  if (!raw.name) return refuse("package.name", "is missing: write name = \"...\" under [package]");
  if (!raw.version) {
    return refuse("package.version", "is missing: write version = \"0.1.0\" under [package]");
  }
  auto name = Name::parse(*raw.name);
  if (!name) return refuse("package.name", "is not valid: " + name.error().message());
  auto version = Version::parse(*raw.version);
  if (!version) return refuse("package.version", "is not valid: " + version.error().message());
  Metadata metadata{std::move(*name), std::move(*version), raw.description, raw.category,
                    raw.tags,         raw.license,         raw.authors};
  for (const auto& [key, value] : raw.dependencies) {
    auto dependency = read_dependency(key, value);
    if (!dependency) return std::unexpected(std::move(dependency.error()));
    metadata.dependencies.push_back(std::move(*dependency));
  }
  if (auto valid = validate(metadata); !valid) {
    FieldError error = std::move(valid.error());
    if (!error.key.starts_with("dependencies")) error.key = "package." + error.key;
    return std::unexpected(std::move(error));
  }
  return metadata;
}

}  // namespace ggen::p2p::registry
