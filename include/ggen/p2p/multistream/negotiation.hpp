#pragma once

#include <cstdint>
#include <string_view>

/// multistream-select 1.0.0 (multiformats/multistream-select, libp2p/specs connections/README.md):
/// two peers agree on what the rest of a byte stream speaks. Each side says `/multistream/1.0.0`;
/// the dialer proposes protocols, which the listener echoes or answers with `na`. A message is an
/// unsigned varint, the text, and a newline that the varint counts.
///
/// Dialer and Listener are one side each. Both know neither time nor sockets: their owner ends a
/// negotiation that takes too long, or that the remote cuts short.
namespace ggen::p2p::multistream {

/// Bytes of the longest message, newline included; go-libp2p and js-libp2p have the same limit.
inline constexpr std::size_t kMaxMessage = 1024;

enum class Error : std::uint8_t {
  kNotMultistream,    ///< the remote began with something else than the header
  kMalformed,         ///< an empty message, a length not in its shortest form, or no newline
  kTooLong,           ///< a message above the limit
  kTooManyProposals,  ///< the dialer does not come to an end
  kUnexpectedReply,   ///< the listener answered neither with the proposal nor with `na`
  /// Nothing in common. Dialer: each proposal got `na`. Listener: what followed a `na` is no
  /// proposal, hence the application bytes of a dialer that did not wait for the answer.
  kRefused,
};
[[nodiscard]] std::string_view to_string(Error error) noexcept;

/// Whether this text can be negotiated: not empty, within kMaxMessage with its newline, without a
/// newline of its own, and neither `na` nor `ls`.
[[nodiscard]] bool valid_protocol(std::string_view protocol) noexcept;

}  // namespace ggen::p2p::multistream
