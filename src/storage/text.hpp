#pragma once

#include <string>
#include <string_view>

namespace ggen::p2p::storage {

// True for UTF-8 without control characters, ends of lines and paragraphs, and characters that
// steer the direction of what follows.
[[nodiscard]] bool is_clean_utf8(std::string_view text) noexcept;

// `text` as it may be printed on any terminal: what is not clean is written as `\xNN`, and from
// byte 512 on only that there is more.
[[nodiscard]] std::string printable(std::string_view text);
// The same in quotes.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace ggen::p2p::storage
