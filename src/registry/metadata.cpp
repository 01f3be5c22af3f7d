#include <algorithm>

#include <ggen/p2p/registry/metadata.hpp>

#include "text.hpp"

namespace ggen::p2p::registry {
namespace {

using Checked = std::expected<void, FieldError>;

std::unexpected<FieldError> refuse(std::string key, std::string problem) {
  return std::unexpected(FieldError{std::move(key), std::move(problem)});
}

Checked check_text(const std::string& key, std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    return refuse(key, "is longer than " + std::to_string(limit) + " bytes");
  }
  if (!is_plain_text(text)) {
    return refuse(key, "holds control characters or is not UTF-8: write one line of plain text");
  }
  return {};
}

std::string item(std::string_view key, std::size_t index) {
  return std::string(key) + '[' + std::to_string(index) + ']';
}

Checked check_label(const std::string& key, std::string_view text) {
  if (is_label(text)) return {};
  return refuse(key, quoted(text) + " is not a label: use at most 32 of a-z, 0-9 and '-'");
}

Checked check_tags(const std::vector<std::string>& tags) {
  if (tags.size() > Metadata::kMaxTags) return refuse("tags", "has more than 16 of them");
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (auto label = check_label(item("tags", i), tags[i]); !label) return label;
    if (std::ranges::count(tags, tags[i]) > 1) {
      return refuse("tags", "has " + quoted(tags[i]) + " twice");
    }
  }
  return {};
}

// An SPDX expression, such as `MIT OR Apache-2.0`, as far as its characters go.
Checked check_license(std::string_view license) {
  if (auto text = check_text("license", license, Metadata::kMaxLicense); !text) return text;
  const bool spdx = std::ranges::all_of(license, [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view(" .-+():").find(c) != std::string_view::npos;
  });
  if (spdx) return {};
  return refuse("license", quoted(license) + " is no SPDX expression, such as MIT or Apache-2.0");
}

Checked check_authors(const std::vector<std::string>& authors) {
  if (authors.size() > Metadata::kMaxAuthors) return refuse("authors", "has more than 16 of them");
  for (std::size_t i = 0; i < authors.size(); ++i) {
    if (authors[i].empty()) return refuse(item("authors", i), "is empty");
    if (auto text = check_text(item("authors", i), authors[i], Metadata::kMaxAuthor); !text) {
      return text;
    }
  }
  return {};
}

Checked check_dependencies(const Metadata& metadata) {
  const auto& all = metadata.dependencies;
  if (all.size() > Metadata::kMaxDependencies) {
    return refuse("dependencies", "has more than 128 of them");
  }
  for (const Dependency& dependency : all) {
    const auto same = [&](const Dependency& other) {
      return other.publisher == dependency.publisher && other.name == dependency.name;
    };
    const std::string key = "dependencies." + dependency.name.text();
    if (std::ranges::count_if(all, same) > 1) return refuse(key, "comes twice");
    if (!dependency.publisher && dependency.name == metadata.name) {
      return refuse(key, "is the package itself");
    }
  }
  return {};
}

}  // namespace

bool is_label(std::string_view text) noexcept {
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
  return !text.empty() && text.size() <= Metadata::kMaxLabel && text.front() != '-' &&
         std::ranges::all_of(text, fits);
}

std::expected<void, FieldError> validate(const Metadata& metadata) {
  auto checked = check_text("description", metadata.description, Metadata::kMaxDescription);
  if (checked && !metadata.category.empty()) checked = check_label("category", metadata.category);
  if (checked) checked = check_tags(metadata.tags);
  if (checked) checked = check_license(metadata.license);
  if (checked) checked = check_authors(metadata.authors);
  if (checked) checked = check_dependencies(metadata);
  return checked;
}

}  // namespace ggen::p2p::registry
