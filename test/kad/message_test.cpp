// The message: vectors, tolerance, limits.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/kad/message.hpp>

#include "values.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::Message;
using kad::MessageError;
using kad::MessageType;

namespace {

base::Bytes hex(std::string_view digits) {
  return base::from_hex(digits).value();
}

auto decode(base::BytesView bytes) {
  return kad::decode_message(bytes, {});
}

/// A field of bytes below 128.
base::Bytes field(std::uint8_t number, base::BytesView bytes) {
  base::Bytes out{static_cast<std::uint8_t>(number << 3 | 2)};
  base::append_varint(out, bytes.size());
  base::append(out, bytes);
  return out;
}
base::Bytes joined(std::initializer_list<base::Bytes> parts) {
  base::Bytes out;
  for (const auto& part : parts) base::append(out, part);
  return out;
}

}  // namespace

TEST_CASE("requests have one encoding") {
  CHECK(kad::encode_message({.type = MessageType::kFindNode, .key = text("key")}) == hex("08041203"
                                                                                         "6b6579"));
  // The type is written also where it is the default of its field.
  const Message put{.type = MessageType::kPutValue,
                    .key = text("k"),
                    .record = kad::Record{text("k"), text("v"), "T"}};
  CHECK(kad::encode_message(put) == hex("0800"
                                        "12016b"
                                        "1a09"
                                        "0a016b"
                                        "120176"
                                        "2a0154"));
  CHECK(decode(kad::encode_message(put)) == put);
}

TEST_CASE("peers travel in both lists") {
  Message message{.type = MessageType::kGetProviders, .key = text("k")};
  message.closer = {numbered_record(1), numbered_record(2)};
  message.closer[1].connection = kad::Connectedness::kCanConnect;
  message.providers = {numbered_record(3)};
  message.providers[0].addresses.clear();
  const base::Bytes bytes = kad::encode_message(message);
  CHECK(decode(bytes) == message);
  // id (36 bytes), address (10 bytes), no flag: 46, behind tag and length
  CHECK(kad::encoded_size(message.closer[0]) == 48);
  CHECK(bytes.size() == 2 + 3 + 48 + 50 + 38);
}

TEST_CASE("what others send beside the message is skipped") {
  // clusterLevelRaw, publisher and lifetime of a record as rust-libp2p has them, a missing type.
  const base::Bytes record =
      joined({field(1, text("k")), field(2, text("v")), hex("d2290161"), hex("c83005")});
  const auto message = decode(joined({field(2, text("k")), field(3, record), hex("500a")}));
  REQUIRE(message);
  CHECK(message->type == MessageType::kPutValue);
  CHECK(message->record->value == text("v"));
  CHECK(message->record->time_received.empty());
}

TEST_CASE("invalid peers and addresses are left out, the rest is kept") {
  const auto good = numbered_record(1);
  const base::Bytes id = base::to_bytes(good.peer.bytes());
  const base::Bytes address = base::to_bytes(good.addresses[0].bytes());
  const base::Bytes own = base::to_bytes(good.addresses[0].with_peer_id(good.peer).bytes());
  const base::Bytes foreign =
      base::to_bytes(good.addresses[0].with_peer_id(numbered_peer(2)).bytes());
  const base::Bytes peer = joined({field(2, text("junk")), field(2, own), field(2, foreign),
                                   field(2, {}), field(1, id), hex("1863")});
  const base::Bytes bytes =
      joined({hex("0804"), field(8, field(1, text("no id"))), field(8, {}), field(8, peer),
              field(8, joined({field(1, id), field(2, address)}))});
  const auto message = decode(bytes);
  REQUIRE(message);
  REQUIRE(message->closer.size() == 1);  // named twice, kept once
  CHECK(message->closer[0] == good);     // its own /p2p is no part of where it is
}

TEST_CASE("what is malformed is refused") {
  CHECK(decode(hex("0806")).error() == MessageError::kUnknownType);
  CHECK(decode(hex("12ff")).error() == MessageError::kMalformed);
  CHECK(decode(hex("120561")).error() == MessageError::kMalformed);
  CHECK(decode(hex("08ffffffffffffffffffff01")).error() == MessageError::kMalformed);
  CHECK(decode(hex("4203"
                   "0a0561"))
            .error() == MessageError::kMalformed);
  CHECK(decode(joined({hex("0804"), field(2, base::Bytes(1025, 'k'))})).error() ==
        MessageError::kKeyTooLong);
  CHECK(decode(field(3, field(1, base::Bytes(1025, 'k')))).error() == MessageError::kKeyTooLong);
  CHECK(decode({}).has_value());  // all fields at their defaults
}

TEST_CASE("lists, records and addresses are bounded, whatever was sent") {
  const kad::MessageLimits limits;
  Message message;
  for (std::size_t i = 0; i < 10'000; ++i) message.closer.push_back(numbered_record(i));
  CHECK(decode(kad::encode_message(message))->closer.size() == limits.max_peers);

  kad::PeerRecord many{numbered_peer(1), {}};
  for (std::size_t i = 0; i < 5'000; ++i) many.addresses.push_back(numbered_address(i));
  message.closer = {many};
  CHECK(decode(kad::encode_message(message))->closer[0].addresses.size() == limits.max_addresses);

  // Long addresses hit the size of the record first; the id is kept.
  const auto long_name = multiformats::Multiaddr::parse("/dns4/" + std::string(240, 'a') +
                                                        "/dns4/" + std::string(240, 'b'))
                             .value();
  message.closer = {{numbered_peer(1), std::vector(32, long_name)}};
  const auto kept = decode(kad::encode_message(message))->closer;
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].addresses.size() == 16);
  CHECK(kad::encoded_size(kept[0]) <= limits.max_peer_record + 4);
}

TEST_CASE("any bytes decode to something bounded or to an error") {
  CHECK(rc::check("decoded messages survive encoding", [](const std::vector<std::uint8_t>& bytes) {
    const auto message = decode(bytes);
    if (message) RC_ASSERT(decode(kad::encode_message(*message)).value() == *message);
  }));
}
