#include <chrono>
#include <numeric>

#include <doctest/doctest.h>

#include <ggen/p2p/ping/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using connection::StreamEnd;

namespace {

struct Fixture {
  test::SeededCrypto crypto{1};
  ping::Engine engine{ping::Config{}, crypto};
  test::ScriptedPeer<ping::Engine> remote{engine, test::peer_id(2)};

  void check_dropped(connection::StreamRef stream, ping::DropReason reason) {
    CHECK(remote.seen(stream).reset);
    const auto events = remote.take_events<ping::InboundDropped>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].stream == stream);
    CHECK(events[0].peer == test::peer_id(2));
    CHECK(events[0].reason == reason);
  }
};

base::Bytes numbered(std::size_t size) {
  base::Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "ping: echoes payload after payload, then finishes with the peer") {
  const auto stream = remote.open(ping::kProtocol);
  remote.send(stream, numbered(32));
  CHECK(remote.seen(stream).written == numbered(32));
  remote.pass(15s);
  remote.send(stream, numbered(32));
  CHECK(remote.seen(stream).written.size() == 64);
  CHECK(remote.seen(stream).consumed == 64);
  CHECK_FALSE(remote.seen(stream).finished);
  remote.finish(stream);
  CHECK(remote.seen(stream).finished);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "ping: the end may follow right behind the payload") {
  remote.answer_writes(false);
  const auto stream = remote.open(ping::kProtocol);
  remote.send(stream, numbered(32));
  remote.finish(stream);
  CHECK(remote.seen(stream).written == numbered(32));
  CHECK_FALSE(remote.seen(stream).finished);
  remote.answer_writes(true);
  CHECK(remote.seen(stream).finished);
}

TEST_CASE_FIXTURE(Fixture, "ping: half a payload waits, and is dropped at the end") {
  const auto stream = remote.open(ping::kProtocol);
  remote.send(stream, numbered(31));
  CHECK(remote.seen(stream).written.empty());
  CHECK(remote.seen(stream).consumed == 0);
  remote.finish(stream);
  CHECK(remote.seen(stream).written.empty());
  CHECK(remote.seen(stream).finished);
}

TEST_CASE_FIXTURE(Fixture, "ping: bytes stay charged until their echo is under way") {
  remote.answer_writes(false);
  const auto stream = remote.open(ping::kProtocol);
  for (int i = 0; i < 10; ++i) remote.send(stream, numbered(100));
  CHECK(remote.unanswered() == 1);  // one Write at a time, however much comes
  CHECK(remote.seen(stream).written.size() == 96);
  CHECK(remote.seen(stream).consumed == 0);
  remote.answer_writes(true);
  CHECK(remote.seen(stream).written.size() == 992);
  CHECK(remote.seen(stream).consumed == 992);
}

TEST_CASE_FIXTURE(Fixture, "ping: a peer that does not read its echoes is dropped") {
  remote.answer_writes(false);
  const auto stream = remote.open(ping::kProtocol);
  remote.send(stream, numbered(4096));
  CHECK_FALSE(remote.seen(stream).reset);
  remote.send(stream, numbered(1));
  check_dropped(stream, ping::DropReason::kFlooded);
  CHECK_FALSE(remote.deadline());
  remote.send(stream, numbered(32));  // what was under way when it was dropped
  remote.close(stream, StreamEnd::kLocalReset);
}

TEST_CASE_FIXTURE(Fixture, "ping: an idle stream is dropped") {
  const auto stream = remote.open(ping::kProtocol);
  remote.pass(59s);
  remote.send(stream, numbered(1));
  remote.pass(59s);
  CHECK_FALSE(remote.seen(stream).reset);
  remote.pass(1s);
  check_dropped(stream, ping::DropReason::kIdle);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "ping: two streams a peer, no more") {
  const auto first = remote.open(ping::kProtocol);
  remote.open(ping::kProtocol);
  const auto third = remote.open(ping::kProtocol);
  check_dropped(third, ping::DropReason::kTooManyStreams);
  remote.close(third, StreamEnd::kLocalReset);
  remote.close(first, StreamEnd::kClosed);
  const auto fourth = remote.open(ping::kProtocol);
  CHECK_FALSE(remote.seen(fourth).reset);
  const auto fifth = remote.open(ping::kProtocol);
  check_dropped(fifth, ping::DropReason::kTooManyStreams);
}
