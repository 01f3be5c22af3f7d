#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/yamux/frame.hpp>

/// Frames as the tests see them on the wire.
namespace ggen::p2p::yamux::test {

struct Frame {
  Header header;
  base::Bytes body;
  bool operator==(const Frame&) const = default;
};

inline base::Bytes encode(const Header& header, base::BytesView body = {}) {
  base::Bytes bytes(kHeaderSize);
  encode_header(header, bytes.data());
  base::append(bytes, body);
  return bytes;
}

inline base::Bytes pattern(std::size_t size, std::uint8_t seed = 0) {
  base::Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>((i * 131 + i / 251 + seed) & 0xff);
  }
  return bytes;
}

inline Header data(std::uint32_t stream, std::uint32_t length, std::uint16_t flags = 0) {
  return {FrameType::kData, flags, {stream}, length};
}
inline Header update(std::uint32_t stream, std::uint32_t delta, std::uint16_t flags = 0) {
  return {FrameType::kWindowUpdate, flags, {stream}, delta};
}
inline Header ping(std::uint32_t value, std::uint16_t flags = flag::kSyn) {
  return {FrameType::kPing, flags, {}, value};
}
inline Header go_away(std::uint32_t code) {
  return {FrameType::kGoAway, 0, {}, code};
}

/// Reads frames off bytes that are cut anywhere.
class FrameParser {
 public:
  /// The frames that have become whole. What a session sends is well-formed, so anything else
  /// throws.
  std::vector<Frame> feed(base::BytesView bytes) {
    base::append(pending_, bytes);
    std::vector<Frame> frames;
    std::size_t at = 0;
    while (pending_.size() - at >= kHeaderSize) {
      const Header header = decode_header(pending_.data() + at).value();
      const std::size_t length = header.type == FrameType::kData ? header.length : 0;
      if (pending_.size() - at - kHeaderSize < length) break;
      const auto body = pending_.begin() + static_cast<std::ptrdiff_t>(at + kHeaderSize);
      frames.push_back({header, {body, body + static_cast<std::ptrdiff_t>(length)}});
      at += kHeaderSize + length;
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
    return frames;
  }
  [[nodiscard]] bool between_frames() const { return pending_.empty(); }

 private:
  base::Bytes pending_;
};

}  // namespace ggen::p2p::yamux::test
