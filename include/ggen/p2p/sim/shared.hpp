#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace ggen::p2p::sim {

/// A value that never changes again and that many stores hold: eight bytes for each of them, and
/// the count lies beside the value. Handles may live on different threads; one handle is not for
/// two threads at once.
template <class T>
class Shared {
 public:
  /// Holds nothing.
  Shared() noexcept = default;
  template <class... Args>
  [[nodiscard]] static Shared make(Args&&... args) {
    return Shared(new Block{T(std::forward<Args>(args)...)});
  }
  Shared(const Shared& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Shared() {
    if (block_ == nullptr) return;
    if (block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete block_;
  }

  [[nodiscard]] const T& operator*() const noexcept { return block_->value; }
  [[nodiscard]] const T* operator->() const noexcept { return &block_->value; }

  /// True when nobody else holds the value.
  [[nodiscard]] bool unique() const noexcept {
    return block_ != nullptr && block_->references.load(std::memory_order_acquire) == 1;
  }

 private:
  struct Block {
    const T value;
    std::atomic<std::uint32_t> references{1};
  };
  explicit Shared(Block* block) noexcept : block_(block) {}

  Block* block_ = nullptr;
};

}  // namespace ggen::p2p::sim
