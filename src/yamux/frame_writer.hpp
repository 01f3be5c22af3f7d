#pragma once

#include <cstddef>

#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/yamux/frame.hpp>

namespace ggen::p2p::yamux {

/// Puts whole frames into a span, one after the other. The caller sees to it that they fit.
class FrameWriter {
 public:
  explicit FrameWriter(base::MutableBytes out) noexcept : out_(out) {}

  [[nodiscard]] std::size_t written() const noexcept { return written_; }
  [[nodiscard]] std::size_t room() const noexcept { return out_.size() - written_; }
  [[nodiscard]] bool full() const noexcept { return room() < kHeaderSize; }

  void header(const Header& header) noexcept {
    encode_header(header, out_.data() + written_);
    written_ += kHeaderSize;
  }
  /// The body of the last header: `size` bytes off the front of `queue`.
  void body(base::ByteQueue& queue, std::size_t size) noexcept {
    written_ += queue.read(out_.subspan(written_, size));
  }

 private:
  base::MutableBytes out_;
  std::size_t written_ = 0;
};

}  // namespace ggen::p2p::yamux
