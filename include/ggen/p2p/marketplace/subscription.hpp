#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <asio/awaitable.hpp>

#include <ggen/p2p/registry/engine.hpp>

namespace ggen::p2p::marketplace {

/// Entries as they become known here, from the moment of Registry::subscribe() on. Used on the
/// registry's executor, which it may outlive.
class Subscription {
 public:
  /// Entries that wait for a slow reader; beyond this the oldest go.
  static constexpr std::size_t kMaxWaiting = 1024;

  class Queue;  // shared with the registry
  explicit Subscription(std::shared_ptr<Queue> queue) noexcept;
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();

  /// The next entry; nothing when the registry has stopped. One call at a time.
  [[nodiscard]] asio::awaitable<std::optional<registry::event::EntryAdded>> next();
  /// Entries that went because nobody took them.
  [[nodiscard]] std::uint64_t missed() const noexcept;

 private:
  std::shared_ptr<Queue> queue_;
};

}  // namespace ggen::p2p::marketplace
