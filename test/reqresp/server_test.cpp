#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/reqresp/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using connection::StreamEnd;
using reqresp::Error;
using reqresp::MapBuilder;
using reqresp::ServedId;

namespace {

constexpr std::string_view kProtocol = "/ggen/test/1.0.0";

struct Fixture {
  reqresp::Engine engine;
  reqresp::ServiceId other = engine.add_service({.protocol = "/ggen/other/1.0.0"});
  reqresp::ServiceId service = engine.add_service({.protocol = std::string{kProtocol},
                                                   .max_request = 100,
                                                   .max_response = 200,
                                                   .max_body = 1000,
                                                   .max_inbound_per_peer = 2,
                                                   .max_inbound = 3});
  test::ScriptedPeer<reqresp::Engine> remote{engine, test::peer_id(2)};

  void send(connection::StreamRef stream, const MapBuilder& message) {
    remote.send(stream, base::encode_frame(message.encode()).view());
  }
  // A request that has arrived.
  ServedId ask(connection::StreamRef& stream) {
    stream = remote.open(kProtocol);
    send(stream, MapBuilder{}.text("q", "what?"));
    remote.finish(stream);
    const auto events = remote.take_events<reqresp::Request>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].peer == test::peer_id(2));
    CHECK(events[0].service == service);
    CHECK(events[0].message.map().text("q") == "what?");
    return events[0].id;
  }
  void respond(ServedId id, const MapBuilder& message, std::uint64_t body = 0) {
    remote.call([&](reqresp::Engine& e) { e.respond(id, message, body, remote.now()); });
  }
  void write_body(ServedId id, std::size_t size) {
    remote.call([&](reqresp::Engine& e) {
      e.write_body(id, base::Buffer::copy_of(base::Bytes(size, 'b')), remote.now());
    });
  }
  void finish(ServedId id) {
    remote.call([&](reqresp::Engine& e) { e.finish(id, remote.now()); });
  }
  void refuse(ServedId id) {
    remote.call([&](reqresp::Engine& e) { e.refuse(id); });
  }
  void check_dropped(connection::StreamRef stream, Error error) {
    CHECK(remote.seen(stream).reset);
    const auto events = remote.take_events<reqresp::InboundDropped>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].stream == stream);
    CHECK(events[0].peer == test::peer_id(2));
    CHECK(events[0].service == service);
    CHECK(events[0].error == error);
    CHECK(remote.no_events());
    remote.close(stream, StreamEnd::kLocalReset);
  }
  void check_lost(ServedId id, Error error) {
    const auto events = remote.take_events<reqresp::ServedLost>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].id == id);
    CHECK(events[0].error == error);
    CHECK(remote.no_events());
    CHECK_FALSE(remote.deadline());
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "serve: one response") {
  connection::StreamRef stream;
  const ServedId id = ask(stream);
  CHECK(remote.seen(stream).consumed == 10);
  respond(id, MapBuilder{}.text("a", "that"));
  CHECK(base::to_hex(remote.seen(stream).written) ==
        "08"
        "81a161a474686174");
  CHECK_FALSE(remote.seen(stream).finished);
  finish(id);
  CHECK(remote.seen(stream).finished);
  CHECK(remote.no_events());
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "serve: need not wait for the client's end") {
  const auto stream = remote.open(kProtocol);
  send(stream, MapBuilder{});
  const auto events = remote.take_events<reqresp::Request>();
  REQUIRE(events.size() == 1);
  respond(events[0].id, MapBuilder{});
  finish(events[0].id);
  CHECK(remote.seen(stream).finished);
  remote.finish(stream);
  CHECK_FALSE(remote.seen(stream).reset);
}

TEST_CASE_FIXTURE(Fixture, "serve: several responses, bodies behind them, answered one by one") {
  connection::StreamRef stream;
  const ServedId id = ask(stream);
  remote.answer_writes(false);
  respond(id, MapBuilder{}.uint("n", 1), 5);
  write_body(id, 3);
  write_body(id, 0);
  write_body(id, 2);
  respond(id, MapBuilder{}.uint("n", 2));
  CHECK(base::to_hex(remote.seen(stream).written) ==
        "0a"
        "82a16e01a4626f647905"
        "6262626262"
        "04"
        "81a16e02");
  CHECK(remote.no_events());
  remote.answer_writes(true);
  const auto answers = remote.take_events<reqresp::BodyWritten>();
  CHECK(answers.size() == 2);  // for the bodies, not for the maps
  finish(id);
  CHECK(remote.seen(stream).finished);
}

TEST_CASE_FIXTURE(Fixture, "serve: refusing, or finishing in the middle of a body, resets") {
  connection::StreamRef stream;
  refuse(ask(stream));
  CHECK(remote.seen(stream).reset);

  const ServedId id = ask(stream);
  respond(id, {}, 10);
  write_body(id, 9);
  finish(id);
  CHECK(remote.seen(stream).reset);
  CHECK_FALSE(remote.seen(stream).finished);
  remote.take_events<reqresp::BodyWritten>();
  CHECK(remote.no_events());  // it was the owner's own choice
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "serve: a dead id does nothing") {
  connection::StreamRef stream;
  const ServedId id = ask(stream);
  respond(id, {});
  finish(id);
  const auto written = remote.seen(stream).written;
  respond(id, {});
  write_body(id, 1);
  finish(id);
  refuse(id);
  CHECK(remote.seen(stream).written == written);
  CHECK_FALSE(remote.seen(stream).reset);
  remote.close(stream, StreamEnd::kClosed);
  respond(id, {});
  finish(id);
  refuse(id);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "serve: a response above the limit is not sent") {
  connection::StreamRef stream;
  ServedId id = ask(stream);
  respond(id, MapBuilder{}.binary("b", base::Bytes(200)));
  CHECK(remote.seen(stream).reset);
  check_lost(id, Error::kTooLarge);
  id = ask(stream);
  respond(id, {}, 1001);
  CHECK(remote.seen(stream).reset);
  check_lost(id, Error::kTooLarge);
}

TEST_CASE_FIXTURE(Fixture, "serve: what a client may send wrongly") {
  auto stream = remote.open(kProtocol);
  remote.send(stream, base::Bytes(9, 0x80));
  check_dropped(stream, Error::kMalformed);

  stream = remote.open(kProtocol);
  remote.send(stream, base::Bytes{1, 0x90});
  check_dropped(stream, Error::kMalformed);

  stream = remote.open(kProtocol);
  remote.send(stream, base::Bytes{101});
  check_dropped(stream, Error::kTooLarge);

  stream = remote.open(kProtocol);
  remote.send(stream, base::Bytes{1, 0x80, 0});
  check_dropped(stream, Error::kUnexpectedData);

  stream = remote.open(kProtocol);
  remote.finish(stream);
  check_dropped(stream, Error::kEndedEarly);

  stream = remote.open(kProtocol);
  remote.send(stream, base::Bytes{5, 0x80});
  remote.finish(stream);
  check_dropped(stream, Error::kEndedEarly);
  CHECK_FALSE(remote.deadline());

  stream = remote.open(kProtocol);
  send(stream, {});
  const ServedId id = remote.take_events<reqresp::Request>().at(0).id;
  remote.send(stream, base::Bytes{0});
  CHECK(remote.seen(stream).reset);
  check_lost(id, Error::kUnexpectedData);
}

TEST_CASE_FIXTURE(Fixture, "serve: a request that drips in is dropped") {
  const auto stream = remote.open(kProtocol);
  remote.send(stream, base::Bytes{100});
  for (int i = 0; i < 19; ++i) {
    remote.pass(1s);
    remote.send(stream, base::Bytes(1));
  }
  CHECK_FALSE(remote.seen(stream).reset);
  remote.pass(1s);
  check_dropped(stream, Error::kStalled);
}

TEST_CASE_FIXTURE(Fixture, "serve: an owner that does not answer loses the request") {
  connection::StreamRef stream;
  const ServedId id = ask(stream);
  remote.pass(20s);
  CHECK(remote.seen(stream).reset);
  check_lost(id, Error::kStalled);
}

TEST_CASE_FIXTURE(Fixture, "serve: a client that does not read is given up, a slow one is not") {
  connection::StreamRef stream;
  const ServedId id = ask(stream);
  remote.answer_writes(false);
  respond(id, {}, 100);
  for (int i = 0; i < 10; ++i) write_body(id, 10);
  finish(id);
  for (int i = 0; i < 10; ++i) {
    remote.pass(19s);
    remote.tell(connection::stream_input::Written{stream});
  }
  CHECK(remote.no_events());  // the owner is done: no BodyWritten
  CHECK_FALSE(remote.seen(stream).reset);
  remote.pass(20s);
  CHECK(remote.seen(stream).reset);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());

  const ServedId second = ask(stream);
  respond(second, {}, 100);
  remote.pass(20s);
  check_lost(second, Error::kStalled);
}

TEST_CASE_FIXTURE(Fixture, "serve: a client that goes away is reported while the owner works") {
  connection::StreamRef stream;
  ServedId id = ask(stream);
  remote.close(stream, StreamEnd::kRemoteReset);
  check_lost(id, Error::kReset);
  id = ask(stream);
  remote.close(stream, StreamEnd::kConnectionClosed);
  check_lost(id, Error::kConnectionLost);
  const auto unasked = remote.open(kProtocol);
  remote.close(unasked, StreamEnd::kRemoteReset);
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "serve: few requests at a time, for a peer and in all") {
  connection::StreamRef first;
  const ServedId id = ask(first);
  remote.open(kProtocol);
  check_dropped(remote.open(kProtocol), Error::kTooManyRequests);
  // Another service counts by itself.
  CHECK_FALSE(remote.seen(remote.open("/ggen/other/1.0.0")).reset);
  // A stream counts until it is closed, also when the owner is done.
  respond(id, {});
  finish(id);
  check_dropped(remote.open(kProtocol), Error::kTooManyRequests);
  remote.close(first, StreamEnd::kClosed);
  CHECK_FALSE(remote.seen(remote.open(kProtocol)).reset);

  const auto open = [&](std::uint8_t peer) {
    const connection::StreamRef ref{{50, 1}, {peer}};
    remote.tell(connection::stream_input::Opened{
        ref, test::peer_id(peer), connection::Direction::kInbound, std::string{kProtocol}});
    return remote.seen(ref).reset;
  };
  CHECK_FALSE(open(11));
  CHECK(open(12));
}
