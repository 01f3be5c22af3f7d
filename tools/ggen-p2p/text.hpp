#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ggen/p2p/base/time.hpp>

/// How people write durations, and how numbers are shown to them.
namespace ggen::p2p::cli {

/// "250ms", "10s", "5m", "22h"; a number alone means seconds. The error is half a sentence.
[[nodiscard]] std::expected<base::Duration, std::string> parse_duration(std::string_view text);
/// The shortest text that reads back as the same time, to the millisecond.
[[nodiscard]] std::string format_duration(base::Duration duration);

/// "512 B", "3.1 MiB".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// "1 peer", "2 peers".
[[nodiscard]] std::string count_of(std::uint64_t count, std::string_view noun);

/// `text` with a full stop, unless it ends with one or with a question mark.
[[nodiscard]] std::string sentence(std::string text);

/// `text` without what could move a terminal's cursor or change its colours: each byte outside
/// printable ASCII and well-formed UTF-8 becomes '?'. For texts that come from other peers.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether it is a text for people: it has line ends and tabs, but nothing else that printable()
/// would replace.
[[nodiscard]] bool is_plain(std::string_view text);

/// The one of `known` that `word` most likely means; nothing when none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> known);

}  // namespace ggen::p2p::cli
