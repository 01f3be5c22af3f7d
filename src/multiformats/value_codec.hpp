#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/protocols.hpp>

/// The values of multiaddr components, from text to binary and back. For every valid value,
/// parse_value(kind, format_value(kind, value)) is that value.
namespace ggen::p2p::multiformats {

/// The binary form; nothing when the text is not a value of this kind. What it returns is valid.
[[nodiscard]] std::optional<base::Bytes> parse_value(ValueKind kind, std::string_view text);

/// Whether the bytes are the binary form of a value of this kind.
[[nodiscard]] bool is_valid_value(ValueKind kind, base::BytesView value);

/// The canonical text of a valid value.
[[nodiscard]] std::string format_value(ValueKind kind, base::BytesView value);

/// What a person should write, as the end of a sentence.
[[nodiscard]] std::string_view describe_value(ValueKind kind) noexcept;

}  // namespace ggen::p2p::multiformats
