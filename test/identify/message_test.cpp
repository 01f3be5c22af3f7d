#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/identify/message.hpp>

#include "../support/peers.hpp"

using namespace ggen::p2p;
using identify::DecodeError;
using identify::Info;
using identify::Limits;
using multiformats::Multiaddr;

namespace {

Multiaddr address(std::string_view text) {
  return Multiaddr::parse(text).value();
}

// One length-delimited field.
base::Bytes field(std::uint8_t number, base::BytesView value) {
  base::Bytes bytes{static_cast<std::uint8_t>(number << 3 | 2)};
  base::append_varint(bytes, value.size());
  base::append(bytes, value);
  return bytes;
}
base::Bytes field(std::uint8_t number, std::string_view value) {
  return field(number, base::as_bytes(value));
}

Info full_info() {
  Info info;
  info.protocol_version = "ipfs/0.1.0";
  info.agent_version = "test/1";
  info.public_key = test::key_pair(1).public_key();
  info.listen_addrs = {address("/ip4/127.0.0.1/tcp/4001"), address("/ip6/::1/tcp/4001")};
  info.observed_addr = address("/ip4/192.0.2.7/tcp/50000");
  info.protocols = {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"};
  info.signed_peer_record = base::Bytes(100, 7);
  return info;
}

Info merged(const std::vector<base::Bytes>& messages) {
  Info info;
  for (const base::Bytes& message : messages) {
    REQUIRE(identify::merge_message(info, message, Limits{}));
  }
  return info;
}

}  // namespace

TEST_CASE("identify message: the fields of the specification") {
  base::Bytes message;
  for (const auto& part : {
           field(1,
                 base::from_hex("08011220d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68"
                                "f707511a")
                     .value()),
           field(2, base::from_hex("047f000001060fa1").value()),
           field(3, "/ipfs/id/1.0.0"),
           field(4, base::from_hex("04c000020706c350").value()),
           field(5, "ipfs/0.1.0"),
           field(6, "agent/7"),
           field(8, "record"),
       }) {
    base::append(message, part);
  }
  const Info info = merged({message});
  REQUIRE(info.public_key);
  CHECK(info.public_key->type() == crypto::KeyType::kEd25519);
  CHECK(info.listen_addrs == std::vector{address("/ip4/127.0.0.1/tcp/4001")});
  CHECK(info.protocols == std::vector<std::string>{"/ipfs/id/1.0.0"});
  CHECK(info.observed_addr == address("/ip4/192.0.2.7/tcp/50000"));
  CHECK(info.protocol_version == "ipfs/0.1.0");
  CHECK(info.agent_version == "agent/7");
  CHECK(base::as_text(info.signed_peer_record) == "record");
}

TEST_CASE("identify message: what is encoded is read back") {
  const auto messages = identify::encode_messages(full_info(), 4096, 10);
  CHECK(messages.size() == 1);
  CHECK(merged(messages) == full_info());
  // Nothing to say is said in one empty message.
  CHECK(identify::encode_messages(Info{}, 4096, 10) == std::vector<base::Bytes>{{}});
  CHECK(merged({{}}) == Info{});
}

TEST_CASE("identify message: what does not fit in one message goes into several") {
  Info info = full_info();
  for (int i = 0; i < 200; ++i) info.protocols.push_back("/a/protocol/" + std::to_string(i));
  const auto messages = identify::encode_messages(info, 1000, 10);
  CHECK(messages.size() > 2);
  for (const auto& message : messages) CHECK(message.size() <= 1000);
  const Info all = merged(messages);
  CHECK(all.protocols.size() == info.protocols.size());
  CHECK(all.listen_addrs.size() == 2);
  CHECK(all.signed_peer_record == info.signed_peer_record);
  // Some receivers read only the first: it says who is speaking.
  const Info first = merged({messages.front()});
  CHECK(first.public_key == info.public_key);
  CHECK(first.agent_version == info.agent_version);
  CHECK(first.observed_addr == info.observed_addr);

  CHECK(identify::encode_messages(info, 1000, 2).size() == 2);
  // What is larger than a message is left out alone.
  info.signed_peer_record.resize(1001);
  CHECK(merged(identify::encode_messages(info, 1000, 10)).signed_peer_record.empty());
}

TEST_CASE("identify message: later messages replace single fields and add to lists") {
  base::Bytes first = field(6, "old");
  base::append(first, field(3, "/a"));
  base::Bytes second = field(6, "new");
  base::append(second, field(3, "/b"));
  const Info info = merged({first, second});
  CHECK(info.agent_version == "new");
  CHECK(info.protocols == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("identify message: invalid multiaddrs are left out, the rest stays") {
  base::Bytes message = field(2, base::Bytes(8, 0xff));
  base::append(message, field(2, base::from_hex("047f000001060fa1").value()));
  base::append(message, field(2, ""));
  base::append(message, field(4, "nonsense"));
  const Info info = merged({message});
  CHECK(info.listen_addrs == std::vector{address("/ip4/127.0.0.1/tcp/4001")});
  CHECK_FALSE(info.observed_addr);
}

TEST_CASE("identify message: unknown fields, and known ones of another type, are skipped") {
  base::Bytes message = field(9, "unknown");
  base::append(message, base::Bytes{0x08, 0x05});                    // 1 as a varint
  base::append(message, base::Bytes{0x35, 1, 2, 3, 4});              // 6 as a fixed32
  base::append(message, base::Bytes{0x31, 1, 2, 3, 4, 5, 6, 7, 8});  // 6 as a fixed64
  base::append(message, field(6, "agent"));
  const Info info = merged({message});
  CHECK(info.agent_version == "agent");
  CHECK_FALSE(info.public_key);
}

TEST_CASE("identify message: empty fields count as absent, except texts") {
  base::Bytes message = field(1, "");
  for (const std::uint8_t number : std::vector<std::uint8_t>{4, 6, 8})
    base::append(message, field(number, ""));
  const Info info = merged({message});
  CHECK_FALSE(info.public_key);
  CHECK_FALSE(info.observed_addr);
  CHECK(info.agent_version == "");
  CHECK(info.signed_peer_record.empty());
}

TEST_CASE("identify message: broken protobuf and broken keys are refused") {
  const auto error_of = [](base::BytesView message) {
    Info info;
    const auto result = identify::merge_message(info, message, Limits{});
    return result ? std::nullopt : std::optional{result.error()};
  };
  const base::Bytes whole = field(6, "agent");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CHECK(error_of(base::BytesView{whole}.first(size)) == DecodeError::kMalformed);
  }
  CHECK(error_of(base::Bytes{0x00}) == DecodeError::kMalformed);      // field 0
  CHECK(error_of(base::Bytes{0x33}) == DecodeError::kMalformed);      // a group
  CHECK(error_of(base::Bytes(11, 0xff)) == DecodeError::kMalformed);  // an endless varint
  CHECK(error_of(base::from_hex("32ffffffff0f").value()) == DecodeError::kMalformed);  // 4 GiB
  CHECK(error_of(field(1, "not a key")) == DecodeError::kBadKey);
  CHECK_FALSE(error_of({}));
}

TEST_CASE("identify message: lists, texts and records are kept up to their limits") {
  const Limits limits{.max_listen_addrs = 2, .max_protocols = 3, .max_text = 10, .max_record = 20};
  base::Bytes message;
  for (int i = 0; i < 100; ++i) {
    base::append(message, field(3, "/p/" + std::to_string(i)));
    base::append(message, field(2, base::from_hex("047f000001060fa1").value()));
  }
  base::append(message, field(6, std::string(10, 'a')));
  base::append(message, field(5, std::string(11, 'a')));
  base::append(message, field(8, std::string(21, 'a')));
  Info info;
  // Also over several messages.
  for (int i = 0; i < 3; ++i) REQUIRE(identify::merge_message(info, message, limits));
  CHECK(info.protocols == std::vector<std::string>{"/p/0", "/p/1", "/p/2"});
  CHECK(info.listen_addrs.size() == 2);
  CHECK(info.agent_version == std::string(10, 'a'));
  CHECK_FALSE(info.protocol_version);
  CHECK(info.signed_peer_record.empty());

  Info other;
  REQUIRE(identify::merge_message(other, field(3, std::string(11, 'p')), limits));
  CHECK(other.protocols.empty());
  REQUIRE(identify::merge_message(other, field(8, std::string(20, 'r')), limits));
  CHECK(other.signed_peer_record.size() == 20);
}
