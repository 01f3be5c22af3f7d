#include <algorithm>

#include <protozero/pbf_reader.hpp>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/kad/message.hpp>

namespace ggen::p2p::kad {
namespace {

using multiformats::Multiaddr;
using multiformats::PeerId;
using protozero::pbf_wire_type;

// Field numbers of Message, Record and Peer.
enum Field : protozero::pbf_tag_type {
  kType = 1,
  kKey = 2,
  kRecord = 3,
  kCloserPeers = 8,
  kProviderPeers = 9,

  kRecordKey = 1,
  kRecordValue = 2,
  kRecordTimeReceived = 5,

  kPeerId = 1,
  kPeerAddress = 2,
  kPeerConnection = 3,
};

constexpr std::uint32_t bytes_field(Field field) {
  return protozero::tag_and_type(field, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t number_field(Field field) {
  return protozero::tag_and_type(field, pbf_wire_type::varint);
}

base::BytesView take_bytes(protozero::pbf_reader& reader) {
  const protozero::data_view view = reader.get_view();
  return base::as_bytes({view.data(), view.size()});
}

Connectedness to_connectedness(std::uint64_t value) {
  return value <= 3 ? static_cast<Connectedness>(value) : Connectedness::kNotConnected;
}

Record read_record(protozero::pbf_reader reader, const MessageLimits& limits) {
  Record record;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(kRecordKey):
        record.key = base::to_bytes(take_bytes(reader));
        break;
      case bytes_field(kRecordValue):
        record.value = base::to_bytes(take_bytes(reader));
        break;
      case bytes_field(kRecordTimeReceived): {
        const base::BytesView text = take_bytes(reader);
        if (text.size() <= limits.max_time_received) record.time_received = base::as_text(text);
        break;
      }
      default:
        reader.skip();
    }
  }
  return record;
}

constexpr std::size_t kUsualAddresses = 8;

// The addresses of a peer, as they stand: the id that they must fit may come behind them.
struct RawPeer {
  base::BytesView id;
  std::vector<base::BytesView> addresses;
  Connectedness connection = Connectedness::kNotConnected;
};

RawPeer read_raw_peer(protozero::pbf_reader reader, const MessageLimits& limits) {
  RawPeer peer;
  peer.addresses.reserve(kUsualAddresses);
  std::size_t size = PeerId::kMaxBytes + 4;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(kPeerId):
        peer.id = take_bytes(reader);
        break;
      case bytes_field(kPeerAddress): {
        const base::BytesView address = take_bytes(reader);
        size += 1 + base::varint_size(address.size()) + address.size();
        if (size <= limits.max_peer_record && peer.addresses.size() < limits.max_addresses) {
          peer.addresses.push_back(address);
        }
        break;
      }
      case number_field(kPeerConnection):
        peer.connection = to_connectedness(reader.get_uint64());
        break;
      default:
        reader.skip();
    }
  }
  return peer;
}

void add_peer(std::vector<PeerRecord>& to, const RawPeer& raw) {
  const auto id = PeerId::decode(raw.id);
  if (!id) return;
  if (std::ranges::any_of(to, [&](const PeerRecord& known) { return known.peer == *id; })) return;
  PeerRecord record{*id, {}, raw.connection};
  record.addresses.reserve(raw.addresses.size());
  for (const base::BytesView bytes : raw.addresses) {
    auto address = Multiaddr::decode(bytes);
    if (!address) continue;
    if (const auto named = address->peer_id()) {
      if (*named != *id) continue;
      *address = address->without_peer_id();
      if (address->empty()) continue;
    }
    record.addresses.push_back(std::move(*address));
  }
  to.push_back(std::move(record));
}

/// Reads one peer of a list; takes its bytes in any case.
void read_peer(protozero::pbf_reader& reader, std::vector<PeerRecord>& to,
               const MessageLimits& limits) {
  const protozero::data_view view = reader.get_view();
  if (to.size() >= limits.max_peers) return;
  add_peer(to, read_raw_peer(protozero::pbf_reader{view}, limits));
}

std::expected<Message, MessageError> read_message(protozero::pbf_reader reader,
                                                  const MessageLimits& limits) {
  Message message;
  message.type = MessageType::kPutValue;  // the default of the field
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case number_field(kType): {
        const std::uint64_t type = reader.get_uint64();
        if (type > 5) return std::unexpected(MessageError::kUnknownType);
        message.type = static_cast<MessageType>(type);
        break;
      }
      case bytes_field(kKey): {
        const base::BytesView key = take_bytes(reader);
        if (key.size() > limits.max_key) return std::unexpected(MessageError::kKeyTooLong);
        message.key = base::to_bytes(key);
        break;
      }
      case bytes_field(kRecord):
        message.record = read_record(reader.get_message(), limits);
        break;
      case bytes_field(kCloserPeers):
        read_peer(reader, message.closer, limits);
        break;
      case bytes_field(kProviderPeers):
        read_peer(reader, message.providers, limits);
        break;
      default:
        reader.skip();
    }
  }
  if (message.record && message.record->key.size() > limits.max_key) {
    return std::unexpected(MessageError::kKeyTooLong);
  }
  return message;
}

// Writing.

std::size_t bytes_size(std::size_t size) {
  return 1 + base::varint_size(size) + size;
}

void append_prefix(base::Bytes& to, Field field, std::size_t size) {
  to.push_back(static_cast<std::uint8_t>(field << 3 | 2));
  base::append_varint(to, size);
}
void append_bytes(base::Bytes& to, Field field, base::BytesView bytes) {
  append_prefix(to, field, bytes.size());
  base::append(to, bytes);
}
void append_number(base::Bytes& to, Field field, std::uint8_t value) {
  to.push_back(static_cast<std::uint8_t>(field << 3));
  to.push_back(value);  // all numbers of this protocol are below 128
}

std::size_t body_size(const PeerRecord& record) {
  std::size_t size = bytes_size(record.peer.bytes().size());
  for (const Multiaddr& address : record.addresses) size += bytes_size(address.bytes().size());
  return size + (record.connection == Connectedness::kNotConnected ? 0 : 2);
}

// About what the message takes, so that its bytes need not move while it is written.
std::size_t message_size(const Message& message) {
  std::size_t size = 64 + message.key.size();
  if (message.record) size += message.record->key.size() + message.record->value.size() + 64;
  for (const auto* peers : {&message.closer, &message.providers}) {
    for (const PeerRecord& peer : *peers) size += bytes_size(body_size(peer));
  }
  return size;
}

void append_peer(base::Bytes& to, Field field, const PeerRecord& record) {
  append_prefix(to, field, body_size(record));
  append_bytes(to, kPeerId, record.peer.bytes());
  for (const Multiaddr& address : record.addresses) {
    append_bytes(to, kPeerAddress, address.bytes());
  }
  if (record.connection != Connectedness::kNotConnected) {
    append_number(to, kPeerConnection, static_cast<std::uint8_t>(record.connection));
  }
}

void append_record(base::Bytes& to, const Record& record) {
  const std::size_t time =
      record.time_received.empty() ? 0 : bytes_size(record.time_received.size());
  append_prefix(to, kRecord,
                bytes_size(record.key.size()) + bytes_size(record.value.size()) + time);
  append_bytes(to, kRecordKey, record.key);
  append_bytes(to, kRecordValue, record.value);
  if (time > 0) append_bytes(to, kRecordTimeReceived, base::as_bytes(record.time_received));
}

}  // namespace

std::string_view to_string(MessageType type) noexcept {
  switch (type) {
    case MessageType::kPutValue:
      return "PUT_VALUE";
    case MessageType::kGetValue:
      return "GET_VALUE";
    case MessageType::kAddProvider:
      return "ADD_PROVIDER";
    case MessageType::kGetProviders:
      return "GET_PROVIDERS";
    case MessageType::kFindNode:
      return "FIND_NODE";
    case MessageType::kPing:
      return "PING";
  }
  return "unknown";
}

std::string_view to_string(MessageError error) noexcept {
  switch (error) {
    case MessageError::kMalformed:
      return "not a protobuf message";
    case MessageError::kUnknownType:
      return "a message of an unknown type";
    case MessageError::kKeyTooLong:
      return "a key above the limit";
  }
  return "unknown message error";
}

std::expected<Message, MessageError> decode_message(base::BytesView bytes,
                                                    const MessageLimits& limits) {
  try {
    const std::string_view text = base::as_text(bytes);
    return read_message(protozero::pbf_reader{text.data(), text.size()}, limits);
  } catch (const protozero::exception&) {
    // Malformed bytes are the one thing that protozero throws for.
    return std::unexpected(MessageError::kMalformed);
  }
}

base::Bytes encode_message(const Message& message) {
  base::Bytes bytes;
  bytes.reserve(message_size(message));
  append_number(bytes, kType, static_cast<std::uint8_t>(message.type));
  if (!message.key.empty()) append_bytes(bytes, kKey, message.key);
  if (message.record) append_record(bytes, *message.record);
  for (const PeerRecord& peer : message.closer) append_peer(bytes, kCloserPeers, peer);
  for (const PeerRecord& peer : message.providers) append_peer(bytes, kProviderPeers, peer);
  return bytes;
}

std::size_t encoded_size(const PeerRecord& record) {
  return bytes_size(body_size(record));
}

}  // namespace ggen::p2p::kad
