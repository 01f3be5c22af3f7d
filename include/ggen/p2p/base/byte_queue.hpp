#pragma once

#include <cstddef>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::base {

/// A first-in first-out queue of bytes made of buffer slices. It holds no memory while empty.
///
/// Memory is at most four times the bytes queued plus a block: a slice that keeps alive much more
/// than it carries is copied, so that a peer cannot pin 64 KiB blocks with one-byte frames.
class ByteQueue {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  void push(Buffer buffer);
  void push_copy(BytesView bytes);

  /// The contiguous bytes at the front; empty only when the queue is.
  [[nodiscard]] BytesView front() const noexcept;
  /// Drops `size` bytes (at most size()) from the front.
  void pop(std::size_t size) noexcept;
  /// Takes the front slice, cut to at most `limit` bytes.
  [[nodiscard]] Buffer take(std::size_t limit = SIZE_MAX);
  /// Moves up to out.size() bytes into `out`; returns how many.
  std::size_t read(MutableBytes out) noexcept;
  void clear() noexcept;

 private:
  std::vector<Buffer> slices_;
  std::size_t head_ = 0;  // slices before it were taken
  std::size_t size_ = 0;
};

}  // namespace ggen::p2p::base
