#include <algorithm>

#include <ggen/p2p/registry/name.hpp>

#include "text.hpp"

namespace ggen::p2p::registry {
namespace {

bool starts_name(char c) noexcept {
  return is_lower(c) || is_digit(c);
}
bool continues_name(char c) noexcept {
  return starts_name(c) || c == '.' || c == '_' || c == '-';
}

// The nearest valid name: lower case, '-' for what may not stand there.
std::string suggest(std::string_view text) {
  std::string name;
  for (char c : text) {
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
    if (name.empty() && !starts_name(c)) continue;
    if (!continues_name(c)) c = '-';
    if (c == '-' && name.back() == '-') continue;
    name += c;
    if (name.size() == Name::kMaxBytes) break;
  }
  while (!name.empty() && !starts_name(name.back())) name.pop_back();
  return name;
}

std::string reason(const NameError& error) {
  switch (error.kind) {
    case NameError::Kind::kEmpty:
      return "a name is missing";
    case NameError::Kind::kTooLong:
      return "the name " + quoted(error.text) + " has more than 64 characters";
    case NameError::Kind::kBadStart:
      return "the name " + quoted(error.text) +
             " does not begin with a lower-case letter or a digit";
    case NameError::Kind::kBadCharacter:
      return "the name " + quoted(error.text) + " holds " +
             quoted(std::string_view(error.text).substr(error.position, 1)) +
             ": only a-z, 0-9, '.', '_' and '-' may stand in one";
  }
  return "not a name";
}

}  // namespace

std::string NameError::message() const {
  const std::string sentence = reason(*this);
  return suggestion.empty() ? sentence : sentence + "; try " + quoted(suggestion);
}

std::expected<Name, NameError> Name::parse(std::string_view text) {
  const auto refuse = [text](NameError::Kind kind, std::size_t position) {
    return std::unexpected(
        NameError{kind, position, std::string(text.substr(0, kMaxBytes + 1)), suggest(text)});
  };
  if (text.empty()) return refuse(NameError::Kind::kEmpty, 0);
  if (!starts_name(text.front())) return refuse(NameError::Kind::kBadStart, 0);
  const auto bad = std::ranges::find_if_not(text.substr(0, kMaxBytes), continues_name);
  const auto position = static_cast<std::size_t>(bad - text.begin());
  if (position < std::min(text.size(), kMaxBytes)) {
    return refuse(NameError::Kind::kBadCharacter, position);
  }
  if (text.size() > kMaxBytes) return refuse(NameError::Kind::kTooLong, kMaxBytes);
  return Name(text);
}

}  // namespace ggen::p2p::registry
