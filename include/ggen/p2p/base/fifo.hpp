#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace ggen::p2p::base {

/// A first-in first-out queue for the outputs of an engine: one allocation when warm, next to
/// nothing when idle (an empty std::deque holds more than half a kilobyte, which counts when there
/// are thousands of engines).
template <class T>
class Fifo {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == items_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size() - head_; }

  /// The next to come out; only while not empty.
  [[nodiscard]] T& front() noexcept { return items_[head_]; }

  void push(T item) { items_.push_back(std::move(item)); }

  std::optional<T> pop() {
    if (empty()) return std::nullopt;
    std::optional<T> item{std::move(items_[head_])};
    ++head_;
    if (empty()) {
      items_.clear();
      if (items_.capacity() > kKept) items_.shrink_to_fit();
      head_ = 0;
    } else if (head_ >= kKept && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return item;
  }

  void clear() noexcept {
    items_.clear();
    head_ = 0;
  }

 private:
  // Room that is kept while idle: a kilobyte at most, unless one item is larger.
  static constexpr std::size_t kKept = std::clamp<std::size_t>(1024 / sizeof(T), 1, 16);

  std::vector<T> items_;
  std::size_t head_ = 0;  // items before it were taken
};

}  // namespace ggen::p2p::base
