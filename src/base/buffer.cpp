#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <new>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/buffer.hpp>

namespace ggen::p2p::base {
namespace detail {

struct Block {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t size_class = 0;
  std::size_t capacity = 0;
  Block* next_free = nullptr;

  std::uint8_t* bytes() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
};

}  // namespace detail

namespace {

using detail::Block;

// Size classes are the powers of two from 256 B to 128 KiB, the header included: a class holds any
// Noise message and any chunk that a driver reads at once. Larger blocks are not pooled.
constexpr std::size_t kSmallestClassBits = 8;
constexpr std::size_t kLargestClassBits = 17;
constexpr std::size_t kClasses = kLargestClassBits - kSmallestClassBits + 1;
constexpr std::uint32_t kUnpooled = kClasses;

// What a thread keeps for reuse in each class. Enough for the working set of a busy connection; the
// rest goes back.
constexpr std::size_t kKeptBytesPerClass = 512 * 1024;

void free_block(Block* block) noexcept {
  block->~Block();
  ::operator delete(block);
}

class ThreadPool {
 public:
  ~ThreadPool() {
    closed_ = true;
    for (Block*& head : free_) {
      while (head != nullptr) free_block(std::exchange(head, head->next_free));
    }
  }

  Block* take(std::size_t payload) {
    ++live_;
    const std::size_t bytes = payload + sizeof(Block);
    const std::size_t bits = std::max<std::size_t>(kSmallestClassBits, std::bit_width(bytes - 1));
    if (bits > kLargestClassBits) return make(bytes, kUnpooled);
    const std::size_t size_class = bits - kSmallestClassBits;
    if (Block* block = free_[size_class]) {
      free_[size_class] = block->next_free;
      --kept_[size_class];
      block->references.store(1, std::memory_order_relaxed);
      return block;
    }
    return make(std::size_t{1} << bits, static_cast<std::uint32_t>(size_class));
  }

  void give_back(Block* block) noexcept {
    --live_;
    const std::uint32_t size_class = block->size_class;
    if (closed_ || size_class == kUnpooled ||
        ((kept_[size_class] + 1) << (size_class + kSmallestClassBits)) > kKeptBytesPerClass) {
      free_block(block);
      return;
    }
    block->next_free = free_[size_class];
    free_[size_class] = block;
    ++kept_[size_class];
  }

  [[nodiscard]] std::int64_t live() const noexcept { return live_; }

 private:
  static Block* make(std::size_t bytes, std::uint32_t size_class) {
    auto* block = new (::operator new(bytes)) Block;
    block->size_class = size_class;
    block->capacity = bytes - sizeof(Block);
    return block;
  }

  std::array<Block*, kClasses> free_{};
  std::array<std::size_t, kClasses> kept_{};
  std::int64_t live_ = 0;
  bool closed_ = false;
};

ThreadPool& pool() {
  thread_local ThreadPool instance;
  return instance;
}

void release(Block* block) noexcept {
  if (block != nullptr && block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    pool().give_back(block);
  }
}

}  // namespace

Buffer::Buffer(const Buffer& other) noexcept
    : block_(other.block_), data_(other.data_), size_(other.size_) {
  if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
}

Buffer::Buffer(Buffer&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer other) noexcept {
  swap(*this, other);
  return *this;
}

Buffer::~Buffer() {
  release(block_);
}

Buffer Buffer::allocate(std::size_t size) {
  if (size == 0) return {};
  Block* block = pool().take(size);
  return {block, block->bytes(), size};
}

Buffer Buffer::copy_of(BytesView bytes) {
  Buffer buffer = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.data_, bytes.data(), bytes.size());
  return buffer;
}

MutableBytes Buffer::writable() noexcept {
  GGEN_INVARIANT(block_ == nullptr || unique());
  return {data_, size_};
}

bool Buffer::unique() const noexcept {
  return block_ != nullptr && block_->references.load(std::memory_order_acquire) == 1;
}

Buffer Buffer::slice(std::size_t offset, std::size_t size) const noexcept {
  GGEN_INVARIANT(offset <= size_ && size <= size_ - offset);
  if (size == 0) return {};
  Buffer part = *this;
  part.data_ += offset;
  part.size_ = size;
  return part;
}

void Buffer::remove_prefix(std::size_t size) noexcept {
  GGEN_INVARIANT(size <= size_);
  data_ += size;
  size_ -= size;
}

void Buffer::truncate(std::size_t size) noexcept {
  GGEN_INVARIANT(size <= size_);
  size_ = size;
}

std::size_t Buffer::spare() const noexcept {
  if (!unique()) return 0;
  return static_cast<std::size_t>(block_->bytes() + block_->capacity - (data_ + size_));
}

std::size_t Buffer::append_in_place(BytesView bytes) noexcept {
  const std::size_t size = std::min(spare(), bytes.size());
  if (size > 0) std::memcpy(data_ + size_, bytes.data(), size);
  size_ += size;
  return size;
}

std::int64_t Buffer::live_blocks() noexcept {
  return pool().live();
}

std::size_t Buffer::footprint() const noexcept {
  return block_ == nullptr ? 0 : block_->capacity + sizeof(Block);
}

}  // namespace ggen::p2p::base
