#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <asio/awaitable.hpp>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/gossipsub/message.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// Messages on topics of one's own, by the gossip beneath a registry.
namespace ggen::p2p::marketplace::pubsub {

struct Message {
  /// Who published it: that is signed.
  std::optional<multiformats::PeerId> author;
  /// Who handed it to this node; the node itself for what it has published.
  multiformats::PeerId source;
  gossipsub::MessageId id;
  base::Bytes data;
  base::WallTime received;
  /// Messages that went since the one before, because nobody took them.
  std::uint64_t dropped = 0;
};

struct Published {
  gossipsub::MessageId id;
  std::size_t peers = 0;  ///< to whom it is sent; they pass it on
};

/// The messages of a topic from the moment of Registry::subscribe_to() on, those that this node
/// publishes included. The node is in the topic while there is such a subscription. Used on the
/// registry's executor; may outlive the registry.
class Subscription {
 public:
  /// What waits for a slow reader, in messages and in bytes of data; beyond either the oldest go.
  /// One message may always wait.
  static constexpr std::size_t kMaxWaiting = 1024;
  static constexpr std::size_t kMaxWaitingBytes = std::size_t{4} * 1024 * 1024;

  class Queue;  // shared with the registry
  explicit Subscription(std::shared_ptr<Queue> queue) noexcept;
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  ~Subscription();

  /// The next message; nothing when the registry has stopped. One call at a time. Honours asio's
  /// cancellation (terminal): it then throws asio::error::operation_aborted.
  [[nodiscard]] asio::awaitable<std::optional<Message>> next();

 private:
  std::shared_ptr<Queue> queue_;
};

}  // namespace ggen::p2p::marketplace::pubsub
