#pragma once

#include <cstdint>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::multistream {

/// Messages as they are on the wire.
inline constexpr std::string_view kHeaderMessage = "\x13/multistream/1.0.0\n";
inline constexpr std::string_view kRefusalMessage = "\x03na\n";

/// Appends a text as a message.
void append_message(base::Bytes& to, std::string_view text);
/// Bytes that append_message() appends.
[[nodiscard]] std::size_t message_size(std::string_view text) noexcept;

}  // namespace ggen::p2p::multistream
