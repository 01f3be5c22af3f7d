#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

#include <ggen/p2p/registry/manifest.hpp>
#include <ggen/p2p/storage/manifest_file.hpp>

#include "file.hpp"
#include "text.hpp"
#include "toml_plus_plus.hpp"

namespace ggen::p2p::storage {

using registry::RawManifest;

namespace {

constexpr std::array<std::string_view, 2> kTables{"package", "dependencies"};
constexpr std::array<std::string_view, 7> kKeys{"name", "version", "description", "category",
                                                "tags", "license", "authors"};

// How many characters must be typed differently to get from one to the other.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
  const std::string_view start = word.substr(0, 64);
  return *std::ranges::min_element(
      known, {}, [&](std::string_view other) { return edits_between(start, other); });
}

std::string list_of(std::span<const std::string_view> words) {
  std::string list;
  for (const auto word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

// Reads one file. Every refusal says where.
class Reader {
 public:
  explicit Reader(std::string_view file) : file_(printable(file)) {}

  std::expected<registry::Metadata, Failure> read(std::string_view text) {
    const toml::parse_result parsed = toml::parse(text, file_);
    if (parsed) return read(parsed.table());
    refuse(parsed.error().source(),
           "is no TOML: " + printable(std::string{parsed.error().description()}));
    return std::unexpected(std::move(*failure_));
  }

 private:
  std::expected<registry::Metadata, Failure> read(const toml::table& root) {
    RawManifest raw;
    read_tables(root, raw);
    if (failure_) return std::unexpected(std::move(*failure_));
    auto metadata = registry::read_manifest(raw);
    if (!metadata) {
      // The key is the file's, and a quoted one may hold anything.
      refuse(place_of(root, metadata.error().key), printable(metadata.error().message()));
      return std::unexpected(std::move(*failure_));
    }
    return std::move(*metadata);
  }

  // The first refusal stays.
  void refuse(const toml::source_region& where, const std::string& problem) {
    if (failure_) return;
    std::string message = file_;
    if (where.begin.line > 0) message.append(":").append(std::to_string(where.begin.line));
    failure_ = Failure{Failure::Kind::kBadManifest, message.append(": ").append(problem)};
  }
  void unknown(const toml::key& key, const std::string& what,
               std::span<const std::string_view> known) {
    refuse(key.source(), what + " " + quote(key.str()) +
                             " means nothing in a manifest: did you mean " +
                             quote(nearest(key.str(), known)) + "? There are " + list_of(known));
  }

  void read_tables(const toml::table& root, RawManifest& raw) {
    for (const auto& [key, node] : root) {
      const bool is_package = key.str() == "package";
      if (!is_package && key.str() != "dependencies") {
        if (!node.is_table() && std::ranges::count(kKeys, key.str()) > 0) {
          refuse(key.source(), quote(key.str()) + " stands before [package]: move it below");
        }
        unknown(key, node.is_table() ? "the table" : "the key", kTables);
        continue;
      }
      const toml::table* table = node.as_table();
      if (!table) {
        refuse(key.source(),
               std::string(key.str()) + " must be a table: write [" + std::string(key.str()) + "]");
        continue;
      }
      is_package ? read_package(*table, raw) : read_dependencies(*table, raw);
    }
  }

  void read_package(const toml::table& table, RawManifest& raw) {
    for (const auto& [key, node] : table) {
      if (key.str() == "name") {
        raw.name = text("package.name", node);
      } else if (key.str() == "version") {
        raw.version = text("package.version", node);
      } else if (key.str() == "description") {
        raw.description = text("package.description", node);
      } else if (key.str() == "category") {
        raw.category = text("package.category", node);
      } else if (key.str() == "license") {
        raw.license = text("package.license", node);
      } else if (key.str() == "tags") {
        raw.tags = texts("package.tags", node);
      } else if (key.str() == "authors") {
        raw.authors = texts("package.authors", node);
      } else {
        unknown(key, "the key", kKeys);
      }
    }
  }

  // toml++ sorts keys; messages and entries have them as in the file.
  void read_dependencies(const toml::table& table, RawManifest& raw) {
    using Place = std::pair<toml::source_index, toml::source_index>;
    std::vector<std::pair<Place, std::pair<std::string, std::string>>> found;
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const auto at = key.source().begin;
      found.push_back({{at.line, at.column}, {name, text("dependencies." + name, node)}});
    }
    std::ranges::stable_sort(found, {}, [](const auto& one) { return one.first; });
    for (auto& one : found) raw.dependencies.push_back(std::move(one.second));
  }

  std::string text(const std::string& key, const toml::node& node) {
    if (const auto* value = node.as_string()) return value->get();
    refuse(node.source(), printable(key) + " must be a text: write it in quotes");
    return {};
  }
  std::vector<std::string> texts(const std::string& key, const toml::node& node) {
    std::vector<std::string> all;
    const toml::array* array = node.as_array();
    if (!array) refuse(node.source(), key + " must be a list of texts: write [\"one\", \"two\"]");
    for (std::size_t i = 0; array && i < array->size(); ++i) {
      all.push_back(text(key + "[" + std::to_string(i) + "]", (*array)[i]));
    }
    return all;
  }

  // Where the key of registry's error stands; the table for a missing one.
  static toml::source_region place_of(const toml::table& root, const std::string& path) {
    const auto dot = path.find('.');
    const toml::table* table = root[path.substr(0, dot)].as_table();
    if (!table || dot == std::string::npos) return {};
    std::string key = path.substr(dot + 1);
    if (path.starts_with("package")) key.resize(std::min(key.find('['), key.size()));
    const toml::node* node = table->get(key);
    return node ? node->source() : table->source();
  }

  std::string file_;
  std::optional<Failure> failure_;
};

}  // namespace

std::expected<registry::Metadata, Failure> parse_manifest(std::string_view text,
                                                          std::string_view file) {
  if (text.size() > kMaxManifest) {
    return std::unexpected(
        Failure{Failure::Kind::kBadManifest,
                printable(file) + " is larger than 256 KiB, which no manifest is"});
  }
  return Reader(file).read(text);
}

std::expected<registry::Metadata, Failure> read_manifest_file(
    const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kManifestFile;
  std::error_code absent;
  if (!std::filesystem::is_directory(directory, absent)) {
    return std::unexpected(Failure{Failure::Kind::kNotFound, printable(directory.native()) +
                                                                 " is not a directory: name the "
                                                                 "one that holds ggen.toml"});
  }
  auto file = File::open(path, O_RDONLY | O_NONBLOCK);
  if (!file && file.error().kind == registry::StoreError::Kind::kMissing) {
    return std::unexpected(
        Failure{Failure::Kind::kBadManifest,
                "there is no ggen.toml in " + printable(directory.native()) +
                    ": write one with [package], name = \"...\" and version = \"0.1.0\""});
  }
  if (!file) return std::unexpected(as_failure(file.error()));
  // One byte more than it may have shows that it has too many.
  std::string text(kMaxManifest + 1, '\0');
  const auto got = file->read(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!got) return std::unexpected(as_failure(got.error()));
  text.resize(*got);
  return parse_manifest(text, path.native());
}

}  // namespace ggen::p2p::storage
