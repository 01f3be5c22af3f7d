#include <chrono>
#include <limits>

#include <doctest/doctest.h>

#include <ggen/p2p/perf/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"
#include "../support/stream_pair.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using connection::StreamEnd;

namespace {

constexpr std::uint64_t kEndless = std::numeric_limits<std::uint64_t>::max();

struct Fixture {
  perf::Engine engine{perf::Config{}};
  test::ScriptedPeer<perf::Engine> remote{engine, test::peer_id(2)};

  perf::PerfId run(std::uint64_t upload, std::uint64_t download) {
    perf::PerfId id;
    remote.call(
        [&](perf::Engine& e) { id = e.run(test::peer_id(2), upload, download, remote.now()); });
    return id;
  }
  void check_failed(perf::PerfId id, perf::PerfError error) {
    const auto events = remote.take_events<perf::PerfDone>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].id == id);
    CHECK(events[0].peer == test::peer_id(2));
    CHECK_FALSE(events[0].result);
    if (!events[0].result) CHECK(events[0].result.error() == error);
    CHECK(remote.no_events());
    CHECK_FALSE(remote.deadline());
  }
  void check_dropped(connection::StreamRef stream, perf::DropReason reason) {
    CHECK(remote.seen(stream).reset);
    const auto events = remote.take_events<perf::InboundDropped>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].stream == stream);
    CHECK(events[0].peer == test::peer_id(2));
    CHECK(events[0].reason == reason);
  }
};

base::Bytes request(std::uint64_t wanted) {
  base::Bytes bytes(8);
  base::store_big_endian(bytes.data(), wanted);
  return bytes;
}

}  // namespace

TEST_CASE("perf: uploads and downloads of all sizes, whatever the fragmentation") {
  const std::uint64_t sizes[] = {0, 1, 7, 1000, 65'536, 300'000};
  std::uint64_t seed = 0;
  for (const std::uint64_t upload : sizes) {
    for (const std::uint64_t download : sizes) {
      perf::Engine a{perf::Config{}};
      perf::Engine b{perf::Config{}};
      const test::LinkOptions link{
          .seed = ++seed, .window = 50'000, .send_queue = 30'000, .max_fragment = 500 * seed};
      test::StreamPair<perf::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}, link};
      pair.call(0, [&](perf::Engine& e) { e.run(test::peer_id(2), upload, download, pair.now()); });
      pair.run();
      const auto events = pair.take_events<perf::PerfDone>(0);
      REQUIRE(events.size() == 1);
      REQUIRE(events[0].result);
      CHECK(events[0].result->uploaded == upload);
      CHECK(events[0].result->downloaded == download);
      CHECK(events[0].result->download_time >= 2 * link.latency);
      CHECK(events[0].result->upload_time + events[0].result->download_time <=
            pair.now() - base::Instant{});
      CHECK(pair.no_events(0));
      CHECK(pair.no_events(1));
      CHECK(pair.open_streams() == 0);
      CHECK(pair.most_unanswered(0) <= 4);
      CHECK(pair.most_unanswered(1) <= 4);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "perf: the request is a big-endian number before the upload") {
  run(3, 0x0102030405060708);
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols == std::vector<std::string>{"/perf/1.0.0"});
  const auto stream = remote.begin_open();
  CHECK(remote.seen(stream).written == base::Bytes{1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0});
}

TEST_CASE_FIXTURE(Fixture, "perf: the end of the upload waits for the server's agreement") {
  run(10, 0);
  const auto stream = remote.begin_open();
  CHECK_FALSE(remote.seen(stream).finished);
  remote.agree(stream);
  CHECK(remote.seen(stream).finished);
}

TEST_CASE_FIXTURE(Fixture, "perf: measures the upload and the download apart") {
  remote.answer_writes(false);
  const perf::PerfId id = run(100, 5);
  const auto stream = remote.accept_open();
  remote.pass(2s);
  remote.answer_writes(true);
  remote.pass(3s);
  remote.send(stream, base::Bytes(5));
  remote.finish(stream);
  const auto events = remote.take_events<perf::PerfDone>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].id == id);
  REQUIRE(events[0].result);
  CHECK(events[0].result->upload_time == base::Duration{2s});
  CHECK(events[0].result->download_time == base::Duration{3s});
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "perf: what goes wrong on the client's side is told apart") {
  using perf::PerfError;
  auto id = run(0, 10);
  auto stream = remote.accept_open();
  remote.send(stream, base::Bytes(11));
  CHECK(remote.seen(stream).reset);
  check_failed(id, PerfError::kTooMuch);

  id = run(0, 10);
  stream = remote.accept_open();
  remote.send(stream, base::Bytes(9));
  remote.finish(stream);
  CHECK(remote.seen(stream).reset);
  check_failed(id, PerfError::kEndedEarly);

  remote.answer_writes(false);
  id = run(1'000'000, 0);
  stream = remote.accept_open();
  remote.finish(stream);  // before the upload is over
  CHECK(remote.seen(stream).reset);
  check_failed(id, PerfError::kEndedEarly);
  remote.answer_writes(true);

  id = run(0, 10);
  stream = remote.begin_open();
  remote.close(stream, StreamEnd::kProtocolRefused);
  check_failed(id, PerfError::kUnsupported);

  id = run(0, 10);
  stream = remote.accept_open();
  remote.close(stream, StreamEnd::kRemoteReset);
  CHECK_FALSE(remote.seen(stream).reset);
  check_failed(id, PerfError::kStreamClosed);

  id = run(0, 10);
  const auto token = remote.asked().at(0).token;
  remote.asked().clear();
  remote.tell(connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
  check_failed(id, PerfError::kOpenFailed);
}

TEST_CASE_FIXTURE(Fixture, "perf: a server that stalls is given up, one that moves is not") {
  const auto id = run(0, 100);
  const auto stream = remote.accept_open();
  for (int i = 0; i < 5; ++i) {
    remote.pass(29s);
    remote.send(stream, base::Bytes(1));
  }
  CHECK(remote.no_events());
  remote.pass(30s);
  CHECK(remote.seen(stream).reset);
  check_failed(id, perf::PerfError::kStalled);

  const auto undialled = run(0, 100);
  remote.pass(30s);
  check_failed(undialled, perf::PerfError::kStalled);
  CHECK(remote.seen(remote.begin_open()).reset);
}

TEST_CASE_FIXTURE(Fixture, "perf: a server that does not close its stream is reset in the end") {
  run(0, 0);
  const auto stream = remote.accept_open();
  remote.finish(stream);
  CHECK(remote.take_events<perf::PerfDone>().size() == 1);
  remote.pass(30s);
  CHECK(remote.seen(stream).reset);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "perf: a cancelled measurement is not heard of again") {
  const auto cancel = [&](perf::PerfId id) { remote.call([&](perf::Engine& e) { e.cancel(id); }); };
  cancel(run(1, 1));
  CHECK(remote.seen(remote.begin_open()).reset);
  const auto id = run(1'000'000, 1);
  const auto stream = remote.accept_open();
  cancel(id);
  CHECK(remote.seen(stream).reset);
  remote.close(stream, StreamEnd::kLocalReset);
  cancel(id);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "perf: a client may ask for 2^64-1 bytes, and gets what it reads") {
  remote.answer_writes(false);
  const auto stream = remote.open(perf::kProtocol);
  remote.send(stream, request(kEndless));
  CHECK(remote.seen(stream).writes == 0);  // not before the upload has ended
  remote.send(stream, base::Bytes(100'000));
  remote.finish(stream);
  CHECK(remote.seen(stream).consumed == 100'008);
  CHECK(remote.unanswered() == 4);
  CHECK(remote.seen(stream).written == base::Bytes(4 * 65'536));
  for (std::size_t i = 1; i <= 10; ++i) {
    remote.pass(29s);
    remote.tell(connection::stream_input::Written{stream});
    CHECK(remote.seen(stream).writes == 4 + i);
  }
  remote.pass(30s);
  check_dropped(stream, perf::DropReason::kStalled);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "perf: the request may come byte by byte, the upload is not looked at") {
  const auto stream = remote.open(perf::kProtocol);
  base::Bytes bytes = request(70'000);
  base::append(bytes, base::Bytes(20, 0xff));
  for (const std::uint8_t byte : bytes) remote.send(stream, base::BytesView{&byte, 1});
  remote.finish(stream);
  CHECK(remote.seen(stream).written == base::Bytes(70'000));
  CHECK(remote.seen(stream).finished);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "perf: a client that says nothing is dropped") {
  const auto cut = remote.open(perf::kProtocol);
  remote.send(cut, base::Bytes(7));
  remote.finish(cut);
  check_dropped(cut, perf::DropReason::kNoRequest);
  const auto silent = remote.open(perf::kProtocol);
  remote.pass(30s);
  check_dropped(silent, perf::DropReason::kStalled);
}

TEST_CASE_FIXTURE(Fixture, "perf: serves few at a time, for a peer and in all") {
  const auto first = remote.open(perf::kProtocol);
  remote.open(perf::kProtocol);
  check_dropped(remote.open(perf::kProtocol), perf::DropReason::kTooManyStreams);
  remote.close(first, StreamEnd::kRemoteReset);
  CHECK_FALSE(remote.seen(remote.open(perf::kProtocol)).reset);

  const auto open = [&](std::uint8_t peer, std::uint32_t stream) {
    const connection::StreamRef ref{{50, 1}, {stream}};
    remote.tell(connection::stream_input::Opened{ref, test::peer_id(peer),
                                                 connection::Direction::kInbound, "/perf/1.0.0"});
    return ref;
  };
  for (std::uint8_t i = 0; i < 14; ++i) CHECK_FALSE(remote.seen(open(10 + i, i)).reset);
  CHECK(remote.seen(open(100, 100)).reset);
}
