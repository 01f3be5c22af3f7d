// How a node asks one peer, and what it makes of each way not to answer.

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/kad/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"
#include "values.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::Message;
using kad::MessageType;
using kad::RequestError;

namespace {

namespace input = connection::stream_input;

constexpr std::size_t kRemote = 1;

struct Setup {
  Setup()
      : engine(config(), numbered_peer(0), crypto, kWallAtZero),
        peer(engine, numbered_peer(kRemote)) {
    engine.add_validator("test", std::make_unique<CounterValidator>());
    engine.set_addresses({numbered_address(0)});
    identify(true);
    peer.take_events<kad::RoutingUpdated>();
  }
  static kad::Config config() {
    kad::Config config;
    config.maintenance.max_queries = 0;
    return config;
  }
  void identify(bool serves) {
    peer.call([&](kad::Engine& e) {
      e.peer_identified(numbered_peer(kRemote), std::array{numbered_address(kRemote)}, {}, serves,
                        peer.now());
    });
  }
  void look_up() {
    peer.call([&](kad::Engine& e) { id = e.closest(text("key"), peer.now()).value(); });
  }
  void answer(connection::StreamRef stream, const Message& message) {
    peer.send(stream, base::encode_frame(kad::encode_message(message)).view());
  }
  /// Why the only request failed, if it did; its query must be over.
  std::optional<RequestError> error() {
    const auto hops = peer.take_events<kad::QueryHop>();
    REQUIRE(hops.size() == 1);
    REQUIRE(peer.take_events<kad::QueryDone>().size() == 1);
    return hops[0].error;
  }
  [[nodiscard]] unsigned failures() const {
    const auto* entry = engine.table().find(numbered_peer(kRemote));
    REQUIRE(entry != nullptr);
    return entry->failures;
  }

  SeededCrypto crypto{1};
  kad::Engine engine;
  ScriptedPeer<kad::Engine> peer;
  kad::QueryId id;
};

}  // namespace

TEST_CASE("a request goes out on a stream of its own, which is finished after the answer") {
  Setup setup;
  setup.look_up();
  REQUIRE(setup.peer.asked().size() == 1);
  CHECK(setup.peer.asked()[0].peer == numbered_peer(kRemote));
  CHECK(setup.peer.asked()[0].protocols == std::vector<std::string>{"/ggen/marketplace/1.0.0"});
  const auto stream = setup.peer.accept_open();
  const Message question{.type = MessageType::kFindNode, .key = text("key")};
  CHECK(setup.peer.seen(stream).written ==
        base::to_bytes(base::encode_frame(kad::encode_message(question)).view()));
  CHECK(!setup.peer.seen(stream).finished);
  setup.answer(stream, {.type = MessageType::kFindNode});
  CHECK(setup.peer.seen(stream).finished);
  CHECK(!setup.peer.seen(stream).reset);
  CHECK(!setup.error());
  CHECK(setup.failures() == 0);
  setup.peer.close(stream, connection::StreamEnd::kClosed);
  CHECK(!setup.peer.deadline());
}

TEST_CASE("a stream that the peer leaves open after its answer is reset") {
  Setup setup;
  setup.look_up();
  const auto stream = setup.peer.accept_open();
  setup.answer(stream, {.type = MessageType::kFindNode});
  setup.peer.pass(std::chrono::seconds{11});
  CHECK(setup.peer.seen(stream).reset);
  CHECK(!setup.peer.deadline());
}

TEST_CASE("each way not to answer has its name, and counts against the peer") {
  Setup setup;
  setup.look_up();
  RequestError expected{};
  SUBCASE("unreachable") {
    expected = RequestError::kUnreachable;
    setup.peer.tell(
        input::OpenFailed{setup.peer.asked()[0].token, connection::OpenFailure::kNotConnected});
  }
  SUBCASE("never") {
    expected = RequestError::kTimeout;
    const auto stream = setup.peer.accept_open();
    setup.peer.pass(std::chrono::seconds{10});
    CHECK(setup.peer.seen(stream).reset);
  }
  SUBCASE("no stream in time") {
    expected = RequestError::kTimeout;
    setup.peer.pass(std::chrono::seconds{10});
    CHECK(setup.peer.seen(setup.peer.begin_open()).reset);  // it comes too late
  }
  SUBCASE("an end instead") {
    expected = RequestError::kClosed;
    setup.peer.finish(setup.peer.accept_open());
  }
  SUBCASE("a reset instead") {
    expected = RequestError::kClosed;
    setup.peer.close(setup.peer.accept_open(), connection::StreamEnd::kRemoteReset);
  }
  SUBCASE("garbage") {
    expected = RequestError::kMalformed;
    setup.peer.send(setup.peer.accept_open(), text("\x03\xff\xff\xff"));
  }
  SUBCASE("another kind of answer") {
    expected = RequestError::kMalformed;
    setup.answer(setup.peer.accept_open(), {.type = MessageType::kGetValue});
  }
  SUBCASE("more than 384 KiB") {
    expected = RequestError::kMalformed;
    const auto stream = setup.peer.accept_open();
    setup.peer.send(stream, base::from_hex("818018").value());  // announces 393,217 bytes
    CHECK(setup.peer.seen(stream).reset);
  }
  CHECK(setup.error() == expected);
  CHECK(setup.failures() == 1);
}

TEST_CASE("that this node will not open a stream says nothing about the peer") {
  Setup setup;
  setup.look_up();
  setup.peer.tell(
      input::OpenFailed{setup.peer.asked()[0].token, connection::OpenFailure::kTooManyStreams});
  CHECK(setup.error() == RequestError::kRefused);
  CHECK(setup.failures() == 0);
}

TEST_CASE("a peer that stopped serving leaves the table, and comes back when it announces again") {
  Setup setup;
  setup.look_up();
  setup.peer.close(setup.peer.accept_open(), connection::StreamEnd::kProtocolRefused);
  CHECK(setup.error() == RequestError::kUnsupported);
  CHECK(setup.engine.table().empty());
  const auto changes = setup.peer.take_events<kad::RoutingUpdated>();
  REQUIRE(changes.size() == 1);
  CHECK(!changes[0].added);
  setup.identify(true);
  CHECK(setup.engine.table().size() == 1);
  setup.identify(false);
  CHECK(setup.engine.table().empty());
}

TEST_CASE("a cancelled query resets its streams and says nothing") {
  Setup setup;
  setup.look_up();
  const auto stream = setup.peer.accept_open();
  setup.peer.call([&](kad::Engine& e) { e.cancel(setup.id); });
  CHECK(setup.peer.seen(stream).reset);
  CHECK(setup.peer.no_events());
  CHECK(!setup.peer.deadline());
}

TEST_CASE("ADD_PROVIDER counts when the peer agrees to the protocol, and then ends the stream") {
  Setup setup;
  setup.peer.call([&](kad::Engine& e) { CHECK(e.provide(text("file"), setup.peer.now())); });
  setup.answer(setup.peer.accept_open(), {.type = MessageType::kFindNode});
  const auto stream = setup.peer.begin_open();
  CHECK(!setup.peer.seen(stream).finished);  // js-libp2p misses an end that comes this early
  setup.peer.agree(stream);
  CHECK(setup.peer.seen(stream).finished);
  const auto done = setup.peer.take_events<kad::QueryDone>();
  REQUIRE(done.size() == 1);
  CHECK(std::get<kad::result::Placed>(done[0].result).stored == 1);
  Message expected{.type = MessageType::kAddProvider, .key = text("file")};
  expected.providers = {numbered_record(0)};
  CHECK(setup.peer.seen(stream).written ==
        base::to_bytes(base::encode_frame(kad::encode_message(expected)).view()));
}

TEST_CASE("PUT_VALUE says when the value was received, and counts when it is echoed") {
  Setup setup;
  setup.peer.pass(std::chrono::seconds{1});
  setup.peer.call(
      [&](kad::Engine& e) { CHECK(e.put_value(text("/test/a"), text("1"), setup.peer.now())); });
  setup.answer(setup.peer.accept_open(), {.type = MessageType::kFindNode});
  const auto stream = setup.peer.accept_open();
  Message sent{.type = MessageType::kPutValue, .key = text("/test/a")};
  sent.record = kad::Record{text("/test/a"), text("1"), "2026-01-02T03:04:06.000000000Z"};
  CHECK(setup.peer.seen(stream).written ==
        base::to_bytes(base::encode_frame(kad::encode_message(sent)).view()));
  std::size_t stored = 1;
  SUBCASE("echoed") {}
  SUBCASE("another value") {
    sent.record->value = text("2");
    stored = 0;
  }
  SUBCASE("no value") {
    sent.record.reset();
    stored = 0;
  }
  setup.answer(stream, sent);
  const auto done = setup.peer.take_events<kad::QueryDone>();
  REQUIRE(done.size() == 1);
  CHECK(std::get<kad::result::Placed>(done[0].result).stored == stored);
  CHECK(setup.failures() == 1 - stored);
}

TEST_CASE("the silent peer of a full bucket is asked for a sign of life when another one waits") {
  kad::Config config = Setup::config();
  config.table.bucket_size = 1;
  config.table.replacements = 1;
  SeededCrypto crypto{1};
  kad::Engine engine{config, numbered_peer(0), crypto, kWallAtZero};
  ScriptedPeer<kad::Engine> peer{engine, numbered_peer(1)};
  const auto local = kad::Key::of(numbered_peer(0));
  std::vector<std::size_t> same;
  for (std::size_t i = 1; same.size() < 2; ++i) {
    if (kad::Key::of(numbered_peer(i)).common_prefix(local) == 0) same.push_back(i);
  }
  const auto identify = [&](std::size_t number) {
    peer.call([&](kad::Engine& e) {
      e.peer_identified(numbered_peer(number), std::array{numbered_address(number)}, {}, true,
                        peer.now());
    });
  };
  identify(same[0]);
  identify(same[1]);
  CHECK(peer.asked().empty());  // it was heard of a moment ago
  peer.pass(std::chrono::minutes{6});
  identify(same[1]);
  identify(same[1]);
  REQUIRE(peer.asked().size() == 1);  // once is enough
  CHECK(peer.asked()[0].peer == numbered_peer(same[0]));
  peer.tell(input::OpenFailed{peer.asked()[0].token, connection::OpenFailure::kNotConnected});
  CHECK(engine.table().find(numbered_peer(same[0])) == nullptr);
  CHECK(engine.table().find(numbered_peer(same[1])) != nullptr);
}

TEST_CASE("a request that waits for others to the same peer blames nobody when its time is over") {
  Setup setup;
  for (int i = 0; i < 20; ++i) setup.look_up();
  CHECK(setup.peer.asked().size() == 16);
  setup.peer.pass(std::chrono::seconds{10});
  std::size_t refused = 0;
  for (const auto& hop : setup.peer.take_events<kad::QueryHop>()) {
    refused += hop.error == RequestError::kRefused ? 1 : 0;
  }
  CHECK(refused == 4);
  CHECK(setup.peer.asked().size() == 16);
  CHECK(!setup.peer.deadline());
}

TEST_CASE("who refuses a value is not thought to be gone") {
  Setup setup;
  setup.peer.call(
      [&](kad::Engine& e) { CHECK(e.put_value(text("/test/a"), text("1"), setup.peer.now())); });
  setup.answer(setup.peer.accept_open(), {.type = MessageType::kFindNode});
  setup.peer.close(setup.peer.accept_open(), connection::StreamEnd::kRemoteReset);
  const auto done = setup.peer.take_events<kad::QueryDone>();
  REQUIRE(done.size() == 1);
  CHECK(std::get<kad::result::Placed>(done[0].result).failed == 1);
  CHECK(setup.failures() == 0);
}

TEST_CASE("a peer that failed too often is asked again while it is connected and nobody else is") {
  Setup setup;
  for (int i = 0; i < 3; ++i) {
    setup.look_up();
    REQUIRE(setup.peer.asked().size() == 1);
    setup.peer.accept_open();
    setup.peer.pass(std::chrono::seconds{11});
    CHECK(setup.error() == RequestError::kTimeout);
  }
  CHECK(setup.engine.table().empty());
  setup.look_up();
  REQUIRE(setup.peer.asked().size() == 1);
  setup.answer(setup.peer.accept_open(), {.type = MessageType::kFindNode});
  CHECK(!setup.error());
  CHECK(setup.engine.table().size() == 1);
}

TEST_CASE("an empty table is filled again from who is connected, at the next refresh") {
  SeededCrypto crypto{1};
  kad::Engine engine{{}, numbered_peer(0), crypto, kWallAtZero};
  ScriptedPeer<kad::Engine> peer{engine, numbered_peer(kRemote)};
  peer.call([&](kad::Engine& e) {
    e.peer_identified(numbered_peer(kRemote), std::array{numbered_address(kRemote)}, {}, true,
                      peer.now());
    for (int i = 0; i < 3; ++i) CHECK(e.closest(text("key"), peer.now()));
  });
  peer.pass(std::chrono::minutes{1});
  CHECK(engine.table().empty());
  peer.asked().clear();
  peer.pass(std::chrono::minutes{10});
  CHECK(!peer.asked().empty());
}
