#include <string>

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

using namespace ggen::p2p;
using gossipsub::decode_rpc;
using gossipsub::Rpc;
using gossipsub::RpcError;
using gossipsub::RpcLimits;

namespace {

base::Bytes hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits.push_back(c);
  }
  return base::from_hex(digits).value();
}

base::Bytes join(std::initializer_list<base::BytesView> parts) {
  base::Bytes whole;
  for (const base::BytesView part : parts) base::append(whole, part);
  return whole;
}

base::Bytes field(std::uint8_t number, base::BytesView contents) {
  base::Bytes out = {static_cast<std::uint8_t>(number << 3 | 2)};
  base::append_varint(out, contents.size());
  base::append(out, contents);
  return out;
}

// A frame's contents.
base::Bytes unframed(base::Buffer frame) {
  const auto contents = base::FrameDecoder{1 << 20}.take(frame);
  REQUIRE((contents && *contents && frame.empty()));
  return base::to_bytes((*contents)->view());
}

// Everything that an RPC can hold: written by hand from extensions.proto, fields out of order, with
// fields that we do not know.
const base::Bytes kFull = join({
    field(3, hex("32 02 0801"                         // extensions
                 "2a 06 0a01cc 0a01dd"                // idontwant
                 "22 0c 183c 1205 0a03aabbcc 0a0174"  // prune: backoff 60, a peer, topic t
                 "1a 03 0a0174"                       // graft
                 "12 03 0a01bb")),                    // iwant
    hex("12 16 0a 03 010203 12 02 6869 1a 01 07 22 01 74 2a 02 5151 32 01 ee"),  // publish
    hex("0a 05 120174 0801"),                                                    // subscribe t
    hex("0a 05 0800 120175"),                                                    // unsubscribe u
    hex("1a 0b 0a 09 1201aa 1201bb 0a0174"),  // a second control: ihave
    hex("52 03 0a0174"),                      // partial messages
});

}  // namespace

TEST_CASE("gossipsub rpc: fields come in any order, and unknown ones are skipped") {
  const auto rpc = decode_rpc(kFull, {});
  REQUIRE(rpc.has_value());
  REQUIRE(rpc->subscriptions.size() == 2);
  CHECK(rpc->subscriptions[0].subscribe);
  CHECK(rpc->subscriptions[0].topic == "t");
  CHECK_FALSE(rpc->subscriptions[1].subscribe);
  CHECK(rpc->subscriptions[1].topic == "u");
  REQUIRE(rpc->ihave.size() == 1);
  CHECK(rpc->ihave[0].topic == "t");
  CHECK(rpc->ihave[0].ids.size() == 2);
  REQUIRE(rpc->iwant.size() == 1);
  CHECK(base::to_hex(rpc->iwant[0]) == "bb");
  CHECK(rpc->graft == std::vector<std::string_view>{"t"});
  REQUIRE(rpc->prune.size() == 1);
  CHECK(rpc->prune[0].topic == "t");
  CHECK(rpc->prune[0].backoff == 60);
  REQUIRE(rpc->prune[0].peers.size() == 1);
  CHECK(base::to_hex(rpc->prune[0].peers[0].id) == "aabbcc");
  CHECK(rpc->prune[0].peers[0].signed_record.empty());
  CHECK(rpc->idontwant.size() == 2);
  CHECK(rpc->extensions);
  REQUIRE(rpc->messages.size() == 1);
  const auto& message = rpc->messages[0];
  CHECK(base::to_hex(message.from.value()) == "010203");
  CHECK(base::as_text(message.data.value()) == "hi");
  CHECK(base::to_hex(message.seqno.value()) == "07");
  CHECK(message.topic == "t");
  CHECK(base::as_text(message.signature.value()) == "QQ");
  CHECK(base::to_hex(message.key.value()) == "ee");
  CHECK(message.raw.size() == 22);
}

TEST_CASE("gossipsub rpc: encodings") {
  const std::vector<base::Bytes> ids = {{0xaa}, {0xbb, 0xcc}};
  CHECK(gossipsub::encode_subscription(true, "t") == hex("0a 05 0801 120174"));
  CHECK(gossipsub::encode_subscription(false, "t") == hex("0a 05 0800 120174"));
  CHECK(gossipsub::encode_graft("t") == hex("1a 03 0a0174"));
  CHECK(gossipsub::encode_prune("t", std::nullopt) == hex("22 03 0a0174"));
  CHECK(gossipsub::encode_prune("t", 300) == hex("22 06 0a0174 18ac02"));
  const std::vector<gossipsub::PeerInfoView> peers = {{ids[1], {}}, {ids[0], ids[1]}};
  CHECK(gossipsub::encode_prune("t", 1, peers) ==
        hex("22 14 0a0174 1204 0a02bbcc 1207 0a01aa 1202bbcc 1801"));
  CHECK(gossipsub::encode_extensions() == hex("32 00"));
  CHECK(gossipsub::encode_ihave("t", ids) == hex("0a 0a 0a0174 1201aa 1202bbcc"));
  CHECK(gossipsub::encode_iwant(ids) == hex("12 07 0a01aa 0a02bbcc"));
  CHECK(gossipsub::encode_idontwant(ids) == hex("2a 07 0a01aa 0a02bbcc"));
  CHECK(unframed(gossipsub::control_frame(hex("0a 05 0801 120174"), hex("1a 03 0a0174"))) ==
        hex("0a 05 0801 120174 1a 05 1a 03 0a0174"));
  CHECK(unframed(gossipsub::control_frame(hex("0a 05 0801 120174"), {})) ==
        hex("0a 05 0801 120174"));
  CHECK(unframed(gossipsub::message_frame(hex("220174"))) == hex("12 03 220174"));
  gossipsub::MessageView message;
  message.topic = "t";
  message.data = base::as_bytes("");
  CHECK(gossipsub::encode_message(message) == hex("1200 220174"));
}

TEST_CASE("gossipsub rpc: what is signed is in the order of the fields, unknown ones last") {
  const base::Bytes bytes =
      hex("3a 01 99 22 01 74 2a 02 5151 1a 01 07 32 01 ee 12 02 6869 0a 01 01");
  const auto message = gossipsub::decode_message(bytes, {});
  REQUIRE(message.has_value());
  const base::Bytes expected = join(
      {base::as_bytes("libp2p-pubsub:"), hex("0a 01 01 12 02 6869 1a 01 07 22 01 74 3a 01 99")});
  CHECK(gossipsub::signed_bytes(*message) == expected);
}

TEST_CASE("gossipsub rpc: truncated or damaged bytes are refused or read, never more") {
  const base::BytesView bytes = kFull;
  std::size_t refused = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    refused += decode_rpc(bytes.first(size), {}) ? 0 : 1;
  }
  // All but the ends of the six fields.
  CHECK(refused == bytes.size() - 6);
  base::Prng prng{1};
  for (int i = 0; i < 2000; ++i) {
    base::Bytes damaged = kFull;
    const auto at = static_cast<std::size_t>(prng.below(damaged.size()));
    damaged[at] = static_cast<std::uint8_t>(prng.next());
    if (const auto rpc = decode_rpc(damaged, {})) {
      for (const auto& message : rpc->messages) {
        CHECK(gossipsub::signed_bytes(message).size() <= damaged.size() + 32);
      }
    }
  }
}

TEST_CASE("gossipsub rpc: fields of the wrong type are unknown fields") {
  // subscriptions, publish and control as varints; a topic as a varint; a backoff as bytes.
  const base::Bytes bytes = hex("0801 1001 1801 1a 0a 22 08 0a0174 1a0133 0801");
  const auto rpc = decode_rpc(bytes, {});
  REQUIRE(rpc.has_value());
  REQUIRE(rpc->prune.size() == 1);
  CHECK(rpc->prune[0].topic == "t");
  CHECK_FALSE(rpc->prune[0].backoff);
}

TEST_CASE("gossipsub rpc: the largest backoff is read as it is") {
  const base::Bytes bytes = hex("1a 10 22 0e 0a0174 18 ffffffffffffffffff01");
  const auto rpc = decode_rpc(bytes, {});
  REQUIRE(rpc.has_value());
  CHECK(rpc->prune.at(0).backoff == UINT64_MAX);
}

TEST_CASE("gossipsub rpc: entries are counted while they are read") {
  RpcLimits limits;
  limits.max_subscriptions = 3;
  limits.max_messages = 2;
  limits.max_controls = 4;
  limits.max_topic = 5;
  const auto repeat = [](base::BytesView part, std::size_t count) {
    base::Bytes out;
    for (std::size_t i = 0; i < count; ++i) base::append(out, part);
    return out;
  };
  const auto error = [&](base::BytesView bytes) {
    const auto rpc = decode_rpc(bytes, limits);
    return rpc ? std::nullopt : std::optional{rpc.error()};
  };
  CHECK_FALSE(error(repeat(hex("0a00"), 3)));
  CHECK(error(repeat(hex("0a00"), 4)) == RpcError::kTooManySubscriptions);
  CHECK_FALSE(error(repeat(hex("1200"), 2)));
  CHECK(error(repeat(hex("1200"), 3)) == RpcError::kTooManyMessages);
  for (const char* const control : {"0a00", "1200", "1a00", "2200", "2a00"}) {
    CHECK_FALSE(error(field(3, repeat(hex(control), 4))));
    CHECK(error(field(3, repeat(hex(control), 5))) == RpcError::kTooManyControls);
    // Spread over several control fields, too.
    CHECK(error(repeat(field(3, hex(control)), 5)) == RpcError::kTooManyControls);
  }
  CHECK_FALSE(error(gossipsub::encode_subscription(true, "topic")));
  CHECK(error(gossipsub::encode_subscription(true, "topics")) == RpcError::kTopicTooLong);
  CHECK(error(field(3, gossipsub::encode_graft("topics"))) == RpcError::kTopicTooLong);
  CHECK(error(field(2, field(4, base::as_bytes("topics")))) == RpcError::kTopicTooLong);
}

TEST_CASE("gossipsub rpc: ids that are too many or too long are left out") {
  RpcLimits limits;
  limits.max_ids = 3;
  limits.max_id = 2;
  const std::vector<base::Bytes> ids = {{1}, {2, 2}, {3, 3, 3}, {4}, {5}};
  const base::Bytes control =
      join({gossipsub::encode_ihave("t", ids), gossipsub::encode_ihave("t", ids),
            gossipsub::encode_iwant(ids), gossipsub::encode_iwant(ids),
            gossipsub::encode_idontwant(ids)});
  const base::Bytes bytes = field(3, control);
  const auto rpc = decode_rpc(bytes, limits);
  REQUIRE(rpc.has_value());
  CHECK(rpc->ihave.at(0).ids.size() == 3);
  CHECK(rpc->ihave.at(1).ids.empty());
  CHECK(rpc->iwant.size() == 3);
  CHECK(rpc->idontwant.size() == 3);
  CHECK(base::to_hex(rpc->iwant[2]) == "04");
}
