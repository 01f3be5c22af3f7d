#include <ggen/p2p/registry/version.hpp>

#include "text.hpp"
#include "version_reader.hpp"

namespace ggen::p2p::registry {
namespace {

// Cuts the first identifier off `rest`.
std::string_view take_identifier(std::string_view& rest) noexcept {
  const std::string_view identifier = rest.substr(0, rest.find('.'));
  rest.remove_prefix(std::min(rest.size(), identifier.size() + 1));
  return identifier;
}

bool is_numeric(std::string_view identifier) noexcept {
  return identifier.find_first_not_of("0123456789") == std::string_view::npos;
}

// Semver section 11.4. Numbers have no leading zeros: the longer one is the larger, so that no
// length is too large to compare.
std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) noexcept {
  if (is_numeric(a) != is_numeric(b)) {
    return is_numeric(a) ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (is_numeric(a) && a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

std::strong_ordering compare_prereleases(std::string_view a, std::string_view b) noexcept {
  // A version without prerelease stands above all its prereleases.
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  while (!a.empty() && !b.empty()) {
    const auto order = compare_identifiers(take_identifier(a), take_identifier(b));
    if (order != 0) return order;
  }
  return !a.empty() <=> !b.empty();
}

std::string reason(VersionError::Kind kind) {
  switch (kind) {
    case VersionError::Kind::kEmpty:
      return "it is empty";
    case VersionError::Kind::kTooLong:
      return "it is too long";
    case VersionError::Kind::kNotANumber:
      return "a number is missing";
    case VersionError::Kind::kLeadingZero:
      return "a number begins with a zero";
    case VersionError::Kind::kNumberTooLarge:
      return "a number has more than 15 digits";
    case VersionError::Kind::kBadIdentifier:
      return "an identifier is empty or holds another character than letters, digits and '-'";
    case VersionError::Kind::kTrailing:
      return "something follows the version";
    case VersionError::Kind::kBadWildcard:
      return "nothing may follow a wildcard, nor be above or below '*'";
    case VersionError::Kind::kNothing:
      return "no version can be in this range";
  }
  return "it is malformed";
}

}  // namespace

std::string VersionError::message() const {
  return quoted(text) + " is no valid version: " + reason(kind) + " (at character " +
         std::to_string(position + 1) +
         "); versions look like 1.4.0 or 2.0.0-beta.1, ranges like ^1.4";
}

std::expected<Version, VersionError> Version::parse(std::string_view text) {
  VersionReader reader(text);
  if (text.empty()) return reader.fail(VersionError::Kind::kEmpty);
  if (text.size() > kMaxBytes) return reader.fail(VersionError::Kind::kTooLong);
  Version version;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0 && !reader.take('.')) return reader.fail(VersionError::Kind::kNotANumber);
    const auto number = reader.number();
    if (!number) return std::unexpected(number.error());
    version.numbers_[i] = *number;
  }
  version.core_size_ = static_cast<std::uint8_t>(reader.position());
  if (reader.take('-')) {
    if (auto read = reader.identifiers(true); !read) return std::unexpected(read.error());
  }
  version.release_size_ = static_cast<std::uint8_t>(reader.position());
  if (reader.take('+')) {
    if (auto read = reader.identifiers(false); !read) return std::unexpected(read.error());
  }
  if (!reader.at_end()) return reader.fail(VersionError::Kind::kTrailing);
  version.text_ = text;
  return version;
}

Version Version::of(std::uint64_t major, std::uint64_t minor, std::uint64_t patch,
                    std::string_view prerelease) {
  Version version;
  version.numbers_ = {major, minor, patch};
  version.text_ = std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  version.core_size_ = static_cast<std::uint8_t>(version.text_.size());
  if (!prerelease.empty()) version.text_.append("-").append(prerelease);
  version.release_size_ = static_cast<std::uint8_t>(version.text_.size());
  return version;
}

std::string_view Version::prerelease() const noexcept {
  if (!is_prerelease()) return {};
  return std::string_view(text_).substr(0, release_size_).substr(core_size_ + 1U);
}

std::string_view Version::build() const noexcept {
  if (release_size_ == text_.size()) return {};
  return std::string_view(text_).substr(release_size_ + 1U);
}

std::weak_ordering Version::operator<=>(const Version& other) const noexcept {
  if (const auto order = numbers_ <=> other.numbers_; order != 0) return order;
  return compare_prereleases(prerelease(), other.prerelease());
}

}  // namespace ggen::p2p::registry
