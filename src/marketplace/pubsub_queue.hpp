#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <ggen/p2p/marketplace/pubsub.hpp>

namespace ggen::p2p::marketplace::pubsub {

/// What a subscription and its registry share.
class Subscription::Queue {
 public:
  using Leave = std::function<void(const Queue&)>;
  /// `leave` is called once, when nobody reads any more.
  Queue(asio::any_io_executor executor, Leave leave)
      : changed_(std::move(executor), asio::steady_timer::time_point::max()),
        leave_(std::move(leave)) {}

  void push(const Message& message) {
    bytes_ += message.data.size();
    messages_.push_back(message);
    while (messages_.size() > 1 && (messages_.size() > kMaxWaiting || bytes_ > kMaxWaitingBytes)) {
      bytes_ -= messages_.front().data.size();
      messages_.pop_front();
      ++dropped_;
    }
    changed_.cancel();
  }
  void close() {
    closed_ = true;
    changed_.cancel();
  }
  void leave() {
    if (leave_) std::exchange(leave_, nullptr)(*this);
  }

  static asio::awaitable<std::optional<Message>> next(std::shared_ptr<Queue> self) {
    while (self->messages_.empty() && !self->closed_) {
      std::error_code woken;
      auto waiting = self->changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      co_await std::move(waiting);
    }
    co_return self->pop();
  }

 private:
  std::optional<Message> pop() {
    if (messages_.empty()) return std::nullopt;
    Message message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message.data.size();
    message.dropped = std::exchange(dropped_, 0);
    return message;
  }

  asio::steady_timer changed_;  // never expires: whoever waits for a message is woken by cancel()
  Leave leave_;
  std::deque<Message> messages_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;  // since a message was last taken
  bool closed_ = false;
};

}  // namespace ggen::p2p::marketplace::pubsub
