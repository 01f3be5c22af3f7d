#pragma once

#include <optional>
#include <set>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/gossipsub/message.hpp>

#include "backoff.hpp"
#include "peer_key.hpp"

namespace ggen::p2p::gossipsub {

/// A topic that we or a peer subscribe to, or that we have published on.
struct Topic {
  MessageIdFunction message_id = origin_stamp_id;
  bool subscribed = false;  // by us
  std::set<PeerKey> subscribers;
  std::set<PeerKey> mesh;  // while we subscribe; all of them subscribers
  /// While we publish without subscribing; all of them subscribers.
  std::set<PeerKey> fanout;
  std::optional<base::Instant> fanout_expires;
  Backoffs backoffs;

  [[nodiscard]] bool idle() const {
    return !subscribed && !fanout_expires && subscribers.empty() && backoffs.size() == 0;
  }
};

}  // namespace ggen::p2p::gossipsub
