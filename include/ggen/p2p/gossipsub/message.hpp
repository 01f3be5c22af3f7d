#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// Messages, their ids and what an owner says about them (libp2p/specs pubsub/README.md).
namespace ggen::p2p::gossipsub {

/// Names a message within its topic. Every peer of a topic derives it in the same way.
using MessageId = base::Bytes;

/// What an id may be made of: the fields of a message as they are on the wire, empty when absent.
struct MessageFields {
  std::string_view topic;
  base::BytesView from;
  base::BytesView seqno;
  base::BytesView data;
};

/// A pure function, so that the same message has the same id everywhere. An id that is empty or
/// longer than RpcLimits::max_id makes the message invalid.
using MessageIdFunction = MessageId (*)(const MessageFields& fields);

/// The specification's default: the author, then its sequence number.
[[nodiscard]] MessageId origin_stamp_id(const MessageFields& fields);
/// SHA-256 of the data: whoever publishes the same data publishes the same message.
[[nodiscard]] MessageId content_hash_id(const MessageFields& fields);

/// A message whose signature is right.
struct Message {
  std::string topic;
  /// Who published it. Always there under strict signing.
  std::optional<multiformats::PeerId> author;
  /// Shares the memory of the whole message, which is at most Limits::max_frame: copy what is kept
  /// for long.
  base::Buffer data;
  MessageId id;
  /// Who handed it to us: the one to blame.
  multiformats::PeerId source;
};

struct PendingTag;
/// Names a message that waits for its owner's verdict.
using MessageToken = base::Id<PendingTag>;

enum class Verdict : std::uint8_t {
  kAccept,  ///< deliver it and pass it on
  kReject,  ///< wrong, and whoever passed it on is to blame
  kIgnore,  ///< neither passed on nor anybody's fault
};
[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;

}  // namespace ggen::p2p::gossipsub
