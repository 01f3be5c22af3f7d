#include <algorithm>

#include <ggen/p2p/storage/toml_guard.hpp>

namespace ggen::p2p::storage {
namespace {

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

/// Walks over a text as far as it takes to know what is a string and what is a comment.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
  }

  /// True when it stopped at a misplaced character.
  bool run() {
    char before = '\n';  // the last one that is no blank
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (!is_ascii(c)) return true;
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if ((c == '"' || c == '\'') && may_begin_string(before)) {
        if (!pass_string(c)) return true;
      } else {
        ++at_;
      }
      if (c != ' ' && c != '\t' && c != '\r') before = c;
    }
    return false;
  }

  [[nodiscard]] std::size_t line() const {
    return 1 + static_cast<std::size_t>(std::ranges::count(text_.substr(0, at_), '\n'));
  }

 private:
  // A quote within anything else, as in `x = 2"`, is an error: the parser looks at what follows it
  // as at a number, and there is no string.
  [[nodiscard]] static bool may_begin_string(char before) {
    return std::string_view{"\n=[{,."}.contains(before);
  }
  [[nodiscard]] bool three(char quote) const {
    return text_.substr(at_, 3) == std::string_view{quote == '"' ? "\"\"\"" : "'''"};
  }

  bool pass_string(char quote) {
    const bool several_lines = three(quote);
    at_ += several_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == quote && (!several_lines || three(quote))) {
        at_ += several_lines ? 3 : 1;
        // Up to two quotes may stand right before the closing ones.
        for (int i = 0; several_lines && i < 2 && text_.substr(at_).starts_with(quote); ++i) ++at_;
        return true;
      }
      if (c == '\n' && !several_lines) return true;  // an error, which the parser explains
      if (c == '\\' && quote == '"') {
        if (!pass_escape()) return false;
      } else {
        ++at_;
      }
    }
    return true;
  }

  bool pass_escape() {
    ++at_;
    const std::size_t end = std::min(text_.find_first_not_of(" \t\r\n\v\f", at_), text_.size());
    if (end < text_.size() && !is_ascii(text_[end])) {
      at_ = end;
      return false;
    }
    at_ = end > at_ ? end : at_ + 1;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::size_t> misplaced_character(std::string_view text) {
  Scanner scanner{text};
  if (!scanner.run()) return {};
  return scanner.line();
}

}  // namespace ggen::p2p::storage
