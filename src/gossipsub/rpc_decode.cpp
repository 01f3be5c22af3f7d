#include <protozero/pbf_reader.hpp>

#include <ggen/p2p/gossipsub/rpc.hpp>

#include "rpc_fields.hpp"

namespace ggen::p2p::gossipsub {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

constexpr std::uint32_t bytes_field(Field field) {
  return protozero::tag_and_type(field, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t varint_field(Field field) {
  return protozero::tag_and_type(field, pbf_wire_type::varint);
}

pbf_reader reader_of(base::BytesView bytes) {
  const std::string_view text = base::as_text(bytes);
  return {text.data(), text.size()};
}

base::BytesView take_bytes(pbf_reader& reader) {
  const protozero::data_view view = reader.get_view();
  return base::as_bytes({view.data(), view.size()});
}

/// Thrown by the decoder and caught in it, as protozero's own exceptions are.
struct Refused {
  RpcError error;
};

/// Reads one RPC. An object only because limits and counts go everywhere.
class Decoder {
 public:
  explicit Decoder(const RpcLimits& limits) : limits_(limits) {}

  Rpc rpc(base::BytesView bytes) {
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_field(kRpcSubscriptions):
          count(out_.subscriptions.size(), limits_.max_subscriptions,
                RpcError::kTooManySubscriptions);
          out_.subscriptions.push_back(subscription(take_bytes(reader)));
          break;
        case bytes_field(kRpcPublish):
          count(out_.messages.size(), limits_.max_messages, RpcError::kTooManyMessages);
          out_.messages.push_back(message(take_bytes(reader)));
          break;
        case bytes_field(kRpcControl):
          control(take_bytes(reader));
          break;
        default:
          reader.skip();
      }
    }
    return std::move(out_);
  }

  MessageView message(base::BytesView bytes) {
    MessageView out;
    out.raw = bytes;
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_field(kMessageFrom):
          out.from = take_bytes(reader);
          break;
        case bytes_field(kMessageData):
          out.data = take_bytes(reader);
          break;
        case bytes_field(kMessageSeqno):
          out.seqno = take_bytes(reader);
          break;
        case bytes_field(kMessageTopic):
          out.topic = topic(reader);
          break;
        case bytes_field(kMessageSignature):
          out.signature = take_bytes(reader);
          break;
        case bytes_field(kMessageKey):
          out.key = take_bytes(reader);
          break;
        default:
          reader.skip();
      }
    }
    return out;
  }

 private:
  static void count(std::size_t already, std::size_t limit, RpcError error) {
    if (already >= limit) throw Refused{error};
  }

  std::string_view topic(pbf_reader& reader) const {
    const base::BytesView name = take_bytes(reader);
    if (name.size() > limits_.max_topic) throw Refused{RpcError::kTopicTooLong};
    return base::as_text(name);
  }

  SubscriptionView subscription(base::BytesView bytes) const {
    SubscriptionView out;
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case varint_field(kSubscribe):
          out.subscribe = reader.get_uint64() != 0;
          break;
        case bytes_field(kSubscriptionTopic):
          out.topic = topic(reader);
          break;
        default:
          reader.skip();
      }
    }
    return out;
  }

  // A peer may spread its control message over several fields: they add up, as protobuf says.
  void control(base::BytesView bytes) {
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_field(kControlIHave):
          count(controls_++, limits_.max_controls, RpcError::kTooManyControls);
          ihave(take_bytes(reader));
          break;
        case bytes_field(kControlIWant):
          count(controls_++, limits_.max_controls, RpcError::kTooManyControls);
          ids(take_bytes(reader), out_.iwant);
          break;
        case bytes_field(kControlGraft):
          count(controls_++, limits_.max_controls, RpcError::kTooManyControls);
          out_.graft.push_back(prune(take_bytes(reader)).topic);
          break;
        case bytes_field(kControlPrune):
          count(controls_++, limits_.max_controls, RpcError::kTooManyControls);
          out_.prune.push_back(prune(take_bytes(reader)));
          break;
        case bytes_field(kControlIDontWant):
          count(controls_++, limits_.max_controls, RpcError::kTooManyControls);
          ids(take_bytes(reader), out_.idontwant);
          break;
        case bytes_field(kControlExtensions):
          out_.extensions = true;
          reader.skip();
          break;
        default:
          reader.skip();
      }
    }
  }

  void ihave(base::BytesView bytes) {
    IHaveView& out = out_.ihave.emplace_back();
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_field(kIHaveTopic):
          out.topic = topic(reader);
          break;
        case bytes_field(kIHaveIds):
          add_id(reader, out.ids, advertised_);
          break;
        default:
          reader.skip();
      }
    }
  }

  // IWANT and IDONTWANT look alike.
  void ids(base::BytesView bytes, std::vector<base::BytesView>& to) const {
    std::size_t taken = to.size();
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == bytes_field(kWantIds)) {
        add_id(reader, to, taken);
      } else {
        reader.skip();
      }
    }
  }

  void add_id(pbf_reader& reader, std::vector<base::BytesView>& to, std::size_t& taken) const {
    const base::BytesView id = take_bytes(reader);
    if (id.size() > limits_.max_id || taken >= limits_.max_ids) return;
    to.push_back(id);
    ++taken;
  }

  // GRAFT is a PRUNE without backoff.
  PruneView prune(base::BytesView bytes) const {
    PruneView out;
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_field(kPruneTopic):
          out.topic = topic(reader);
          break;
        case bytes_field(kPrunePeers):
          exchanged(take_bytes(reader), out.peers);
          break;
        case varint_field(kPruneBackoff):
          out.backoff = reader.get_uint64();
          break;
        default:
          reader.skip();
      }
    }
    return out;
  }

  void exchanged(base::BytesView bytes, std::vector<PeerInfoView>& to) const {
    PeerInfoView out;
    pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case bytes_field(kPeerInfoId):
          out.id = take_bytes(reader);
          break;
        case bytes_field(kPeerInfoRecord):
          out.signed_record = take_bytes(reader);
          break;
        default:
          reader.skip();
      }
    }
    if (to.size() < limits_.max_exchanged && out.signed_record.size() <= limits_.max_record) {
      to.push_back(out);
    }
  }

  RpcLimits limits_;
  Rpc out_;
  std::size_t controls_ = 0;
  std::size_t advertised_ = 0;
};

template <class Read>
auto guarded(Read&& read) -> std::expected<decltype(read()), RpcError> {
  try {
    return read();
  } catch (const Refused& refused) {
    return std::unexpected(refused.error);
  } catch (const protozero::exception&) {
    return std::unexpected(RpcError::kMalformed);
  }
}

}  // namespace

std::string_view to_string(RpcError error) noexcept {
  switch (error) {
    case RpcError::kMalformed:
      return "not a pubsub message";
    case RpcError::kTooManySubscriptions:
      return "too many subscriptions in one frame";
    case RpcError::kTooManyMessages:
      return "too many messages in one frame";
    case RpcError::kTooManyControls:
      return "too many control messages in one frame";
    case RpcError::kTopicTooLong:
      return "a topic's name is too long";
  }
  return "unknown pubsub error";
}

std::expected<Rpc, RpcError> decode_rpc(base::BytesView rpc, const RpcLimits& limits) {
  return guarded([&] { return Decoder{limits}.rpc(rpc); });
}

std::expected<MessageView, RpcError> decode_message(base::BytesView message,
                                                    const RpcLimits& limits) {
  return guarded([&] { return Decoder{limits}.message(message); });
}

base::Bytes unknown_message_fields(base::BytesView message) {
  base::Bytes unknown;
  pbf_reader reader = reader_of(message);
  for (;;) {
    const char* const start = reader.data().data();
    if (!reader.next()) return unknown;
    const auto tag = reader.tag_and_type();
    reader.skip();
    switch (tag) {
      case bytes_field(kMessageFrom):
      case bytes_field(kMessageData):
      case bytes_field(kMessageSeqno):
      case bytes_field(kMessageTopic):
      case bytes_field(kMessageSignature):
      case bytes_field(kMessageKey):
        break;
      default:
        base::append(unknown, base::as_bytes({start, reader.data().data()}));
    }
  }
}

}  // namespace ggen::p2p::gossipsub
