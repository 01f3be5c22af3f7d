#include <algorithm>
#include <array>
#include <utility>

#include <ggen/p2p/registry/range.hpp>

#include "text.hpp"
#include "version_reader.hpp"

namespace ggen::p2p::registry {
namespace {

enum class Comparison { kEqual, kGreater, kGreaterEqual, kLess, kLessEqual, kCaret, kTilde };

// A version of which the last numbers may be missing.
struct Partial {
  std::array<std::uint64_t, 3> numbers{};
  std::size_t given = 0;             // 0: any version
  std::optional<Version> version{};  // when all are given
};

// The first version that is above all those that differ from `partial` only after its first
// `fixed` numbers. The prerelease 0, the least there is, keeps the prereleases of that version out.
Version above(const Partial& partial, std::size_t fixed) {
  std::array<std::uint64_t, 3> numbers{};
  std::copy_n(partial.numbers.begin(), fixed, numbers.begin());
  ++numbers[fixed - 1];
  return Version::of(numbers[0], numbers[1], numbers[2], "0");
}

Version without_prerelease(const Version& version) {
  return Version::of(version.major(), version.minor(), version.patch());
}

Version lowest(const Partial& partial) {
  if (partial.version) return *partial.version;
  return Version::of(partial.numbers[0], partial.numbers[1], partial.numbers[2]);
}

// How many of the numbers `^` holds fixed: up to the leftmost one that is not 0.
std::size_t caret_fixed(const Partial& partial) {
  for (std::size_t i = 0; i < partial.given; ++i) {
    if (partial.numbers[i] != 0) return i + 1;
  }
  return partial.given;
}

}  // namespace

// Reads the comparators and narrows the range with each.
class RangeReader {
 public:
  explicit RangeReader(std::string_view text) : text_(text), reader_(text) { range_.text_ = text; }

  std::expected<Range, VersionError> read() {
    if (text_.size() > Range::kMaxBytes) return reader_.fail(VersionError::Kind::kTooLong);
    if (text_ == "latest" || text_.empty()) return std::move(range_);
    do {
      const Comparison comparison = this->comparison();
      const auto partial = this->partial();
      if (!partial) return std::unexpected(partial.error());
      if (auto applied = apply(comparison, *partial); !applied) {
        return std::unexpected(applied.error());
      }
    } while (separator());
    if (!reader_.at_end()) return reader_.fail(VersionError::Kind::kTrailing);
    if (range_.is_void()) return reader_.fail(VersionError::Kind::kNothing);
    return std::move(range_);
  }

 private:
  Comparison comparison() {
    Comparison found = Comparison::kEqual;
    if (reader_.take('^')) {
      found = Comparison::kCaret;
    } else if (reader_.take('~')) {
      found = Comparison::kTilde;
    } else if (reader_.take('>')) {
      found = reader_.take('=') ? Comparison::kGreaterEqual : Comparison::kGreater;
    } else if (reader_.take('<')) {
      found = reader_.take('=') ? Comparison::kLessEqual : Comparison::kLess;
    } else {
      reader_.take('=');
    }
    while (reader_.take(' ')) continue;
    return found;
  }

  bool separator() {
    bool any = false;
    while (reader_.take(' ') || reader_.take(',')) any = true;
    return any;
  }

  bool wildcard() { return reader_.take('*') || reader_.take('x') || reader_.take('X'); }

  std::expected<Partial, VersionError> partial() {
    Partial partial;
    const std::size_t start = reader_.position();
    bool wild = false;
    for (std::size_t i = 0; i < 3 && (i == 0 || reader_.take('.')); ++i) {
      if (wildcard()) {
        wild = true;
        continue;
      }
      if (wild) return reader_.fail(VersionError::Kind::kBadWildcard);
      const auto number = reader_.number();
      if (!number) return std::unexpected(number.error());
      partial.numbers[i] = *number;
      partial.given = i + 1;
    }
    if (partial.given == 3) return complete(std::move(partial), start);
    return partial;
  }

  // Reads what may follow the third number.
  std::expected<Partial, VersionError> complete(Partial partial, std::size_t start) {
    if (reader_.take('-')) {
      if (auto read = reader_.identifiers(true); !read) return std::unexpected(read.error());
    }
    if (reader_.take('+')) {
      if (auto read = reader_.identifiers(false); !read) return std::unexpected(read.error());
    }
    auto version = Version::parse(text_.substr(start, reader_.position() - start));
    if (!version) return std::unexpected(version.error());
    partial.version = std::move(*version);
    return partial;
  }

  std::expected<void, VersionError> apply(Comparison comparison, const Partial& partial) {
    if (partial.version && partial.version->is_prerelease()) {
      range_.prereleases_.push_back(*partial.version);
    }
    if (partial.given == 0) {
      const bool any = comparison != Comparison::kGreater && comparison != Comparison::kLess;
      if (any) return {};
      return reader_.fail(VersionError::Kind::kBadWildcard);
    }
    const bool whole = partial.version.has_value();
    switch (comparison) {
      case Comparison::kEqual:
        range_.raise_lower({lowest(partial), true});
        range_.reduce_upper(whole ? Range::Bound{*partial.version, true}
                                  : Range::Bound{above(partial, partial.given), false});
        break;
      case Comparison::kGreater:
        range_.raise_lower(
            whole ? Range::Bound{*partial.version, false}
                  : Range::Bound{without_prerelease(above(partial, partial.given)), true});
        break;
      case Comparison::kGreaterEqual:
        range_.raise_lower({lowest(partial), true});
        break;
      case Comparison::kLess:
        range_.reduce_upper({lowest(partial), false});
        break;
      case Comparison::kLessEqual:
        range_.reduce_upper(whole ? Range::Bound{*partial.version, true}
                                  : Range::Bound{above(partial, partial.given), false});
        break;
      case Comparison::kCaret:
        range_.raise_lower({lowest(partial), true});
        range_.reduce_upper({above(partial, caret_fixed(partial)), false});
        break;
      case Comparison::kTilde:
        range_.raise_lower({lowest(partial), true});
        range_.reduce_upper({above(partial, std::min<std::size_t>(partial.given, 2)), false});
        break;
    }
    return {};
  }

  std::string_view text_;
  VersionReader reader_;
  Range range_;
};

std::expected<Range, VersionError> Range::parse(std::string_view text) {
  return RangeReader(text).read();
}

Range Range::exactly(const Version& version) {
  Range range;
  range.text_ = version.text();
  range.lower_ = range.upper_ = Bound{version, true};
  if (version.is_prerelease()) range.prereleases_.push_back(version);
  return range;
}

bool Range::contains(const Version& version) const {
  if (version.is_prerelease()) {
    const Version release = without_prerelease(version);
    const bool asked_for = std::ranges::any_of(
        prereleases_, [&](const Version& named) { return without_prerelease(named) == release; });
    if (!asked_for) return false;
  }
  if (lower_ && (version < lower_->version || (!lower_->included && version == lower_->version))) {
    return false;
  }
  return !upper_ || version < upper_->version || (upper_->included && version == upper_->version);
}

const Version* Range::exact() const noexcept {
  return lower_ && upper_ && lower_->version == upper_->version ? &lower_->version : nullptr;
}

void Range::raise_lower(Bound bound) {
  const bool tighter = !lower_ || bound.version > lower_->version ||
                       (bound.version == lower_->version && !bound.included);
  if (tighter) lower_ = std::move(bound);
}

void Range::reduce_upper(Bound bound) {
  const bool tighter = !upper_ || bound.version < upper_->version ||
                       (bound.version == upper_->version && !bound.included);
  if (tighter) upper_ = std::move(bound);
}

bool Range::is_void() const {
  if (!lower_ || !upper_) return false;
  if (lower_->version != upper_->version) return lower_->version > upper_->version;
  return !lower_->included || !upper_->included;
}

}  // namespace ggen::p2p::registry
