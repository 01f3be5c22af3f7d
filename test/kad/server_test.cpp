// What a node answers, to peers that behave and to those that don't.

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/kad/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"
#include "values.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::DropReason;
using kad::Message;
using kad::MessageType;

namespace {

constexpr std::string_view kProtocol = "/ggen/marketplace/1.0.0";
constexpr std::size_t kLocal = 0;
constexpr std::size_t kRemote = 1;

kad::Config quiet() {
  kad::Config config;
  config.maintenance.max_queries = 0;
  return config;
}

struct Setup {
  explicit Setup(const kad::Config& config = quiet())
      : engine(config, numbered_peer(kLocal), crypto, kWallAtZero),
        peer(engine, numbered_peer(kRemote)) {
    engine.add_validator("test", std::make_unique<CounterValidator>());
    engine.set_addresses({numbered_address(kLocal)});
  }
  void know(std::size_t number) {
    peer.call([&](kad::Engine& e) {
      e.peer_identified(numbered_peer(number), std::array{numbered_address(number)}, {}, true,
                        peer.now());
    });
  }
  /// The answers on a stream so far.
  std::vector<Message> answers(connection::StreamRef stream) {
    base::Buffer bytes = base::Buffer::copy_of(peer.seen(stream).written);
    base::FrameDecoder decoder{1 << 20};
    std::vector<Message> found;
    while (!bytes.empty()) {
      const auto frame = decoder.take(bytes);
      REQUIRE(frame);
      REQUIRE(frame->has_value());
      found.push_back(kad::decode_message((*frame)->view(), {}).value());
    }
    return found;
  }
  /// The answer to one request on a stream of its own.
  std::optional<Message> ask(const Message& request) {
    const auto stream = peer.open(kProtocol);
    send(stream, request);
    auto all = answers(stream);
    if (!peer.seen(stream).reset) {
      peer.finish(stream);
      CHECK(peer.seen(stream).finished);
    }
    peer.close(stream, connection::StreamEnd::kClosed);
    return all.empty() ? std::nullopt : std::optional{all[0]};
  }
  void send(connection::StreamRef stream, const Message& request) {
    peer.send(stream, base::encode_frame(kad::encode_message(request)).view());
  }
  std::optional<DropReason> dropped() {
    const auto events = peer.take_events<kad::InboundDropped>();
    return events.empty() ? std::nullopt : std::optional{events.back().reason};
  }

  SeededCrypto crypto{1};
  kad::Engine engine;
  ScriptedPeer<kad::Engine> peer;
};

Message find_node(base::BytesView key) {
  return {.type = MessageType::kFindNode, .key = base::to_bytes(key)};
}
Message put(std::string_view key, std::string_view value) {
  return {.type = MessageType::kPutValue,
          .key = text(key),
          .record = kad::Record{text(key), text(value), ""}};
}

}  // namespace

TEST_CASE("several requests on one stream, in pieces, are answered in order") {
  Setup setup;
  for (std::size_t i = 2; i < 10; ++i) setup.know(i);
  const auto stream = setup.peer.open(kProtocol);
  base::Bytes bytes;
  for (int i = 0; i < 3; ++i) {
    const auto frame = base::encode_frame(kad::encode_message(find_node(text("key"))));
    base::append(bytes, frame.view());
  }
  for (const std::uint8_t byte : bytes) setup.peer.send(stream, base::BytesView{&byte, 1});
  CHECK(setup.answers(stream).size() == 3);
  CHECK(setup.peer.seen(stream).consumed == bytes.size());
  CHECK(!setup.peer.seen(stream).finished);
  setup.peer.finish(stream);
  CHECK(setup.peer.seen(stream).finished);
}

TEST_CASE("FIND_NODE names the nearest, never who asks, and the peer itself where it is known") {
  Setup setup;
  for (std::size_t i = 1; i < 12; ++i) setup.know(i);
  auto answer = setup.ask(find_node(text("key")));
  REQUIRE(answer);
  CHECK(answer->closer.size() == 10);
  const auto target = kad::Key::of(text("key"));
  CHECK(std::ranges::is_sorted(answer->closer, {}, [&](const kad::PeerRecord& record) {
    return kad::Key::of(record.peer).distance(target);
  }));
  for (const auto& record : answer->closer) CHECK(record.peer != numbered_peer(kRemote));

  answer = setup.ask(find_node(numbered_peer(kLocal).bytes()));
  REQUIRE(answer);
  CHECK(answer->closer[0].peer == numbered_peer(kLocal));
  CHECK(answer->closer[0].addresses == std::vector{numbered_address(kLocal)});

  setup.peer.call([&](kad::Engine& e) {  // a client: in no table, but connected
    e.peer_identified(numbered_peer(50), std::array{numbered_address(50)}, {}, false,
                      setup.peer.now());
  });
  answer = setup.ask(find_node(numbered_peer(50).bytes()));
  REQUIRE(answer);
  CHECK(answer->closer[0].peer == numbered_peer(50));
}

TEST_CASE("an answer fits 16 KiB, however many addresses peers have") {
  Setup setup;
  const auto long_name = multiformats::Multiaddr::parse("/dns4/" + std::string(240, 'a')).value();
  for (std::size_t i = 2; i < 60; ++i) {
    setup.peer.call([&](kad::Engine& e) {
      e.peer_identified(numbered_peer(i), std::vector(50, long_name), {}, true, setup.peer.now());
    });
  }
  const auto stream = setup.peer.open(kProtocol);
  setup.send(stream, find_node(text("key")));
  CHECK(setup.peer.seen(stream).written.size() <= 16 * 1024 + 64);
  CHECK(setup.answers(stream)[0].closer.size() == 20);
}

TEST_CASE("values are echoed when stored, and given when asked for") {
  Setup setup;
  const auto echo = setup.ask(put("/test/a", "1"));
  REQUIRE(echo);
  CHECK(echo->record->value == text("1"));
  CHECK(setup.peer.take_events<kad::ValueStored>().size() == 1);
  const auto answer = setup.ask({.type = MessageType::kGetValue, .key = text("/test/a")});
  REQUIRE(answer);
  CHECK(answer->record->value == text("1"));
  CHECK(answer->record->time_received == "2026-01-02T03:04:05.000000000Z");
  CHECK(!setup.ask({.type = MessageType::kGetValue, .key = text("/test/b")})->record);
}

TEST_CASE("values that are forged, outdated or mislabelled reset the stream") {
  Setup setup;
  setup.ask(put("/test/a", "5"));
  CHECK(setup.peer.take_events<kad::ValueStored>().size() == 1);
  for (const auto& request : {put("/test/a", "x"), put("/test/a", "4"), put("/none/a", "5"),
                              put("/test/a", std::string(62'000, '9'))}) {
    CHECK(!setup.ask(request));
    CHECK(setup.dropped() == DropReason::kRefusedValue);
  }
  Message mislabelled = put("/test/a", "6");
  mislabelled.key = text("/test/b");
  CHECK(!setup.ask(mislabelled));
  CHECK(setup.dropped() == DropReason::kBadRequest);
  CHECK(!setup.ask({.type = MessageType::kPutValue, .key = text("/test/a")}));
  CHECK(setup.dropped() == DropReason::kBadRequest);
  CHECK(setup.engine.values().size() == 1);
  CHECK(setup.peer.take_events<kad::ValueStored>().empty());
}

TEST_CASE("peers in a PUT_VALUE are not echoed") {
  Setup setup;
  Message request = put("/test/a", "1");
  request.closer = {numbered_record(9)};
  request.providers = {numbered_record(9)};
  const auto echo = setup.ask(request);
  REQUIRE(echo);
  CHECK(echo->closer.empty());
  CHECK(echo->providers.empty());
}

TEST_CASE("a peer can name itself as provider, and nobody else") {
  Setup setup;
  Message request{.type = MessageType::kAddProvider, .key = text("file")};
  request.providers = {numbered_record(7)};
  CHECK(!setup.ask(request));
  CHECK(setup.dropped() == DropReason::kRefusedProvider);
  request.providers = {{numbered_peer(kRemote), {}}};  // and nobody knows where it is
  CHECK(!setup.ask(request));
  CHECK(setup.dropped() == DropReason::kRefusedProvider);
  request.providers = {numbered_record(7), numbered_record(kRemote)};
  CHECK(!setup.ask(request));  // no answer is due
  CHECK(!setup.dropped());
  const auto answer = setup.ask({.type = MessageType::kGetProviders, .key = text("file")});
  REQUIRE(answer);
  REQUIRE(answer->providers.size() == 1);
  CHECK(answer->providers[0] == numbered_record(kRemote));
}

TEST_CASE("keys of 0 bytes and 64 KiB, and messages that are none, reset the stream") {
  Setup setup;
  for (const auto type : {MessageType::kFindNode, MessageType::kGetValue, MessageType::kAddProvider,
                          MessageType::kGetProviders}) {
    CHECK(!setup.ask({.type = type}));
    CHECK(setup.dropped() == DropReason::kBadRequest);
    CHECK(!setup.ask({.type = type, .key = base::Bytes(65'000, 'k')}));
    CHECK(setup.dropped() == DropReason::kMalformed);
  }
  CHECK(!setup.ask({.type = MessageType::kGetProviders, .key = base::Bytes(81, 'k')}));
  CHECK(setup.dropped() == DropReason::kBadRequest);
  const auto stream = setup.peer.open(kProtocol);
  setup.peer.send(stream, text("\x03\xff\xff\xff"));
  CHECK(setup.dropped() == DropReason::kMalformed);
  const auto large = setup.peer.open(kProtocol);
  setup.peer.send(large, base::from_hex("818004").value());  // announces 65,537 bytes
  CHECK(setup.dropped() == DropReason::kMalformed);
  const auto cut = setup.peer.open(kProtocol);
  setup.peer.send(cut, text("\x05"
                            "ab"));
  setup.peer.finish(cut);
  CHECK(setup.dropped() == DropReason::kMalformed);
}

TEST_CASE("PING is answered for those who still send it") {
  Setup setup;
  const auto answer = setup.ask({.type = MessageType::kPing});
  REQUIRE(answer);
  CHECK(*answer == Message{.type = MessageType::kPing});
}

TEST_CASE("streams are limited per peer and in all, and count no longer once closed") {
  kad::Config config = quiet();
  config.server.max_streams = 5;
  config.server.max_streams_per_peer = 3;
  Setup setup{config};
  std::vector<connection::StreamRef> open;
  for (int i = 0; i < 3; ++i) open.push_back(setup.peer.open(kProtocol));
  CHECK(!setup.dropped());
  setup.peer.open(kProtocol);
  CHECK(setup.dropped() == DropReason::kTooManyStreams);
  setup.peer.close(open[0], connection::StreamEnd::kRemoteReset);
  setup.peer.open(kProtocol);
  CHECK(!setup.dropped());
  for (std::uint32_t i = 0; i < 4; ++i) {  // of other peers
    setup.peer.tell(connection::stream_input::Opened{{{9, 1}, {i}},
                                                     numbered_peer(10 + i),
                                                     connection::Direction::kInbound,
                                                     std::string{kProtocol}});
  }
  CHECK(setup.peer.take_events<kad::InboundDropped>().size() == 2);
}

TEST_CASE("a stream without a whole request is reset in the end, also when bytes dribble in") {
  Setup setup;
  const auto idle = setup.peer.open(kProtocol);
  const auto slow = setup.peer.open(kProtocol);
  setup.peer.send(slow, text("\x40"));
  for (int i = 0; i < 7; ++i) {
    setup.peer.pass(std::chrono::seconds{9});
    setup.peer.send(slow, text("\x01"));
  }
  CHECK(setup.peer.seen(idle).reset);
  CHECK(setup.peer.seen(slow).reset);
  CHECK(setup.dropped() == DropReason::kIdle);
  CHECK(!setup.peer.deadline());
}

TEST_CASE("a peer that does not read answers can neither send on nor make us hold much") {
  Setup setup;
  for (std::size_t i = 2; i < 40; ++i) setup.know(i);
  setup.peer.answer_writes(false);
  const auto stream = setup.peer.open(kProtocol);
  base::Bytes requests;
  while (requests.size() < 60'000) {
    base::append(requests, base::encode_frame(kad::encode_message(find_node(text("key")))).view());
  }
  setup.peer.send(stream, requests);
  CHECK(setup.peer.seen(stream).writes == 1);
  CHECK(setup.peer.seen(stream).consumed < 100);
  for (int i = 0; i < 4; ++i) setup.peer.send(stream, requests);
  CHECK(setup.peer.seen(stream).reset);
  CHECK(setup.dropped() == DropReason::kFlooded);
}

TEST_CASE("a client answers nobody") {
  Setup setup;
  const auto before = setup.peer.open(kProtocol);
  setup.peer.call([&](kad::Engine& e) { e.set_mode(kad::Mode::kClient, setup.peer.now()); });
  CHECK(setup.peer.seen(before).reset);
  const auto after = setup.peer.open(kProtocol);
  CHECK(setup.peer.seen(after).reset);
  CHECK(setup.dropped() == DropReason::kClientMode);
  setup.peer.call([&](kad::Engine& e) { e.set_mode(kad::Mode::kServer, setup.peer.now()); });
  CHECK(setup.ask(find_node(text("key"))));
}
