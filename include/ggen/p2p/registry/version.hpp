#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace ggen::p2p::registry {

/// What is wrong with a version or a range.
struct VersionError {
  enum class Kind {
    kEmpty,
    kTooLong,
    kNotANumber,      ///< major, minor or patch is missing or no number
    kLeadingZero,     ///< a number such as 01
    kNumberTooLarge,  ///< more than Version::kMaxDigits digits
    kBadIdentifier,   ///< an empty identifier in a prerelease or build, or one with a character
                      ///< other than 0-9, A-Z, a-z and '-'
    kTrailing,        ///< something follows the version
    kBadWildcard,     ///< a number or a prerelease after a wildcard, or a comparison with `*`
    kNothing,         ///< a range that no version can be in
  };
  Kind kind{};
  std::size_t position = 0;  ///< in `text`
  std::string text;          ///< what was refused, at most 64 bytes of it
  /// One sentence for a person.
  [[nodiscard]] std::string message() const;
};

/// A version as Semantic Versioning 2.0.0 (semver.org) defines it, at most kMaxBytes long. A value
/// type that keeps its text.
///
/// Comparison is semver's precedence, which ignores build metadata: `1.0.0+a` and `1.0.0+b` are
/// equal. A log holds one of them at most.
class Version {
 public:
  static constexpr std::size_t kMaxBytes = 128;
  /// Of major, minor and patch each: any program that reads numbers as doubles still has them
  /// exact.
  static constexpr std::size_t kMaxDigits = 15;

  [[nodiscard]] static std::expected<Version, VersionError> parse(std::string_view text);
  /// Each number has at most kMaxDigits + 1 digits; `prerelease` is valid or empty.
  [[nodiscard]] static Version of(std::uint64_t major, std::uint64_t minor, std::uint64_t patch,
                                  std::string_view prerelease = {});

  [[nodiscard]] std::uint64_t major() const noexcept { return numbers_[0]; }
  [[nodiscard]] std::uint64_t minor() const noexcept { return numbers_[1]; }
  [[nodiscard]] std::uint64_t patch() const noexcept { return numbers_[2]; }
  /// Without its '-' and '+'; empty when there is none.
  [[nodiscard]] std::string_view prerelease() const noexcept;
  [[nodiscard]] std::string_view build() const noexcept;
  [[nodiscard]] bool is_prerelease() const noexcept { return core_size_ < release_size_; }
  /// As parsed.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  std::weak_ordering operator<=>(const Version& other) const noexcept;
  bool operator==(const Version& other) const noexcept { return (*this <=> other) == 0; }

 private:
  Version() = default;

  std::string text_;
  std::array<std::uint64_t, 3> numbers_{};
  std::uint8_t core_size_ = 0;     // major.minor.patch
  std::uint8_t release_size_ = 0;  // with the prerelease, without the build
};

}  // namespace ggen::p2p::registry
