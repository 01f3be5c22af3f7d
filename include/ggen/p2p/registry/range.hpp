#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/registry/version.hpp>

namespace ggen::p2p::registry {

/// Which versions of a package will do: what follows the '@' in `get NAME@RANGE`, and what a
/// dependency asks for. At most kMaxBytes long. A value type that keeps its text.
///
///     range      = "" | "latest" | comparator *( separator comparator )      ; all must hold
///     separator  = one or more of " " and ","
///     comparator = [ "=" | ">" | ">=" | "<" | "<=" | "^" | "~" ] *" " partial
///     partial    = version | number "." number | number | wildcards
///     wildcards  = "*" in the place of a number, "x" and "X" mean the same; only more may follow
///
/// | written             | means                                                                  |
/// |---------------------|------------------------------------------------------------------------|
/// | ``, `latest`, `*`   | any release                                                            |
/// | `1.2.3`, `=1.2.3`   | this version                                                           |
/// | `1.2`, `1.2.x`      | `>=1.2.0 <1.3.0`                                                       |
/// | `^1.2.3`            | `>=1.2.3 <2.0.0`: up to the next change of the leftmost number not 0   |
/// | `^0.2.3`, `^0.0.3`  | `>=0.2.3 <0.3.0`, `>=0.0.3 <0.0.4`                                     |
/// | `~1.2.3`, `~1`      | `>=1.2.3 <1.3.0`, `>=1.0.0 <2.0.0`: only the last number given may grow
/// | | `>1.2`, `<=1.2`     | `>=1.3.0`, `<1.3.0`: the whole of 1.2 lies on one side |
///
/// A prerelease is in a range only when a comparator names a prerelease of the same
/// major.minor.patch: nobody gets an unfinished version who did not ask for it.
class Range {
 public:
  static constexpr std::size_t kMaxBytes = 256;

  [[nodiscard]] static std::expected<Range, VersionError> parse(std::string_view text);
  /// Any release.
  Range() = default;
  /// This version only.
  [[nodiscard]] static Range exactly(const Version& version);

  [[nodiscard]] bool contains(const Version& version) const;
  /// The one version that the range allows, when it was written so; null otherwise.
  [[nodiscard]] const Version* exact() const noexcept;
  /// As parsed.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// Compares texts.
  bool operator==(const Range& other) const noexcept { return text_ == other.text_; }

 private:
  struct Bound {
    Version version;
    bool included = false;
  };

  void raise_lower(Bound bound);
  void reduce_upper(Bound bound);
  [[nodiscard]] bool is_void() const;

  friend class RangeReader;

  std::string text_;
  std::optional<Bound> lower_{};
  std::optional<Bound> upper_{};
  std::vector<Version> prereleases_{};  // that comparators name
};

}  // namespace ggen::p2p::registry
