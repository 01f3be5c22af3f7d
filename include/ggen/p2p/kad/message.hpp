#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

/// The one message of the protocol (libp2p/specs kad-dht, "RPC messages"), without its length
/// prefix. Reading is tolerant of what other implementations send, writing is strict: one message,
/// one encoding.
namespace ggen::p2p::kad {

/// Values are those on the wire.
enum class MessageType : std::uint8_t {
  kPutValue = 0,
  kGetValue = 1,
  kAddProvider = 2,
  kGetProviders = 3,
  kFindNode = 4,
  kPing = 5,  ///< deprecated: answered, never sent
};
[[nodiscard]] std::string_view to_string(MessageType type) noexcept;

/// What the sender of a PeerRecord knows of its connection to that peer. Values are those on the
/// wire.
enum class Connectedness : std::uint8_t {
  kNotConnected = 0,
  kConnected = 1,
  kCanConnect = 2,
  kCannotConnect = 3,
};

/// A peer and where it is said to be: a claim of whoever sent it.
struct PeerRecord {
  multiformats::PeerId peer;
  std::vector<multiformats::Multiaddr> addresses;  ///< without a trailing /p2p of the peer
  Connectedness connection = Connectedness::kNotConnected;
  bool operator==(const PeerRecord&) const = default;
};

/// A value as it travels.
struct Record {
  base::Bytes key;
  base::Bytes value;
  /// RFC 3339. Nothing is concluded from it, but some implementations refuse records without.
  std::string time_received;
  bool operator==(const Record&) const = default;
};

struct Message {
  MessageType type = MessageType::kFindNode;
  base::Bytes key{};
  std::optional<Record> record{};
  std::vector<PeerRecord> closer{};
  std::vector<PeerRecord> providers{};
  bool operator==(const Message&) const = default;
};

/// What is kept of a message. The size of the whole is limited by its frame.
struct MessageLimits {
  std::size_t max_key = 1024;          ///< bytes; a message with a longer key is refused
  std::size_t max_peers = 20;          ///< of each list; those behind are ignored
  std::size_t max_peer_record = 8192;  ///< bytes of one peer; addresses beyond are ignored
  std::size_t max_addresses = 32;      ///< of one peer; those behind are ignored
  std::size_t max_time_received = 64;  ///< characters; a longer text is dropped
};

enum class MessageError : std::uint8_t {
  kMalformed,    ///< not a protobuf message
  kUnknownType,  ///< a type this protocol does not have
  kKeyTooLong,
};
[[nodiscard]] std::string_view to_string(MessageError error) noexcept;

/// Reads a message. Unknown fields, peers without a valid id, repeated peers, and addresses that
/// are invalid or name another peer are skipped.
[[nodiscard]] std::expected<Message, MessageError> decode_message(base::BytesView bytes,
                                                                  const MessageLimits& limits);

[[nodiscard]] base::Bytes encode_message(const Message& message);

/// Bytes that a peer takes in either list of a message.
[[nodiscard]] std::size_t encoded_size(const PeerRecord& record);

}  // namespace ggen::p2p::kad
