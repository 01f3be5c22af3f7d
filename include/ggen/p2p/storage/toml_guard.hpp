#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ggen::p2p::storage {

/// The line of the first character outside ASCII that stands neither in a comment nor in a string,
/// or right after a backslash (and white space) in one: nowhere does TOML need it there. toml++ 3.3
/// asks of such a character whether it is white space, and its answer is undefined behaviour.
[[nodiscard]] std::optional<std::size_t> misplaced_character(std::string_view text);

}  // namespace ggen::p2p::storage
