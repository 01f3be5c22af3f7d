#pragma once

#include <cstdint>
#include <utility>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::base {

namespace detail {
struct Block;
}

/// A slice of a pooled, reference-counted block of memory. Copying a Buffer shares the block; it
/// never copies bytes.
///
/// Blocks come from a pool of the calling thread, so that a warm data path allocates nothing.
/// Buffers may be handed to another thread and released there; two threads must not use the same
/// Buffer object at once.
class Buffer {
 public:
  Buffer() noexcept = default;
  Buffer(const Buffer& other) noexcept;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer other) noexcept;
  ~Buffer();

  /// An unshared buffer of `size` uninitialised bytes.
  [[nodiscard]] static Buffer allocate(std::size_t size);
  [[nodiscard]] static Buffer copy_of(BytesView bytes);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return data_; }
  [[nodiscard]] BytesView view() const noexcept { return {data_, size_}; }

  /// Write access; only while no other Buffer shares the block.
  [[nodiscard]] MutableBytes writable() noexcept;
  [[nodiscard]] bool unique() const noexcept;

  /// The part that starts at `offset`, `size` bytes long, sharing this block. Must lie within this
  /// buffer.
  [[nodiscard]] Buffer slice(std::size_t offset, std::size_t size) const noexcept;
  void remove_prefix(std::size_t size) noexcept;
  void truncate(std::size_t size) noexcept;

  /// Bytes that follow this slice in its block and that nobody else uses: 0 when the block is
  /// shared.
  [[nodiscard]] std::size_t spare() const noexcept;
  /// Appends up to spare() bytes in place; returns how many.
  std::size_t append_in_place(BytesView bytes) noexcept;

  /// Bytes of memory that this slice keeps alive.
  [[nodiscard]] std::size_t footprint() const noexcept;

  /// Blocks that this thread has handed out and not got back, over all Buffers: what is left when
  /// nobody should hold one has leaked. A block counts down where it is released.
  [[nodiscard]] static std::int64_t live_blocks() noexcept;

  friend void swap(Buffer& a, Buffer& b) noexcept {
    std::swap(a.block_, b.block_);
    std::swap(a.data_, b.data_);
    std::swap(a.size_, b.size_);
  }

 private:
  Buffer(detail::Block* block, std::uint8_t* data, std::size_t size) noexcept
      : block_(block), data_(data), size_(size) {}

  detail::Block* block_ = nullptr;
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ggen::p2p::base
