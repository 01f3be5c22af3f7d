#pragma once

#include <compare>
#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace ggen::p2p::registry {

/// What is wrong with a name.
struct NameError {
  enum class Kind {
    kEmpty,
    kTooLong,
    kBadStart,      ///< does not begin with a letter or digit
    kBadCharacter,  ///< `position` holds what no name may
  };
  Kind kind{};
  std::size_t position = 0;
  std::string text;        ///< the refused name, at most Name::kMaxBytes + 1 bytes of it
  std::string suggestion;  ///< a valid name that looks like it; empty when there is none
  /// One sentence for a person, ending with the suggestion.
  [[nodiscard]] std::string message() const;
};

/// The name of a package, or the petname that somebody gave a publisher:
/// `[a-z0-9][a-z0-9._-]{0,63}`. It is safe as the name of a file or folder, and looks the same on
/// every system. A value type.
class Name {
 public:
  static constexpr std::size_t kMaxBytes = 64;

  [[nodiscard]] static std::expected<Name, NameError> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  auto operator<=>(const Name&) const = default;
  bool operator==(const Name&) const = default;

 private:
  explicit Name(std::string_view text) : text_(text) {}

  std::string text_;
};

}  // namespace ggen::p2p::registry

template <>
struct std::hash<ggen::p2p::registry::Name> {
  std::size_t operator()(const ggen::p2p::registry::Name& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
