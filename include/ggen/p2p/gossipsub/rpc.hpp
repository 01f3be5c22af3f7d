#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/bytes.hpp>

/// The RPC message that pubsub peers exchange (libp2p/specs pubsub/README.md, pubsub/gossipsub).
/// Each travels behind its length (base/frame.hpp).
namespace ggen::p2p::gossipsub {

/// What one frame may hold. Entries are counted as their bytes are met, so that what decoding
/// allocates depends on these numbers and not on the frame.
struct RpcLimits {
  std::size_t max_subscriptions = 1024;
  /// rust-libp2p's limit.
  std::size_t max_messages = 5000;
  /// GRAFT, PRUNE, IHAVE, IWANT and IDONTWANT entries together.
  std::size_t max_controls = 2048;
  /// Message ids in each of IHAVE, IWANT and IDONTWANT. Those above it are left out: js-libp2p and
  /// go-libp2p advertise 5000 a topic.
  std::size_t max_ids = 8192;
  /// Bytes of a topic's name.
  std::size_t max_topic = 256;
  /// Bytes of a message id. Longer ones in control messages are left out.
  std::size_t max_id = 256;
  /// Peers named in one PRUNE; more are left out, and so are those whose record is longer. The
  /// records of identify have the same limit.
  std::size_t max_exchanged = 16;
  std::size_t max_record = 8 * 1024;
};

enum class RpcError : std::uint8_t {
  kMalformed,  ///< not an RPC message
  kTooManySubscriptions,
  kTooManyMessages,
  kTooManyControls,
  kTopicTooLong,
};
[[nodiscard]] std::string_view to_string(RpcError error) noexcept;

/// A Message as it lies in its frame. Which fields must be there is up to the signature policy.
struct MessageView {
  base::BytesView raw;  ///< all of it, unknown fields included: what is passed on
  std::optional<base::BytesView> from;
  std::optional<base::BytesView> data;
  std::optional<base::BytesView> seqno;
  std::optional<std::string_view> topic;
  std::optional<base::BytesView> signature;
  std::optional<base::BytesView> key;
};

struct SubscriptionView {
  bool subscribe = false;
  std::string_view topic;
};
struct IHaveView {
  std::string_view topic;
  std::vector<base::BytesView> ids;
};
/// A peer that another one names (gossipsub-v1.1.md, "Peer Exchange").
struct PeerInfoView {
  base::BytesView id;
  base::BytesView signed_record;  ///< an envelope; empty when it was left out
};
struct PruneView {
  std::string_view topic;
  /// Seconds; any number that a peer likes.
  std::optional<std::uint64_t> backoff;
  std::vector<PeerInfoView> peers;
};

/// The views point into the frame that was decoded.
struct Rpc {
  std::vector<SubscriptionView> subscriptions;
  std::vector<MessageView> messages;
  std::vector<IHaveView> ihave;
  std::vector<base::BytesView> iwant;
  std::vector<std::string_view> graft;
  std::vector<PruneView> prune;
  std::vector<base::BytesView> idontwant;
  /// There was an extensions message (gossipsub-v1.3.md). We know none of the extensions that it
  /// may name.
  bool extensions = false;
};

/// Takes fields in any order and skips unknown ones.
[[nodiscard]] std::expected<Rpc, RpcError> decode_rpc(base::BytesView rpc, const RpcLimits& limits);
/// Reads one Message.
[[nodiscard]] std::expected<MessageView, RpcError> decode_message(base::BytesView message,
                                                                  const RpcLimits& limits);

/// The bytes that a message's signature is over: the message without signature and key, its fields
/// in the order of their numbers and then the unknown ones, behind a prefix.
[[nodiscard]] base::Bytes signed_bytes(const MessageView& message);

/// A field of an RPC message.
[[nodiscard]] base::Bytes encode_subscription(bool subscribe, std::string_view topic);

// Fields of a ControlMessage. What is written one after the other is one message.
[[nodiscard]] base::Bytes encode_graft(std::string_view topic);
[[nodiscard]] base::Bytes encode_prune(std::string_view topic, std::optional<std::uint64_t> backoff,
                                       std::span<const PeerInfoView> peers = {});
[[nodiscard]] base::Bytes encode_ihave(std::string_view topic, std::span<const base::Bytes> ids);
[[nodiscard]] base::Bytes encode_iwant(std::span<const base::Bytes> ids);
[[nodiscard]] base::Bytes encode_idontwant(std::span<const base::Bytes> ids);
/// Names no extension.
[[nodiscard]] base::Bytes encode_extensions();

/// A Message.
[[nodiscard]] base::Bytes encode_message(const MessageView& message);

/// The frame of an RPC with these subscription and control fields.
[[nodiscard]] base::Buffer control_frame(base::BytesView subscriptions, base::BytesView control);
/// The frame of an RPC with one message, whose bytes are the last in it.
[[nodiscard]] base::Buffer message_frame(base::BytesView message);

}  // namespace ggen::p2p::gossipsub
