#include <algorithm>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "rpc_fields.hpp"

namespace ggen::p2p::gossipsub {
namespace {

constexpr std::string_view kSigningPrefix = "libp2p-pubsub:";

constexpr std::uint8_t bytes_tag(Field field) {
  return static_cast<std::uint8_t>(field << 3 | 2);
}

void append_bytes(base::Bytes& to, Field field, base::BytesView bytes) {
  to.push_back(bytes_tag(field));
  base::append_varint(to, bytes.size());
  base::append(to, bytes);
}
void append_bytes(base::Bytes& to, Field field, std::string_view text) {
  append_bytes(to, field, base::as_bytes(text));
}
template <class T>
void append_present(base::Bytes& to, Field field, const std::optional<T>& value) {
  if (value) append_bytes(to, field, *value);
}
void append_number(base::Bytes& to, Field field, std::uint64_t value) {
  to.push_back(static_cast<std::uint8_t>(field << 3));
  base::append_varint(to, value);
}

base::Bytes field_of(Field field, base::BytesView contents) {
  base::Bytes out;
  append_bytes(out, field, contents);
  return out;
}

base::Bytes encode_wants(Field field, std::span<const base::Bytes> ids) {
  base::Bytes contents;
  for (const base::Bytes& id : ids) append_bytes(contents, kWantIds, id);
  return field_of(field, contents);
}

// What is signed of a message, up to its unknown fields.
void append_signed_fields(base::Bytes& to, const MessageView& message) {
  append_present(to, kMessageFrom, message.from);
  append_present(to, kMessageData, message.data);
  append_present(to, kMessageSeqno, message.seqno);
  append_present(to, kMessageTopic, message.topic);
}

}  // namespace

base::Bytes signed_bytes(const MessageView& message) {
  base::Bytes out;
  out.reserve(kSigningPrefix.size() + message.raw.size());
  base::append(out, base::as_bytes(kSigningPrefix));
  append_signed_fields(out, message);
  base::append(out, unknown_message_fields(message.raw));
  return out;
}

base::Bytes encode_message(const MessageView& message) {
  base::Bytes out;
  append_signed_fields(out, message);
  append_present(out, kMessageSignature, message.signature);
  append_present(out, kMessageKey, message.key);
  return out;
}

base::Bytes encode_subscription(bool subscribe, std::string_view topic) {
  base::Bytes contents;
  append_number(contents, kSubscribe, subscribe ? 1 : 0);
  append_bytes(contents, kSubscriptionTopic, topic);
  return field_of(kRpcSubscriptions, contents);
}

base::Bytes encode_graft(std::string_view topic) {
  base::Bytes contents;
  append_bytes(contents, kPruneTopic, topic);
  return field_of(kControlGraft, contents);
}

base::Bytes encode_prune(std::string_view topic, std::optional<std::uint64_t> backoff,
                         std::span<const PeerInfoView> peers) {
  base::Bytes contents;
  append_bytes(contents, kPruneTopic, topic);
  for (const PeerInfoView& peer : peers) {
    base::Bytes info;
    append_bytes(info, kPeerInfoId, peer.id);
    if (!peer.signed_record.empty()) append_bytes(info, kPeerInfoRecord, peer.signed_record);
    append_bytes(contents, kPrunePeers, info);
  }
  if (backoff) append_number(contents, kPruneBackoff, *backoff);
  return field_of(kControlPrune, contents);
}

base::Bytes encode_ihave(std::string_view topic, std::span<const base::Bytes> ids) {
  base::Bytes contents;
  append_bytes(contents, kIHaveTopic, topic);
  for (const base::Bytes& id : ids) append_bytes(contents, kIHaveIds, id);
  return field_of(kControlIHave, contents);
}

base::Bytes encode_iwant(std::span<const base::Bytes> ids) {
  return encode_wants(kControlIWant, ids);
}

base::Bytes encode_idontwant(std::span<const base::Bytes> ids) {
  return encode_wants(kControlIDontWant, ids);
}

base::Bytes encode_extensions() {
  return field_of(kControlExtensions, {});
}

base::Buffer control_frame(base::BytesView subscriptions, base::BytesView control) {
  base::Bytes rpc = base::to_bytes(subscriptions);
  if (!control.empty()) append_bytes(rpc, kRpcControl, control);
  return base::encode_frame(rpc);
}

base::Buffer message_frame(base::BytesView message) {
  // Both lengths, then the message: the one copy that is made of it, whoever it is sent to.
  base::Bytes rpc_head = {bytes_tag(kRpcPublish)};
  base::append_varint(rpc_head, message.size());
  base::Bytes head;
  base::append_varint(head, rpc_head.size() + message.size());
  base::append(head, rpc_head);
  base::Buffer frame = base::Buffer::allocate(head.size() + message.size());
  const base::MutableBytes out = frame.writable();
  std::ranges::copy(head, out.begin());
  std::ranges::copy(message, out.begin() + static_cast<std::ptrdiff_t>(head.size()));
  return frame;
}

}  // namespace ggen::p2p::gossipsub
