#include <utility>

#include "subscription_queue.hpp"

namespace ggen::p2p::marketplace {

Subscription::Subscription(std::shared_ptr<Queue> queue) noexcept : queue_(std::move(queue)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&&) noexcept = default;
Subscription::~Subscription() = default;

asio::awaitable<std::optional<registry::event::EntryAdded>> Subscription::next() {
  return host::promised<Queue::Item>(
      [queue = queue_](auto promise) { queue->take(std::move(promise)); });
}

std::uint64_t Subscription::missed() const noexcept {
  return queue_->missed();
}

}  // namespace ggen::p2p::marketplace
