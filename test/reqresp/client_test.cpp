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

namespace {

constexpr reqresp::MessageLimits kSmall{.max_depth = 2, .max_values = 20};

struct Fixture {
  reqresp::Engine engine;
  reqresp::ServiceId service = engine.add_service({.protocol = "/ggen/test/1.0.0",
                                                   .max_request = 100,
                                                   .max_response = 200,
                                                   .max_responses = 3,
                                                   .max_body = 1000,
                                                   .message = kSmall});
  test::ScriptedPeer<reqresp::Engine> remote{engine, test::peer_id(2)};

  reqresp::RequestId request(base::Duration timeout = 60s,
                             const MapBuilder& message = MapBuilder{}.text("q", "what?")) {
    reqresp::RequestId id;
    remote.call([&](reqresp::Engine& e) {
      id = e.request(test::peer_id(2), service, message, timeout, remote.now());
    });
    return id;
  }
  void consume(reqresp::RequestId id, std::size_t size) {
    remote.call([&](reqresp::Engine& e) { e.consume(id, size, remote.now()); });
  }
  void send(connection::StreamRef stream, const MapBuilder& message) {
    remote.send(stream, base::encode_frame(message.encode()).view());
  }
  void check_done(reqresp::RequestId id, std::expected<void, Error> result = {}) {
    const auto events = remote.take_events<reqresp::RequestDone>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].id == id);
    CHECK(events[0].peer == test::peer_id(2));
    CHECK(events[0].result == result);
    CHECK(remote.no_events());
  }
  // A request fails with this error, and nothing is left of it.
  void check_failed(reqresp::RequestId id, connection::StreamRef stream, Error error) {
    CHECK(remote.seen(stream).reset);
    remote.take_events<reqresp::Response>();
    remote.take_events<reqresp::ResponseBody>();
    check_done(id, std::unexpected(error));
    CHECK_FALSE(remote.deadline());
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "request: travels at once, its end after the agreement") {
  const auto id = request();
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols == std::vector<std::string>{"/ggen/test/1.0.0"});
  const auto stream = remote.begin_open();
  CHECK(base::to_hex(remote.seen(stream).written) ==
        "09"
        "81a171a5776861743f");
  CHECK_FALSE(remote.seen(stream).finished);
  remote.agree(stream);
  CHECK(remote.seen(stream).finished);
  send(stream, MapBuilder{}.text("a", "that"));
  auto responses = remote.take_events<reqresp::Response>();
  REQUIRE(responses.size() == 1);
  CHECK(responses[0].id == id);
  CHECK(responses[0].message.map().text("a") == "that");
  CHECK(responses[0].body == 0);
  CHECK(remote.no_events());
  remote.finish(stream);
  check_done(id);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK_FALSE(remote.seen(stream).reset);
}

TEST_CASE_FIXTURE(Fixture, "request: several responses with bodies, charged until consumed") {
  const auto id = request();
  const auto stream = remote.accept_open();
  base::Bytes bytes;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    base::append(bytes, base::encode_frame(MapBuilder{}.uint("body", i * 10).encode()).view());
    base::append(bytes, base::Bytes(i * 10, i));
  }
  remote.send(stream, bytes);
  CHECK(remote.take_events<reqresp::Response>().size() == 3);
  const auto bodies = remote.take_events<reqresp::ResponseBody>();
  REQUIRE(bodies.size() == 3);
  for (std::uint8_t i = 1; i <= 3; ++i) {
    CHECK(base::to_bytes(bodies[i - 1].data.view()) == base::Bytes(i * 10, i));
  }
  CHECK(remote.seen(stream).consumed == bytes.size() - 60);
  consume(id, 40);
  consume(id, 0);
  CHECK(remote.seen(stream).consumed == bytes.size() - 20);
  remote.finish(stream);
  check_done(id);
  consume(id, 20);  // the id is dead by now: nothing happens
  CHECK(remote.seen(stream).consumed == bytes.size() - 20);
}

TEST_CASE_FIXTURE(Fixture, "request: what a server may send wrongly") {
  const auto begin = [&](reqresp::RequestId& id) {
    id = request();
    return remote.accept_open();
  };
  reqresp::RequestId id;
  auto stream = begin(id);
  remote.send(stream, base::Bytes(9, 0x80));
  check_failed(id, stream, Error::kMalformed);

  stream = begin(id);
  remote.send(stream, base::Bytes{1, 0xc1});
  check_failed(id, stream, Error::kMalformed);

  stream = begin(id);
  remote.send(stream, base::Bytes{0});
  check_failed(id, stream, Error::kMalformed);

  stream = begin(id);
  remote.send(stream, base::Bytes{201 | 0x80, 1});
  check_failed(id, stream, Error::kTooLarge);

  stream = begin(id);
  send(stream, MapBuilder{}.map("1", MapBuilder{}.map("2", {})));
  check_failed(id, stream, Error::kMalformed);  // too deep

  stream = begin(id);
  send(stream, MapBuilder{}.uint("body", 1001));
  check_failed(id, stream, Error::kTooLarge);

  stream = begin(id);
  send(stream, MapBuilder{}.integer("body", -1));
  check_failed(id, stream, Error::kMalformed);

  stream = begin(id);
  for (int i = 0; i < 4; ++i) send(stream, MapBuilder{});
  CHECK(remote.take_events<reqresp::Response>().size() == 3);
  check_failed(id, stream, Error::kTooManyResponses);

  stream = begin(id);
  remote.finish(stream);
  check_failed(id, stream, Error::kEndedEarly);  // no response at all

  stream = begin(id);
  send(stream, MapBuilder{});
  remote.send(stream, base::Bytes{5, 0x81});
  remote.finish(stream);
  check_failed(id, stream, Error::kEndedEarly);  // in the middle of a frame

  stream = begin(id);
  send(stream, MapBuilder{}.uint("body", 10));
  remote.send(stream, base::Bytes(9));
  remote.finish(stream);
  check_failed(id, stream, Error::kEndedEarly);  // in the middle of a body
}

TEST_CASE_FIXTURE(Fixture, "request: nothing more is looked at after an error") {
  const auto id = request();
  const auto stream = remote.accept_open();
  base::Bytes bytes{1, 0xc1};
  for (int i = 0; i < 3; ++i) base::append(bytes, base::Bytes{1, 0x80});
  remote.send(stream, bytes);
  remote.send(stream, base::Bytes{1, 0x80});
  check_failed(id, stream, Error::kMalformed);
}

TEST_CASE_FIXTURE(Fixture, "request: how a stream ends is told apart") {
  const auto close = [&](StreamEnd end) {
    const auto id = request();
    const auto stream = remote.begin_open();
    remote.close(stream, end);
    CHECK_FALSE(remote.seen(stream).reset);
    return id;
  };
  check_done(close(StreamEnd::kProtocolRefused), std::unexpected(Error::kUnsupported));
  check_done(close(StreamEnd::kRemoteReset), std::unexpected(Error::kReset));
  check_done(close(StreamEnd::kConnectionClosed), std::unexpected(Error::kConnectionLost));

  const auto id = request();
  const auto token = remote.asked().at(0).token;
  remote.asked().clear();
  remote.tell(connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
  check_done(id, std::unexpected(Error::kOpenFailed));
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "request: the caller's timeout holds at every stage") {
  auto id = request(5s);
  remote.pass(5s);
  check_done(id, std::unexpected(Error::kTimeout));
  CHECK(remote.seen(remote.begin_open()).reset);  // too late

  id = request(5s);
  auto stream = remote.accept_open();
  remote.pass(5s);
  check_failed(id, stream, Error::kTimeout);

  id = request(5s);
  stream = remote.accept_open();
  send(stream, MapBuilder{}.uint("body", 1000));
  for (int i = 0; i < 5; ++i) {
    remote.send(stream, base::Bytes(1));
    remote.pass(1s);
  }
  check_failed(id, stream, Error::kTimeout);
}

TEST_CASE_FIXTURE(Fixture, "request: a server that stalls is given up before the timeout") {
  const auto id = request(1h);
  const auto stream = remote.accept_open();
  remote.pass(19s);
  send(stream, MapBuilder{}.uint("body", 10));
  remote.pass(20s);
  check_failed(id, stream, Error::kStalled);
}

TEST_CASE_FIXTURE(Fixture, "request: an owner that does not consume is not the server's fault") {
  const auto id = request(1h);
  const auto stream = remote.accept_open();
  send(stream, MapBuilder{}.uint("body", 10));
  remote.send(stream, base::Bytes(5));
  remote.pass(10min);
  CHECK_FALSE(remote.seen(stream).reset);
  consume(id, 5);
  remote.pass(20s);
  check_failed(id, stream, Error::kStalled);
}

TEST_CASE_FIXTURE(Fixture, "request: a map above the limit is not sent") {
  const auto id = request(1s, MapBuilder{}.binary("b", base::Bytes(100)));
  check_done(id, std::unexpected(Error::kTooLarge));
  CHECK(remote.asked().empty());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "request: a cancelled request is not heard of again") {
  const auto cancel = [&](reqresp::RequestId id) {
    remote.call([&](reqresp::Engine& e) { e.cancel(id); });
  };
  cancel(request());
  CHECK(remote.seen(remote.begin_open()).reset);
  const auto id = request();
  const auto stream = remote.accept_open();
  cancel(id);
  CHECK(remote.seen(stream).reset);
  send(stream, MapBuilder{});
  remote.close(stream, StreamEnd::kLocalReset);
  cancel(id);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "request: a server that never closes its stream is reset in the end") {
  request();
  const auto stream = remote.accept_open();
  send(stream, MapBuilder{});
  remote.finish(stream);
  remote.pass(19s);
  CHECK_FALSE(remote.seen(stream).reset);
  remote.pass(1s);
  CHECK(remote.seen(stream).reset);
  CHECK_FALSE(remote.deadline());
}
