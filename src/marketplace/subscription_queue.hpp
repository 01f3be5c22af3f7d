#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include <ggen/p2p/host/promise.hpp>
#include <ggen/p2p/marketplace/subscription.hpp>

namespace ggen::p2p::marketplace {

/// What a subscription and its registry share.
class Subscription::Queue {
 public:
  using Item = std::optional<registry::event::EntryAdded>;

  void push(const registry::event::EntryAdded& entry) {
    if (waiting_) return std::exchange(waiting_, std::nullopt).value()(Item{entry});
    if (entries_.size() == kMaxWaiting) {
      entries_.pop_front();
      ++missed_;
    }
    entries_.push_back(entry);
  }
  void close() {
    closed_ = true;
    if (waiting_) std::exchange(waiting_, std::nullopt).value()(Item{});
  }
  void take(host::Promise<Item> promise) {
    if (!entries_.empty()) {
      Item next{std::move(entries_.front())};
      entries_.pop_front();
      promise(std::move(next));
    } else if (closed_) {
      promise(Item{});
    } else {
      waiting_ = std::move(promise);
    }
  }
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

 private:
  std::deque<registry::event::EntryAdded> entries_;
  std::optional<host::Promise<Item>> waiting_;
  std::uint64_t missed_ = 0;
  bool closed_ = false;
};

}  // namespace ggen::p2p::marketplace
