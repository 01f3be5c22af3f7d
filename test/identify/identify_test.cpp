#include <chrono>

#include "../support/stream_pair.hpp"
#include "fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using connection::StreamEnd;
using identify::Error;
using identify::Info;
using Fixture = test::IdentifyFixture;

TEST_CASE_FIXTURE(Fixture, "identify: each connection is asked once") {
  connect();
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols == std::vector<std::string>{"/ipfs/id/1.0.0"});
  CHECK(remote.asked()[0].connection == kConnection);
  CHECK(remote.asked()[0].peer == test::peer_id(2));
  const auto stream = remote.accept_open();
  const base::Bytes answer = test::framed(test::info_of(2));
  remote.send(stream, answer);
  CHECK(remote.no_events());  // more may come until the end
  CHECK_FALSE(remote.seen(stream).finished);
  remote.finish(stream);
  const auto events = remote.take_events<identify::Identified>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].connection == kConnection);
  CHECK(events[0].peer == test::peer_id(2));
  CHECK(events[0].info == test::info_of(2));
  CHECK(remote.seen(stream).consumed == answer.size());
  CHECK(remote.seen(stream).finished);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
  CHECK(remote.asked().empty());
}

TEST_CASE_FIXTURE(Fixture, "identify: an answer in several messages is put together") {
  connect();
  const auto stream = remote.accept_open();
  Info first = test::info_of(2);
  Info second;
  second.signed_peer_record = base::Bytes(50, 1);
  second.protocols = {"/more"};
  remote.send(stream, test::framed(first));
  remote.send(stream, test::framed(second));
  remote.finish(stream);
  const auto events = remote.take_events<identify::Identified>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].info.signed_peer_record == second.signed_peer_record);
  CHECK(events[0].info.agent_version == first.agent_version);
  CHECK(events[0].info.protocols.size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "identify: the key must be the one that the peer has proven") {
  connect();
  const auto stream = remote.accept_open();
  Info info = test::info_of(2);
  info.public_key = test::key_pair(3).public_key();
  remote.send(stream, test::framed(info));
  remote.finish(stream);
  CHECK(remote.seen(stream).reset);
  check_failed(Error::kBadKey);
}

TEST_CASE_FIXTURE(Fixture, "identify: the key may be absent") {
  Info info = test::info_of(2);
  info.public_key.reset();
  connect_and_identify(info);
}

TEST_CASE_FIXTURE(Fixture, "identify: bad answers") {
  const auto answer = [&](base::BytesView bytes) {
    connect();
    const auto stream = remote.accept_open();
    remote.send(stream, bytes);
    remote.finish(stream);
    CHECK(remote.seen(stream).reset);
    remote.call([](identify::Engine& e) { e.disconnected(kConnection); });
  };
  answer(base::Bytes(9, 0x80));
  check_failed(Error::kMalformed);
  answer(base::Bytes{1, 0xff});
  check_failed(Error::kMalformed);
  answer(base::Bytes{5, 0});  // cut
  check_failed(Error::kMalformed);
  answer(base::Bytes{0x81, 0x80, 0x04});  // 64 KiB and a byte
  check_failed(Error::kTooLarge);
  answer(base::Bytes{3, 0x0a, 1, 0});
  check_failed(Error::kBadKey);
}

TEST_CASE_FIXTURE(Fixture, "identify: messages without end are cut off") {
  connect();
  const auto stream = remote.accept_open();
  Info info;
  for (int i = 0; i < 100; ++i) info.protocols.push_back("/protocol/" + std::to_string(i));
  const base::Bytes bytes = test::framed(info);
  std::size_t sent = 0;
  while (!remote.seen(stream).reset && sent < 1'000'000) {
    remote.send(stream, bytes);
    sent += bytes.size();
  }
  CHECK(sent <= 64 * 1024 + bytes.size());
  check_failed(Error::kTooLarge);
}

TEST_CASE_FIXTURE(Fixture, "identify: no answer at all") {
  connect();
  auto stream = remote.accept_open();
  remote.finish(stream);
  check_failed(Error::kMalformed);
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });

  connect();
  stream = remote.begin_open();
  remote.close(stream, StreamEnd::kProtocolRefused);
  check_failed(Error::kUnsupported);
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });

  connect();
  stream = remote.accept_open();
  remote.close(stream, StreamEnd::kRemoteReset);
  check_failed(Error::kStreamClosed);
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });

  connect();
  const auto token = remote.asked().at(0).token;
  remote.asked().clear();
  remote.tell(
      connection::stream_input::OpenFailed{token, connection::OpenFailure::kTooManyStreams});
  check_failed(Error::kOpenFailed);
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });

  connect();
  remote.pass(10s);
  check_failed(Error::kTimeout);
  CHECK(remote.seen(remote.begin_open()).reset);  // too late
}

TEST_CASE_FIXTURE(Fixture, "identify: a peer that drips its answer runs out of time") {
  connect();
  const auto stream = remote.accept_open();
  const base::Bytes bytes = test::framed(test::info_of(2));
  for (std::size_t i = 0; i < 10; ++i) {
    remote.send(stream, base::BytesView{bytes}.subspan(i, 1));
    remote.pass(1s);
  }
  CHECK(remote.seen(stream).reset);
  check_failed(Error::kTimeout);
}

TEST_CASE_FIXTURE(Fixture, "identify: a peer that never ends its answer is believed all the same") {
  connect();
  auto stream = remote.accept_open();
  remote.send(stream, test::framed(test::info_of(2)));
  remote.pass(10s);
  CHECK(remote.take_events<identify::Identified>().size() == 1);
  CHECK(remote.seen(stream).reset);
  CHECK_FALSE(remote.deadline());
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });

  connect();
  stream = remote.accept_open();
  remote.send(stream, test::framed(test::info_of(2)));
  remote.close(stream, StreamEnd::kRemoteReset);
  CHECK(remote.take_events<identify::Identified>().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "identify: after the connection nothing is said any more") {
  connect();
  const auto stream = remote.accept_open();
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });
  remote.send(stream, test::framed(test::info_of(2)));
  remote.finish(stream);
  remote.close(stream, StreamEnd::kConnectionClosed);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());
  CHECK(remote.seen(remote.open(identify::kProtocol)).reset);
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "identify: answers with what we are and where we see the peer") {
  connect_and_identify();
  const auto stream = remote.open(identify::kProtocol);
  Info expected = test::info_of(1);
  expected.observed_addr = test::address("/ip4/192.0.2.7/tcp/50000");
  CHECK(test::read_info(remote.seen(stream).written) == expected);
  CHECK(remote.seen(stream).finished);
  remote.send(stream, base::Bytes(10));  // nobody asked for it
  CHECK(remote.seen(stream).consumed == 0);
  remote.finish(stream);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "identify: a peer that asks and never closes is reset") {
  connect_and_identify();
  const auto stream = remote.open(identify::kProtocol);
  remote.pass(10s);
  CHECK(remote.seen(stream).reset);
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "identify: few streams of a connection at a time") {
  connect_and_identify();
  const auto first = remote.open(identify::kProtocol);
  remote.open(identify::kPushProtocol);
  remote.open(identify::kProtocol);
  remote.open(identify::kProtocol);
  check_dropped(remote.open(identify::kProtocol), Error::kTooManyStreams);
  remote.close(first, StreamEnd::kClosed);
  CHECK_FALSE(remote.seen(remote.open(identify::kProtocol)).reset);
}

TEST_CASE("identify: two engines learn of each other, whatever the fragmentation") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Info first = test::info_of(1);
    for (std::uint64_t i = 0; i < 20 * seed; ++i) {
      first.protocols.push_back("/protocol/" + std::to_string(i));
    }
    first.protocols.resize(std::min<std::size_t>(first.protocols.size(), 256));
    identify::Engine a{{}, first};
    identify::Engine b{{}, test::info_of(2)};
    const test::LinkOptions link{.seed = seed,
                                 .window = 10 + 50 * seed,
                                 .send_queue = 7 + 31 * seed,
                                 .max_fragment = 1 + 10 * seed};
    test::StreamPair<identify::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}, link};
    const auto seen_a = test::address("/ip4/192.0.2.1/tcp/1");
    const auto seen_b = test::address("/ip4/192.0.2.2/tcp/2");
    pair.call(0, [&](identify::Engine& e) {
      e.connected(pair.connection(0), test::peer_id(2), seen_b, pair.now());
    });
    pair.call(1, [&](identify::Engine& e) {
      e.connected(pair.connection(1), test::peer_id(1), seen_a, pair.now());
    });
    pair.run();
    const auto at_a = pair.take_events<identify::Identified>(0);
    const auto at_b = pair.take_events<identify::Identified>(1);
    REQUIRE(at_a.size() == 1);
    REQUIRE(at_b.size() == 1);
    CHECK(at_b[0].info.protocols == first.protocols);
    CHECK(at_b[0].info.observed_addr == seen_b);
    CHECK(at_a[0].info.observed_addr == seen_a);
    CHECK(at_a[0].info.agent_version == "peer/2");
    CHECK(pair.no_events(0));
    CHECK(pair.no_events(1));
    CHECK(pair.open_streams() == 0);
    CHECK(pair.now() < base::Instant{} + 9s);  // nothing ended by a timeout
  }
}
