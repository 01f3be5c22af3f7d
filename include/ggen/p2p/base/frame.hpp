#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/varint.hpp>

/// Length-prefixed frames: an unsigned varint, then as many bytes. Most libp2p protocols carry
/// their messages in them.
namespace ggen::p2p::base {

enum class FrameError : std::uint8_t {
  kBadLength,  ///< the prefix is not a valid varint
  kTooLarge,   ///< the prefix announces more than the limit
};
[[nodiscard]] std::string_view to_string(FrameError error) noexcept;

/// Cuts a byte stream into frames, however it was fragmented. A length prefix is never believed
/// before its bytes arrive: memory follows what was received of the current frame.
class FrameDecoder {
 public:
  /// Frames may carry up to `max_size` bytes, the prefix not counted.
  explicit FrameDecoder(std::size_t max_size) noexcept : max_size_(max_size) {}

  /// Takes the bytes of one frame from the front of `data`. Returns the frame when it is complete,
  /// leaving what follows it in `data`; otherwise takes all of `data` and returns nothing. A frame
  /// that lies in `data` as a whole shares its block: copy what is kept for long. After an error
  /// the decoder is of no use.
  [[nodiscard]] std::expected<std::optional<Buffer>, FrameError> take(Buffer& data);

  /// True when the byte stream may end here: no frame has begun.
  [[nodiscard]] bool between_frames() const noexcept { return prefix_size_ == 0; }

 private:
  [[nodiscard]] std::expected<bool, FrameError> take_prefix(Buffer& data);
  void gather(BytesView bytes);

  std::size_t max_size_;
  std::size_t size_ = 0;  // announced, once the prefix is complete
  std::uint8_t prefix_[kMaxVarintBytes] = {};
  std::uint8_t prefix_size_ = 0;
  bool prefix_complete_ = false;
  Buffer gathered_;
};

/// `payload` behind its length prefix.
[[nodiscard]] Buffer encode_frame(BytesView payload);

}  // namespace ggen::p2p::base
