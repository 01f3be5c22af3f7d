#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/gossipsub/message.hpp>

#include "id_set.hpp"
#include "peer_key.hpp"

namespace ggen::p2p::gossipsub {

/// A message that can be sent on: its frame is made once and shared by all who get it.
struct CachedMessage {
  std::string topic;
  MessageId id;
  base::Buffer frame;
  /// How often each peer was sent it on request.
  std::map<PeerKey, std::size_t> served;
};

/// The messages of the last heartbeats: those that peers may ask for, of which the youngest are
/// advertised.
class MessageCache {
 public:
  /// Lengths in heartbeats; above `max_bytes` the oldest messages go early.
  MessageCache(std::size_t length, std::size_t gossip, std::size_t max_bytes)
      : length_(length), gossip_(gossip), max_bytes_(max_bytes) {}

  void put(IdHash hash, CachedMessage message);
  [[nodiscard]] CachedMessage* find(IdHash hash) { return messages_.find(hash); }
  /// The ids to advertise, by topic. The views point into the cache.
  [[nodiscard]] std::map<std::string_view, std::vector<MessageId>> advertised() const;
  /// A heartbeat has passed.
  void shift();
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    IdHash hash;
    std::uint64_t window = 0;
  };

  void drop_oldest();

  std::size_t length_;
  std::size_t gossip_;
  std::size_t max_bytes_;
  std::uint64_t window_ = 0;
  base::HashMap<IdHash, CachedMessage> messages_;
  std::deque<Entry> order_;  // the oldest first
  std::size_t bytes_ = 0;
};

}  // namespace ggen::p2p::gossipsub
