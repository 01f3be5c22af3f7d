#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/gossipsub/config.hpp>

#include "id_set.hpp"

namespace ggen::p2p::gossipsub {

/// Gathers subscription and control fields into frames of a bounded size.
class ControlBatcher {
 public:
  ControlBatcher(std::size_t max_frame, std::size_t max_bytes)
      : max_frame_(max_frame), max_bytes_(max_bytes) {}

  /// False when there is no room for it.
  bool add_subscription(base::BytesView field);
  bool add_control(base::BytesView field);
  std::optional<base::Buffer> pop();
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Batch {
    base::Bytes subscriptions;
    base::Bytes control;
    [[nodiscard]] std::size_t size() const { return subscriptions.size() + control.size(); }
  };

  bool make_room(std::size_t size);

  std::size_t max_frame_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  base::Fifo<Batch> full_;
  Batch open_;
};

/// A message on its way to one peer.
struct Outgoing {
  IdHash id;
  base::Buffer frame;  // shared with the cache and the other queues
};

/// What waits for one peer to read it. Control comes before our own messages, these before those of
/// others, gossip last; each kind has its limit, so that none can starve another of room.
class SendQueue {
 public:
  explicit SendQueue(const Limits& limits);

  /// False when the peer leaves so much unread that it no longer knows our state.
  bool push_subscription(base::BytesView field) { return control_.add_subscription(field); }
  bool push_control(base::BytesView field) { return control_.add_control(field); }
  /// False when it is dropped because there is no room: gossip is repeated anyway.
  bool push_gossip(base::BytesView field) { return gossip_.add_control(field); }
  /// Own messages make room by dropping others'. Return how many messages were dropped, which may
  /// include this one.
  std::size_t push_own(Outgoing message);
  std::size_t push_forwarded(Outgoing message);

  /// The next frame to write. Messages that the peer said it does not want are skipped; `skipped`
  /// counts them.
  std::optional<base::Buffer> pop(const AgingIdSet& unwanted, std::uint64_t& skipped);
  [[nodiscard]] std::size_t bytes() const noexcept {
    return control_.bytes() + gossip_.bytes() + message_bytes_;
  }

 private:
  using Messages = base::Fifo<Outgoing>;

  std::optional<base::Buffer> pop_message(Messages& from, const AgingIdSet& unwanted,
                                          std::uint64_t& skipped);
  [[nodiscard]] bool fits(const Outgoing& message) const;

  std::size_t max_message_bytes_;
  std::size_t message_bytes_ = 0;
  ControlBatcher control_;
  ControlBatcher gossip_;
  Messages own_;
  Messages forwarded_;
};

}  // namespace ggen::p2p::gossipsub
