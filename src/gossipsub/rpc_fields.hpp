#pragma once

#include <cstdint>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::gossipsub {

/// Field numbers (pubsub/README.md, gossipsub/extensions/extensions.proto), by message.
enum Field : std::uint32_t {
  kRpcSubscriptions = 1,
  kRpcPublish = 2,
  kRpcControl = 3,

  kSubscribe = 1,
  kSubscriptionTopic = 2,

  kMessageFrom = 1,
  kMessageData = 2,
  kMessageSeqno = 3,
  kMessageTopic = 4,
  kMessageSignature = 5,
  kMessageKey = 6,

  kControlIHave = 1,
  kControlIWant = 2,
  kControlGraft = 3,
  kControlPrune = 4,
  kControlIDontWant = 5,
  kControlExtensions = 6,

  kIHaveTopic = 1,
  kIHaveIds = 2,
  kWantIds = 1,
  kPruneTopic = 1,
  kPrunePeers = 2,
  kPruneBackoff = 3,
  kPeerInfoId = 1,
  kPeerInfoRecord = 2,
};

/// The fields of a Message that are none of ours, as they are. The message must have been decoded
/// before: malformed bytes throw.
[[nodiscard]] base::Bytes unknown_message_fields(base::BytesView message);

}  // namespace ggen::p2p::gossipsub
