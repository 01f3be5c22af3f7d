#include <doctest/doctest.h>

#include "channel_pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::connection;
using connection::test::Pair;
using connection::test::PairOptions;

namespace {

const std::vector<std::string> kEcho{"/echo/1"};

StreamId open(Pair& pair, const std::vector<std::string>& protocols, std::string_view text = {}) {
  StreamId id;
  pair.at(pair.dialer, [&](SecureChannel& channel) {
    const auto opened = channel.open(protocols, pair.now);
    REQUIRE(opened);
    id = *opened;
    if (!text.empty()) CHECK(channel.write(id, base::as_bytes(text), pair.now) == text.size());
  });
  return id;
}

}  // namespace

TEST_CASE("secure channel: both sides learn who the other is") {
  Pair pair;
  pair.settle();
  REQUIRE(pair.secured());
  CHECK(pair.dialer.secured->peer == pair.listener.id);
  CHECK(pair.listener.secured->peer == pair.dialer.id);
  CHECK(pair.dialer.secured->key == pair.listener.key.public_key());
}

TEST_CASE("secure channel: any fragmentation, with and without early muxer negotiation") {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    for (const bool early : {true, false}) {
      CAPTURE(chunk);
      CAPTURE(early);
      PairOptions options;
      options.chunk = chunk;
      if (!early) options.listener_muxers.clear();
      Pair pair{options};
      pair.listener.protocols.add("/echo/1");
      pair.settle();
      REQUIRE(pair.secured());
      const StreamId id = open(pair, kEcho, "hello");
      REQUIRE(pair.listener.opened.size() == 1);
      CHECK(pair.listener.opened[0].protocol == "/echo/1");
      CHECK(pair.listener.text(pair.listener.opened[0].stream) == "hello");
      REQUIRE(pair.dialer.opened.size() == 1);
      CHECK(pair.dialer.opened[0].stream == id);
    }
  }
}

TEST_CASE("secure channel: lists of multiplexers without a common one are fatal") {
  PairOptions options;
  options.listener_muxers = {"/mplex/6.7.0"};
  Pair pair{options};
  pair.settle();
  REQUIRE(pair.dialer.closed);
  CHECK(pair.dialer.closed->reason == CloseReason::kNegotiationFailed);
}

TEST_CASE("secure channel: another peer than the one dialled is refused") {
  auto crypto = crypto::make_system_crypto();
  const auto stranger = multiformats::PeerId::of(test::identity(9).public_key());
  const auto key = test::identity(1);
  const auto static_key = noise::StaticKey::create(*crypto, key, {std::string{kYamuxProtocol}});
  const SecureChannel::Shared shared{{}, static_key, *crypto};
  const ProtocolSet protocols;
  SecureChannel dialer{shared, Direction::kOutbound, stranger, protocols, base::Instant{}};
  SecureChannel listener{shared, Direction::kInbound, std::nullopt, protocols, base::Instant{}};
  std::array<std::uint8_t, 4096> bytes{};
  for (int round = 0; round < 4; ++round) {
    std::size_t size = dialer.transmit(bytes, {});
    listener.receive(base::MutableBytes{bytes}.first(size), {});
    size = listener.transmit(bytes, {});
    dialer.receive(base::MutableBytes{bytes}.first(size), {});
  }
  const auto event = dialer.poll();
  REQUIRE(event);
  REQUIRE(std::holds_alternative<event::Closed>(*event));
  CHECK(std::get<event::Closed>(*event).reason == CloseReason::kWrongPeer);
  CHECK_FALSE(dialer.poll());
  CHECK_FALSE(listener.poll());  // it has not been told who dialled
}

TEST_CASE("secure channel: garbage at any point ends it with a reason and nothing else") {
  base::Prng prng{1};
  for (int cut = 0; cut < 40; ++cut) {
    Pair pair;
    if (cut % 2 == 0) pair.settle();
    base::Bytes garbage(1 + prng.below(300));
    prng.fill(garbage);
    pair.at(pair.listener, [&](SecureChannel& channel) { channel.receive(garbage, pair.now); });
    // What looks like the start of a frame, or of a message, is waited for in vain.
    while (!pair.listener.closed && pair.advance()) {
      pair.at(pair.listener, [&](SecureChannel& channel) { channel.receive_end(true, pair.now); });
    }
    REQUIRE(pair.listener.closed);
    CHECK(pair.listener.closed->reason != CloseReason::kLocal);
  }
}

TEST_CASE("secure channel: a silent remote costs a handshake timeout and no more") {
  Pair pair;
  CHECK(pair.dialer.channel.next_deadline() == base::Instant{} + std::chrono::seconds{10});
  pair.dialer.channel.handle_timeout(base::Instant{} + std::chrono::seconds{10});
  const auto event = pair.dialer.channel.poll();
  REQUIRE(event);
  CHECK(std::get<event::Closed>(*event).reason == CloseReason::kHandshakeTimeout);
  CHECK_FALSE(pair.dialer.channel.next_deadline());
}

TEST_CASE(
    "secure channel: with one protocol bytes travel with the request; the finish waits for the "
    "reply") {
  Pair pair;
  pair.listener.protocols.add("/echo/1");
  pair.settle();
  StreamId id;
  pair.at(pair.dialer, [&](SecureChannel& channel) {
    id = *channel.open(kEcho, pair.now);
    CHECK(channel.write(id, base::as_bytes("all of it"), pair.now) == 9);
    channel.finish(id, pair.now);
    CHECK(channel.write(id, base::as_bytes("late"), pair.now) == 0);
  });
  const StreamId theirs = pair.listener.opened.at(0).stream;
  CHECK(pair.listener.text(theirs) == "all of it");
  CHECK(pair.listener.finished == std::vector{theirs});
  CHECK(pair.dialer.ended.empty());  // half-closed: the answer is still to come
  pair.at(pair.listener, [&](SecureChannel& channel) {
    CHECK(channel.write(theirs, base::as_bytes("thanks"), pair.now) == 6);
    channel.finish(theirs, pair.now);
  });
  CHECK(pair.dialer.text(id) == "thanks");
  CHECK(pair.dialer.ended.at(id) == StreamEnd::kClosed);
  CHECK(pair.listener.ended.at(theirs) == StreamEnd::kClosed);
}

TEST_CASE("secure channel: of several protocols the first that the remote speaks is taken") {
  Pair pair;
  pair.listener.protocols.add("/echo/1");
  pair.settle();
  StreamId id;
  pair.at(pair.dialer, [&](SecureChannel& channel) {
    id = *channel.open(std::vector<std::string>{"/echo/3", "/echo/2", "/echo/1"}, pair.now);
    // Which protocol it will be is not known yet.
    CHECK(channel.write(id, base::as_bytes("early"), pair.now) == 0);
  });
  CHECK(pair.dialer.opened.at(0).protocol == "/echo/1");
  CHECK(pair.dialer.writable == std::vector{id});
}

TEST_CASE("secure channel: a protocol that the remote does not speak") {
  Pair pair;
  pair.settle();
  const StreamId lazy = open(pair, kEcho, "bytes that nobody reads");
  CHECK(pair.dialer.ended.at(lazy) == StreamEnd::kProtocolRefused);
  const StreamId eager = open(pair, {"/a", "/b"});
  CHECK(pair.dialer.ended.at(eager) == StreamEnd::kProtocolRefused);
  CHECK(pair.listener.opened.empty());
  CHECK(pair.listener.ended.empty());  // the owner never heard of them
  while (!pair.dialer.closed && pair.now < base::Instant{} + std::chrono::seconds{15}) {
    REQUIRE(pair.advance());
  }
  CHECK_FALSE(pair.dialer.closed);
}

TEST_CASE("secure channel: a stream whose negotiation stalls is given up, the others live on") {
  Pair pair;
  pair.listener.protocols.add("/echo/1");
  pair.settle();
  const StreamId good = open(pair, kEcho, "good");
  StreamId stalled;
  // The listener's answer is lost on the way: only the dialler's half of the pair is stepped.
  std::array<std::uint8_t, 2048> lost{};
  stalled = *pair.dialer.channel.open(kEcho, pair.now);
  CHECK(pair.dialer.channel.transmit(lost, pair.now) > 0);
  pair.now += std::chrono::seconds{10};
  pair.dialer.channel.handle_timeout(pair.now);
  bool gone = false;
  while (const auto event = pair.dialer.channel.poll()) {
    if (const auto* closed = std::get_if<event::StreamClosed>(&*event)) {
      CHECK(closed->stream == stalled);
      CHECK(closed->end == StreamEnd::kNegotiationFailed);
      gone = true;
    }
    CHECK_FALSE(std::holds_alternative<event::Closed>(*event));
  }
  CHECK(gone);
  CHECK(pair.dialer.channel.write(good, base::as_bytes("more"), pair.now) == 4);
}

TEST_CASE(
    "secure channel: close() says goodbye, and each stream hears of it before the channel ends") {
  Pair pair;
  pair.listener.protocols.add("/echo/1");
  pair.settle();
  const StreamId id = open(pair, kEcho, "x");
  pair.at(pair.dialer, [&](SecureChannel& channel) { channel.close(pair.now); });
  CHECK(pair.dialer.closed->reason == CloseReason::kLocal);
  CHECK(pair.dialer.ended.at(id) == StreamEnd::kConnectionClosed);
  REQUIRE(pair.listener.closed);
  CHECK(pair.listener.closed->reason == CloseReason::kRemoteClosed);
  CHECK(pair.listener.ended.size() == 1);
  CHECK_FALSE(pair.dialer.channel.next_deadline());
  CHECK_FALSE(pair.dialer.channel.open(kEcho, pair.now));
}

TEST_CASE("secure channel: a byte stream cut inside a frame is not a goodbye") {
  Pair pair;
  pair.settle();
  pair.at(pair.listener, [&](SecureChannel& channel) {
    std::array<std::uint8_t, 3> part{0x01, 0x00, 0x42};
    channel.receive(part, pair.now);
    channel.receive_end(true, pair.now);
  });
  CHECK(pair.listener.closed->reason == CloseReason::kTransportLost);
}

TEST_CASE("secure channel: an owner that does not consume stops the remote at the window") {
  Pair pair;
  pair.listener.protocols.add("/echo/1");
  pair.listener.consuming = false;
  pair.settle();
  const StreamId id = open(pair, kEcho, "x");
  const StreamId theirs = pair.listener.opened.at(0).stream;
  const base::Bytes block(64 * 1024);
  std::size_t written = 1;
  for (int i = 0; i < 100; ++i) {
    pair.at(pair.dialer,
            [&](SecureChannel& channel) { written += channel.write(id, block, pair.now); });
  }
  // The receive window, then the send queue, are full.
  CHECK(pair.listener.received.at(theirs).size() < 256 * 1024);
  CHECK(written <= 512 * 1024);
  pair.at(pair.listener, [&](SecureChannel& channel) {
    channel.consume(theirs, pair.listener.received.at(theirs).size(), pair.now);
  });
  CHECK(pair.dialer.writable == std::vector{id});
}

TEST_CASE("secure channel: outbound streams are limited") {
  PairOptions options;
  options.config.max_outbound_streams = 2;
  Pair pair{options};
  pair.listener.protocols.add("/echo/1");
  pair.settle();
  const StreamId first = open(pair, kEcho);
  open(pair, kEcho);
  CHECK(pair.dialer.channel.open(kEcho, pair.now).error() == OpenError::kTooManyStreams);
  pair.at(pair.dialer, [&](SecureChannel& channel) { channel.reset(first, pair.now); });
  CHECK(pair.dialer.ended.at(first) == StreamEnd::kLocalReset);
  CHECK(pair.dialer.channel.open(kEcho, pair.now));
}
