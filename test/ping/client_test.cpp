#include <chrono>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/ping/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"
#include "../support/stream_pair.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using connection::StreamEnd;

namespace {

struct Fixture {
  test::SeededCrypto crypto{1};
  ping::Engine engine{ping::Config{}, crypto};
  test::ScriptedPeer<ping::Engine> remote{engine, test::peer_id(2)};

  ping::PingId ping() {
    ping::PingId id;
    remote.call(
        [&](ping::Engine& e) { id = e.ping(test::peer_id(2), std::nullopt, remote.now()); });
    return id;
  }
  // The only PingDone since the last call.
  ping::PingDone done() {
    auto events = remote.take_events<ping::PingDone>();
    REQUIRE(events.size() == 1);
    return events.front();
  }
  void check_failed(ping::PingId id, ping::PingError error) {
    const ping::PingDone event = done();
    CHECK(event.id == id);
    CHECK(event.round_trip == std::unexpected(error));
    CHECK(remote.no_events());
  }
  base::Bytes payload(connection::StreamRef stream) {
    base::Bytes written = remote.seen(stream).written;
    REQUIRE(written.size() >= ping::kPayloadSize);
    return {written.end() - ping::kPayloadSize, written.end()};
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "ping: the payload travels with the request for the stream") {
  const ping::PingId id = ping();
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols == std::vector<std::string>{"/ipfs/ping/1.0.0"});
  CHECK_FALSE(remote.asked()[0].connection);
  const auto stream = remote.begin_open();
  CHECK(remote.seen(stream).written.size() == 32);
  remote.pass(30ms);
  remote.agree(stream);
  remote.send(stream, payload(stream));
  const ping::PingDone event = done();
  CHECK(event.id == id);
  CHECK(event.peer == test::peer_id(2));
  CHECK(event.round_trip == base::Duration{30ms});
  CHECK(remote.seen(stream).consumed == 32);
  CHECK(remote.seen(stream).finished);
  remote.finish(stream);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "ping: payloads differ") {
  ping();
  const auto stream = remote.accept_open();
  const base::Bytes first = payload(stream);
  ping();
  remote.send(stream, first);
  CHECK(payload(stream) != first);
}

TEST_CASE_FIXTURE(Fixture, "ping: an echo in pieces counts when it is complete") {
  ping();
  const auto stream = remote.accept_open();
  const base::Bytes echo = payload(stream);
  for (std::size_t i = 0; i < echo.size(); ++i) {
    CHECK(remote.no_events());
    remote.pass(1ms);
    remote.send(stream, base::BytesView{echo}.subspan(i, 1));
  }
  CHECK(done().round_trip == base::Duration{32ms});
}

TEST_CASE_FIXTURE(Fixture, "ping: pings asked for meanwhile go over the same stream") {
  const std::vector<ping::PingId> ids = {ping(), ping(), ping()};
  const auto stream = remote.accept_open();
  for (const ping::PingId id : ids) {
    CHECK_FALSE(remote.seen(stream).finished);
    remote.pass(1ms);
    remote.send(stream, payload(stream));
    const ping::PingDone event = done();
    CHECK(event.id == id);
    CHECK(event.round_trip == base::Duration{1ms});
  }
  CHECK(remote.seen(stream).finished);
  CHECK(remote.asked().empty());
}

TEST_CASE_FIXTURE(Fixture, "ping: never two streams to a peer, also when it does not close") {
  ping();
  const auto first = remote.accept_open();
  remote.send(first, payload(first));
  done();
  CHECK_FALSE(remote.seen(first).reset);
  ping();
  CHECK(remote.seen(first).reset);
  const auto second = remote.accept_open();
  remote.close(first, StreamEnd::kLocalReset);
  remote.send(second, payload(second));
  CHECK(done().round_trip);
}

TEST_CASE_FIXTURE(Fixture, "ping: a stream that the peer does not close is reset in the end") {
  ping();
  const auto stream = remote.accept_open();
  remote.send(stream, payload(stream));
  done();
  remote.pass(9s);
  CHECK_FALSE(remote.seen(stream).reset);
  remote.pass(1s);
  CHECK(remote.seen(stream).reset);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "ping: another connection needs another stream") {
  ping();
  const connection::ConnectionId other{9, 1};
  remote.call([&](ping::Engine& e) { e.ping(test::peer_id(2), other, remote.now()); });
  const auto stream = remote.accept_open();
  remote.send(stream, payload(stream));
  done();
  CHECK(remote.seen(stream).reset);
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].connection == other);
}

TEST_CASE_FIXTURE(Fixture, "ping: times out while dialling, and resets a stream that comes later") {
  const ping::PingId id = ping();
  remote.pass(10s);
  check_failed(id, ping::PingError::kTimeout);
  const auto stream = remote.begin_open();
  CHECK(remote.seen(stream).reset);
  CHECK(remote.seen(stream).written.empty());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "ping: times out on a silent peer, in flight and in the queue") {
  const ping::PingId first = ping();
  const auto stream = remote.accept_open();
  remote.pass(6s);
  const ping::PingId second = ping();
  remote.pass(4s);
  check_failed(first, ping::PingError::kTimeout);
  CHECK(remote.seen(stream).reset);
  REQUIRE(remote.asked().size() == 1);  // the second one gets a stream of its own
  remote.pass(6s);
  check_failed(second, ping::PingError::kTimeout);
  remote.pass(1h);
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "ping: a queued ping is cancelled alone") {
  ping();
  remote.accept_open();
  const ping::PingId queued = ping();
  remote.call([&](ping::Engine& e) { e.cancel(queued, remote.now()); });
  remote.pass(10s);
  CHECK(remote.take_events<ping::PingDone>().size() == 1);
  CHECK(remote.asked().empty());
}

TEST_CASE_FIXTURE(Fixture, "ping: a wrong echo fails, also one that is too long") {
  ping::PingId id = ping();
  auto stream = remote.accept_open();
  base::Bytes echo = payload(stream);
  echo[31] ^= 1;
  remote.send(stream, echo);
  check_failed(id, ping::PingError::kWrongEcho);
  CHECK(remote.seen(stream).reset);

  id = ping();
  stream = remote.accept_open();
  echo = payload(stream);
  echo.push_back(0);
  remote.send(stream, echo);
  check_failed(id, ping::PingError::kWrongEcho);
  CHECK(remote.seen(stream).reset);
}

TEST_CASE_FIXTURE(Fixture, "ping: bytes after the last echo end the stream") {
  ping();
  const auto stream = remote.accept_open();
  remote.send(stream, payload(stream));
  done();
  remote.send(stream, base::Bytes(5));
  CHECK(remote.seen(stream).reset);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "ping: a peer without the protocol is told apart from a dead one") {
  const ping::PingId first = ping();
  auto stream = remote.begin_open();
  remote.close(stream, StreamEnd::kProtocolRefused);
  check_failed(first, ping::PingError::kUnsupported);

  const ping::PingId second = ping();
  stream = remote.accept_open();
  remote.close(stream, StreamEnd::kConnectionClosed);
  check_failed(second, ping::PingError::kStreamClosed);

  const ping::PingId third = ping();
  stream = remote.accept_open();
  remote.finish(stream);
  check_failed(third, ping::PingError::kStreamClosed);
  CHECK(remote.seen(stream).reset);

  const ping::PingId fourth = ping();
  const auto token = remote.asked()[0].token;
  remote.asked().clear();
  remote.tell(connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
  check_failed(fourth, ping::PingError::kOpenFailed);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "ping: a cancelled ping is not heard of again") {
  const auto cancel = [&](ping::PingId id) {
    remote.call([&](ping::Engine& e) { e.cancel(id, remote.now()); });
  };
  cancel(ping());  // while dialling
  const auto late = remote.begin_open();
  CHECK(remote.seen(late).reset);

  const ping::PingId in_flight = ping();
  const auto stream = remote.accept_open();
  cancel(in_flight);
  CHECK(remote.seen(stream).reset);
  remote.send(stream, base::Bytes(32));
  remote.close(stream, StreamEnd::kLocalReset);
  cancel(in_flight);
  remote.pass(1h);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE("ping: two engines agree, whatever the fragmentation") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    test::SeededCrypto crypto{seed};
    ping::Engine a{{}, crypto};
    ping::Engine b{{}, crypto};
    const test::LinkOptions link{
        .seed = seed, .window = 40, .send_queue = 16 + seed, .max_fragment = 1 + seed % 40};
    test::StreamPair<ping::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}, link};
    for (int i = 0; i < 3; ++i) {
      pair.call(0, [&](ping::Engine& e) { e.ping(test::peer_id(2), std::nullopt, pair.now()); });
      pair.call(1, [&](ping::Engine& e) { e.ping(test::peer_id(1), std::nullopt, pair.now()); });
    }
    pair.run();
    for (std::size_t side = 0; side < 2; ++side) {
      const auto events = pair.take_events<ping::PingDone>(side);
      CHECK(events.size() == 3);
      for (const auto& event : events) {
        REQUIRE(event.round_trip);
        CHECK(*event.round_trip >= link.latency * 2);
      }
      CHECK(pair.no_events(side));
    }
    CHECK(pair.streams_opened() == 2);
    CHECK(pair.open_streams() == 0);
    CHECK(pair.now() < base::Instant{} + 1s);  // all closed in good order, not by a timeout
  }
}

TEST_CASE("ping: a lost connection fails what is in flight") {
  test::SeededCrypto crypto{1};
  ping::Engine a{{}, crypto};
  ping::Engine b{{}, crypto};
  test::StreamPair<ping::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}};
  pair.call(0, [&](ping::Engine& e) { e.ping(test::peer_id(2), std::nullopt, pair.now()); });
  pair.run_for(7ms);
  pair.cut();
  pair.run();
  const auto events = pair.take_events<ping::PingDone>(0);
  REQUIRE(events.size() == 1);
  CHECK(events[0].round_trip == std::unexpected(ping::PingError::kStreamClosed));
}
