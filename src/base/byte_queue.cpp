#include <algorithm>
#include <cstring>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/byte_queue.hpp>

namespace ggen::p2p::base {
namespace {

// A slice that uses less than this share of its block is copied instead of kept.
constexpr std::size_t kWorthKeepingShare = 4;
// Small pushes gather in blocks of this size.
constexpr std::size_t kGatherBytes = 4096 - 64;

}  // namespace

void ByteQueue::push(Buffer buffer) {
  if (buffer.empty()) return;
  if (buffer.size() * kWorthKeepingShare < buffer.footprint()) {
    push_copy(buffer.view());
    return;
  }
  size_ += buffer.size();
  slices_.push_back(std::move(buffer));
}

void ByteQueue::push_copy(BytesView bytes) {
  size_ += bytes.size();
  if (head_ < slices_.size()) {
    bytes = bytes.subspan(slices_.back().append_in_place(bytes));
  }
  if (bytes.empty()) return;
  // A first small push gets a small block: most streams carry one short message. A second one shows
  // a longer run.
  const bool gather = head_ < slices_.size() && bytes.size() < kGatherBytes;
  Buffer block = Buffer::allocate(gather ? kGatherBytes : bytes.size());
  block.truncate(0);
  block.append_in_place(bytes);
  slices_.push_back(std::move(block));
}

BytesView ByteQueue::front() const noexcept {
  return empty() ? BytesView{} : slices_[head_].view();
}

void ByteQueue::pop(std::size_t size) noexcept {
  GGEN_INVARIANT(size <= size_);
  size_ -= size;
  while (size > 0) {
    Buffer& slice = slices_[head_];
    if (size < slice.size()) {
      slice.remove_prefix(size);
      return;
    }
    size -= slice.size();
    slice = Buffer{};
    ++head_;
  }
  if (size_ == 0) {
    clear();
  } else if (head_ > 32 && head_ * 2 > slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

Buffer ByteQueue::take(std::size_t limit) {
  if (empty()) return {};
  Buffer front = slices_[head_].slice(0, std::min(limit, slices_[head_].size()));
  pop(front.size());
  return front;
}

std::size_t ByteQueue::read(MutableBytes out) noexcept {
  std::size_t done = 0;
  while (done < out.size() && !empty()) {
    const BytesView chunk = front();
    const std::size_t size = std::min(chunk.size(), out.size() - done);
    std::memcpy(out.data() + done, chunk.data(), size);
    pop(size);
    done += size;
  }
  return done;
}

void ByteQueue::clear() noexcept {
  // Streams that carried a lot give their index back; the common few slices stay warm.
  slices_.clear();
  if (slices_.capacity() > 16) std::vector<Buffer>{}.swap(slices_);
  head_ = 0;
  size_ = 0;
}

}  // namespace ggen::p2p::base
