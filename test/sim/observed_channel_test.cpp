#include <doctest/doctest.h>

#include "channel_pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::connection;
using sim::test::ChannelKind;
using sim::test::Pair;
using sim::test::PairOptions;

namespace {

constexpr ConnectionId kDialers{1, 1};
constexpr ConnectionId kListeners{2, 1};

void secure(Pair& pair) {
  pair.listener.protocols.add("/echo/1");
  pair.settle();
  REQUIRE(pair.listener.secured);
}

}  // namespace

TEST_CASE("observed channel: what passes on a stream, at both ends") {
  Pair pair{ChannelKind::kObserved};
  secure(pair);
  StreamId id;
  pair.step(pair.dialer, [&](Channel& channel) {
    id = *channel.open(std::vector<std::string>{"/echo/1"}, pair.now);
    CHECK(channel.write(id, base::as_bytes("question"), pair.now) == 8);
    channel.finish(id, pair.now);
    CHECK(channel.write(id, base::as_bytes("late"), pair.now) == 0);
  });
  // Known with the request, before the remote has agreed.
  CHECK(pair.dialer.observer.streams.at({kDialers, id}).protocol == "/echo/1");
  pair.settle();
  pair.at(pair.listener, [&](Channel& channel) {
    channel.write(id, base::as_bytes("answer"), pair.now);
    channel.finish(id, pair.now);
  });
  const auto& ours = pair.dialer.observer.streams.at({kDialers, id});
  CHECK(ours.direction == Direction::kOutbound);
  CHECK(base::as_text(ours.sent) == "question");
  CHECK(base::as_text(ours.received) == "answer");
  CHECK(ours.end == StreamEnd::kClosed);
  const auto& theirs = pair.listener.observer.streams.at({kListeners, id});
  CHECK(theirs.protocol == "/echo/1");
  CHECK(theirs.direction == Direction::kInbound);
  CHECK(base::as_text(theirs.sent) == "answer");
  CHECK(base::as_text(theirs.received) == "question");
  CHECK(theirs.end == StreamEnd::kClosed);
}

TEST_CASE("observed channel: of a stream that nobody watches only beginning and end are reported") {
  Pair pair{ChannelKind::kObserved};
  pair.dialer.observer.unwatched = "/echo/1";
  secure(pair);
  pair.at(pair.dialer, [&](Channel& channel) {
    const StreamId id = *channel.open(std::vector<std::string>{"/echo/1"}, pair.now);
    CHECK(channel.write(id, base::as_bytes("question"), pair.now) == 8);
    channel.reset(id, pair.now);
  });
  const auto& ours = pair.dialer.observer.streams.begin()->second;
  CHECK(ours.sent.empty());
  CHECK(ours.end == StreamEnd::kLocalReset);
}

TEST_CASE("observed channel: of the bytes that do not fit, only those taken are reported") {
  PairOptions options;
  options.config.send_queue_limit = 10;
  Pair pair{ChannelKind::kObserved, options};
  secure(pair);
  pair.step(pair.dialer, [&](Channel& channel) {
    const StreamId id = *channel.open(std::vector<std::string>{"/echo/1"}, pair.now);
    CHECK(channel.write(id, base::as_bytes("twelve bytes"), pair.now) == 10);
    CHECK(channel.write(id, base::as_bytes("none"), pair.now) == 0);
  });
  CHECK(base::as_text(pair.dialer.observer.streams.begin()->second.sent) == "twelve byt");
}

TEST_CASE("observed channel: of several protocols the one agreed on is reported") {
  Pair pair{ChannelKind::kObserved};
  secure(pair);
  pair.at(pair.dialer, [&](Channel& channel) {
    CHECK(channel.open(std::vector<std::string>{"/none", "/echo/1"}, pair.now));
    CHECK(pair.dialer.observer.streams.empty());
  });
  REQUIRE(pair.dialer.observer.streams.size() == 1);
  CHECK(pair.dialer.observer.streams.begin()->second.protocol == "/echo/1");
}

TEST_CASE("observed channel: a refused stream was heard of only if bytes could be written to it") {
  Pair pair{ChannelKind::kObserved};
  secure(pair);
  pair.at(pair.dialer, [&](Channel& channel) {
    CHECK(channel.open(std::vector<std::string>{"/a", "/b"}, pair.now));
  });
  CHECK(pair.dialer.ended.size() == 1);
  CHECK(pair.dialer.observer.streams.empty());
  pair.at(pair.dialer,
          [&](Channel& channel) { CHECK(channel.open(std::vector<std::string>{"/a"}, pair.now)); });
  REQUIRE(pair.dialer.observer.streams.size() == 1);
  CHECK(pair.dialer.observer.streams.begin()->second.end == StreamEnd::kProtocolRefused);
}

TEST_CASE("observed channel: the end of a connection closes each stream") {
  Pair pair{ChannelKind::kObserved};
  secure(pair);
  pair.at(pair.dialer, [&](Channel& channel) {
    CHECK(channel.open(std::vector<std::string>{"/echo/1"}, pair.now));
  });
  pair.at(pair.dialer, [&](Channel& channel) { channel.receive_end(false, pair.now); });
  pair.at(pair.listener, [&](Channel& channel) { channel.receive_end(false, pair.now); });
  CHECK(pair.dialer.observer.streams.begin()->second.end == StreamEnd::kConnectionClosed);
  CHECK(pair.listener.observer.streams.begin()->second.end == StreamEnd::kConnectionClosed);
}
