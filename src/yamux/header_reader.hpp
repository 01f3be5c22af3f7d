#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/yamux/frame.hpp>

namespace ggen::p2p::yamux {

/// Takes whole headers off bytes that are cut anywhere.
class HeaderReader {
 public:
  /// The kHeaderSize bytes of the next header, taken from the front of `bytes`; valid until either
  /// changes. Null when more bytes are needed: then all of them have been taken.
  [[nodiscard]] const std::uint8_t* take(base::Buffer& bytes) noexcept {
    if (have_ == 0 && bytes.size() >= kHeaderSize) {
      const std::uint8_t* header = bytes.data();
      bytes.remove_prefix(kHeaderSize);
      return header;
    }
    const std::size_t size = std::min(kHeaderSize - have_, bytes.size());
    std::memcpy(partial_.data() + have_, bytes.data(), size);
    bytes.remove_prefix(size);
    have_ += size;
    if (have_ < kHeaderSize) return nullptr;
    have_ = 0;
    return partial_.data();
  }

 private:
  std::array<std::uint8_t, kHeaderSize> partial_{};
  std::size_t have_ = 0;
};

}  // namespace ggen::p2p::yamux
