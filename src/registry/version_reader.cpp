#include "version_reader.hpp"

#include "text.hpp"

namespace ggen::p2p::registry {

bool VersionReader::take(char c) noexcept {
  if (at_end() || text_[position_] != c) return false;
  ++position_;
  return true;
}

std::expected<std::uint64_t, VersionError> VersionReader::number() {
  const std::size_t start = position_;
  std::uint64_t value = 0;
  while (is_digit(peek())) {
    if (position_ - start == Version::kMaxDigits) return fail(VersionError::Kind::kNumberTooLarge);
    value = value * 10 + static_cast<std::uint64_t>(peek() - '0');
    ++position_;
  }
  if (position_ == start) return fail(VersionError::Kind::kNotANumber);
  if (text_[start] == '0' && position_ - start > 1) {
    position_ = start;
    return fail(VersionError::Kind::kLeadingZero);
  }
  return value;
}

std::expected<void, VersionError> VersionReader::identifiers(bool prerelease) {
  do {
    const std::size_t start = position_;
    bool numeric = true;
    while (is_digit(peek()) || is_letter(peek()) || peek() == '-') {
      numeric = numeric && is_digit(peek());
      ++position_;
    }
    if (position_ == start) return fail(VersionError::Kind::kBadIdentifier);
    if (prerelease && numeric && text_[start] == '0' && position_ - start > 1) {
      position_ = start;
      return fail(VersionError::Kind::kLeadingZero);
    }
  } while (take('.'));
  return {};
}

std::unexpected<VersionError> VersionReader::fail(VersionError::Kind kind) const {
  return std::unexpected(VersionError{kind, position_, std::string(text_.substr(0, 64))});
}

}  // namespace ggen::p2p::registry
