#pragma once

#include <cstdint>
#include <expected>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/yamux/types.hpp>

/// The frame header (spec, "Framing"): version, type, flags, stream id and length, 12 bytes, big
/// endian.
namespace ggen::p2p::yamux {

inline constexpr std::size_t kHeaderSize = 12;

/// What either side may send on a stream before any WINDOW_UPDATE, in bytes.
inline constexpr std::uint32_t kInitialWindow = 256 * 1024;

enum class FrameType : std::uint8_t { kData = 0, kWindowUpdate = 1, kPing = 2, kGoAway = 3 };

/// Bits of Header::flags. Other bits have no meaning and are ignored.
namespace flag {
inline constexpr std::uint16_t kSyn = 1;
inline constexpr std::uint16_t kAck = 2;
inline constexpr std::uint16_t kFin = 4;
inline constexpr std::uint16_t kRst = 8;
}  // namespace flag

struct Header {
  FrameType type = FrameType::kData;
  std::uint16_t flags = 0;
  StreamId stream;  ///< 0 for the session: pings and GO_AWAY
  /// Data: bytes that follow. Window update: credit, or with RST an error code. Ping: an opaque
  /// value. GO_AWAY: a code.
  std::uint32_t length = 0;

  [[nodiscard]] bool has(std::uint16_t bits) const noexcept { return (flags & bits) != 0; }
  bool operator==(const Header&) const = default;
};

/// Writes the kHeaderSize bytes of `header` to `out`.
inline void encode_header(const Header& header, std::uint8_t* out) noexcept {
  out[0] = 0;
  out[1] = static_cast<std::uint8_t>(header.type);
  base::store_big_endian(out + 2, header.flags);
  base::store_big_endian(out + 4, header.stream.value);
  base::store_big_endian(out + 8, header.length);
}

/// Reads the kHeaderSize bytes at `in`. kInvalidVersion or kInvalidType when there is no such
/// frame; what a frame may say in a given state is the session's business.
[[nodiscard]] inline std::expected<Header, Error> decode_header(const std::uint8_t* in) noexcept {
  if (in[0] != 0) return std::unexpected(Error::kInvalidVersion);
  if (in[1] > static_cast<std::uint8_t>(FrameType::kGoAway)) {
    return std::unexpected(Error::kInvalidType);
  }
  return Header{static_cast<FrameType>(in[1]), base::load_big_endian<std::uint16_t>(in + 2),
                StreamId{base::load_big_endian<std::uint32_t>(in + 4)},
                base::load_big_endian<std::uint32_t>(in + 8)};
}

}  // namespace ggen::p2p::yamux
