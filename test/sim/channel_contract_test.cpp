// What the layers above rely on, the same for each kind of channel.
#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>

#include "channel_pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::connection;
using sim::test::ChannelKind;
using sim::test::End;
using sim::test::Pair;
using sim::test::PairOptions;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> kEcho{"/echo/1"};

void secure(Pair& pair) {
  pair.listener.protocols.add("/echo/1");
  pair.dialer.protocols.add("/echo/1");
  pair.settle();
  REQUIRE(pair.dialer.secured);
  REQUIRE(pair.listener.secured);
}

StreamId open(Pair& pair, End& end, const std::vector<std::string>& protocols,
              std::string_view text = {}) {
  StreamId id;
  pair.at(end, [&](Channel& channel) {
    const auto opened = channel.open(protocols, pair.now);
    REQUIRE(opened);
    id = *opened;
    if (!text.empty()) CHECK(channel.write(id, base::as_bytes(text), pair.now) == text.size());
  });
  return id;
}

// Runs a case over each kind of channel.
template <class Case>
void for_each_kind(Case&& run) {
  for (const ChannelKind kind : sim::test::kChannelKinds) {
    const std::string name = to_string(kind);
    CAPTURE(name);
    run(kind);
  }
}

}  // namespace

TEST_CASE("channel contract: both sides learn who the other is, the dialler first") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    CHECK(pair.dialer.channel->open(kEcho, pair.now).error() == OpenError::kNotReady);
    CHECK(pair.dialer.channel->next_deadline() == base::Instant{} + 10s);
    while (!pair.dialer.secured) {
      pair.move(pair.dialer, pair.listener);
      REQUIRE_FALSE(pair.listener.secured);
      pair.move(pair.listener, pair.dialer);
    }
    pair.settle();
    REQUIRE(pair.listener.secured);
    CHECK(pair.dialer.secured->peer == pair.listener.id);
    CHECK(pair.listener.secured->peer == pair.dialer.id);
    CHECK(pair.dialer.secured->key == pair.listener.key.public_key());
  });
}

TEST_CASE("channel contract: another peer than the one dialled is refused, and not told who asks") {
  for_each_kind([](ChannelKind kind) {
    PairOptions options;
    options.expect_stranger = true;
    Pair pair{kind, options};
    pair.settle();
    REQUIRE(pair.dialer.closed);
    CHECK(pair.dialer.closed->reason == CloseReason::kWrongPeer);
    CHECK_FALSE(pair.dialer.secured);
    CHECK_FALSE(pair.listener.secured);
    pair.at(pair.listener, [&](Channel& channel) { channel.receive_end(true, pair.now); });
    CHECK(pair.listener.closed->reason == CloseReason::kTransportLost);
  });
}

TEST_CASE("channel contract: a silent remote costs a handshake timeout and no more") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    pair.now += 10s;
    pair.step(pair.dialer, [](Channel&) {});
    REQUIRE(pair.dialer.closed);
    CHECK(pair.dialer.closed->reason == CloseReason::kHandshakeTimeout);
    CHECK_FALSE(pair.dialer.channel->next_deadline());
  });
}

TEST_CASE("channel contract: any fragmentation") {
  for_each_kind([](ChannelKind kind) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      CAPTURE(chunk);
      PairOptions options;
      options.chunk = chunk;
      Pair pair{kind, options};
      secure(pair);
      const StreamId id = open(pair, pair.dialer, kEcho, "hello");
      REQUIRE(pair.listener.opened.size() == 1);
      CHECK(pair.listener.opened[0].protocol == "/echo/1");
      CHECK(pair.listener.opened[0].direction == Direction::kInbound);
      CHECK(pair.listener.text(pair.listener.opened[0].stream) == "hello");
      REQUIRE(pair.dialer.opened.size() == 1);
      CHECK(pair.dialer.opened[0].stream == id);
      CHECK(pair.dialer.opened[0].direction == Direction::kOutbound);
    }
  });
}

TEST_CASE("channel contract: the listener opens streams too") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId ours = open(pair, pair.dialer, kEcho, "from the dialler");
    const StreamId theirs = open(pair, pair.listener, kEcho, "from the listener");
    CHECK(ours != theirs);
    CHECK(pair.dialer.text(pair.dialer.opened.at(1).stream) == "from the listener");
    CHECK(pair.listener.text(pair.listener.opened.at(0).stream) == "from the dialler");
  });
}

TEST_CASE("channel contract: bytes travel with the request; the finish waits for the reply") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    StreamId id;
    pair.step(pair.dialer, [&](Channel& channel) {
      id = *channel.open(kEcho, pair.now);
      CHECK(channel.write(id, base::as_bytes("all of it"), pair.now) == 9);
      channel.finish(id, pair.now);
      channel.finish(id, pair.now);
      CHECK(channel.write(id, base::as_bytes("late"), pair.now) == 0);
    });
    while (pair.move(pair.dialer, pair.listener)) continue;
    const StreamId theirs = pair.listener.opened.at(0).stream;
    CHECK(pair.listener.text(theirs) == "all of it");
    CHECK(pair.listener.finished.empty());
    pair.settle();
    CHECK(pair.listener.finished == std::vector{theirs});
    CHECK(pair.dialer.ended.empty());  // half-closed: the answer is still to come
    pair.at(pair.listener, [&](Channel& channel) {
      CHECK(channel.write(theirs, base::as_bytes("thanks"), pair.now) == 6);
      channel.finish(theirs, pair.now);
    });
    CHECK(pair.dialer.text(id) == "thanks");
    CHECK(pair.dialer.finished == std::vector{id});
    CHECK(pair.dialer.ended.at(id) == StreamEnd::kClosed);
    CHECK(pair.listener.ended.at(theirs) == StreamEnd::kClosed);
  });
}

TEST_CASE("channel contract: of several protocols the first that the remote speaks is taken") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    pair.listener.protocols.add("/echo/0");
    StreamId id;
    pair.at(pair.dialer, [&](Channel& channel) {
      id = *channel.open(std::vector<std::string>{"/echo/2", "/echo/1", "/echo/0"}, pair.now);
      // Which protocol it will be is not known yet.
      CHECK(channel.write(id, base::as_bytes("early"), pair.now) == 0);
    });
    CHECK(pair.dialer.opened.at(0).protocol == "/echo/1");
    CHECK(pair.listener.opened.at(0).protocol == "/echo/1");
    CHECK(pair.dialer.writable == std::vector{id});
    pair.at(pair.dialer, [&](Channel& channel) {
      CHECK(channel.write(id, base::as_bytes("now"), pair.now) == 3);
    });
    CHECK(pair.listener.text(pair.listener.opened.at(0).stream) == "now");
  });
}

TEST_CASE("channel contract: a protocol that the remote does not speak") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId lazy = open(pair, pair.dialer, {"/none"}, "bytes that nobody reads");
    CHECK(pair.dialer.ended.at(lazy) == StreamEnd::kProtocolRefused);
    const StreamId eager = open(pair, pair.dialer, {"/a", "/b"});
    CHECK(pair.dialer.ended.at(eager) == StreamEnd::kProtocolRefused);
    CHECK(pair.dialer.opened.empty());
    CHECK(pair.listener.opened.empty());
    CHECK(pair.listener.ended.empty());  // the owner never heard of them
    CHECK(pair.dialer.channel->write(lazy, base::as_bytes("x"), pair.now) == 0);
    CHECK_FALSE(pair.dialer.closed);
  });
}

TEST_CASE("channel contract: names of protocols as long as they may be") {
  for_each_kind([](ChannelKind kind) {
    PairOptions options;
    Pair pair{kind, options};
    secure(pair);
    std::vector<std::string> names;
    for (char c = 'a'; c < 'a' + 20; ++c) names.emplace_back(1000, c);
    pair.listener.protocols.add(names.back());
    StreamId id;
    pair.step(pair.dialer, [&](Channel& channel) { id = *channel.open(names, pair.now); });
    std::array<std::uint8_t, Channel::kMinTransmit> span{};
    // Even the smallest span that must do does.
    while (pair.dialer.opened.empty()) {
      std::size_t size = 0;
      REQUIRE(pair.dialer.channel->wants_transmit());
      pair.step(pair.dialer, [&](Channel& channel) { size = channel.transmit(span, pair.now); });
      REQUIRE(size > 0);
      pair.step(pair.listener, [&](Channel& channel) {
        channel.receive(base::MutableBytes{span}.first(size), pair.now);
      });
      while (pair.move(pair.listener, pair.dialer)) continue;
    }
    CHECK(pair.dialer.opened.at(0).stream == id);
    CHECK(pair.dialer.opened.at(0).protocol == names.back());
  });
}

TEST_CASE("channel contract: a request that is not answered is given up, the others live on") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId good = open(pair, pair.dialer, kEcho, "good");
    base::Bytes lost(4096);
    StreamId stalled;
    pair.step(pair.dialer, [&](Channel& channel) {
      stalled = *channel.open(kEcho, pair.now);
      CHECK(channel.transmit(lost, pair.now) > 0);
    });
    CHECK(pair.dialer.channel->next_deadline() == pair.now + 10s);
    pair.now += 10s;
    pair.step(pair.dialer, [](Channel&) {});
    CHECK(pair.dialer.ended.at(stalled) == StreamEnd::kNegotiationFailed);
    CHECK_FALSE(pair.dialer.closed);
    CHECK(pair.dialer.channel->write(good, base::as_bytes("more"), pair.now) == 4);
  });
}

TEST_CASE("channel contract: a reset reaches the other side, whichever side makes it") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    for (const bool by_opener : {true, false}) {
      const StreamId ours = open(pair, pair.dialer, kEcho, "x");
      const StreamId theirs = pair.listener.opened.back().stream;
      End& resets = by_opener ? pair.dialer : pair.listener;
      End& other = by_opener ? pair.listener : pair.dialer;
      const StreamId of_resets = by_opener ? ours : theirs;
      const StreamId of_other = by_opener ? theirs : ours;
      pair.at(resets, [&](Channel& channel) {
        channel.reset(of_resets, pair.now);
        channel.reset(of_resets, pair.now);
        CHECK(channel.write(of_resets, base::as_bytes("y"), pair.now) == 0);
        channel.finish(of_resets, pair.now);
        channel.consume(of_resets, 1, pair.now);
      });
      CHECK(resets.ended.at(of_resets) == StreamEnd::kLocalReset);
      CHECK(other.ended.at(of_other) == StreamEnd::kRemoteReset);
    }
  });
}

TEST_CASE("channel contract: a stream dropped before the remote heard of it stays unheard of") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    pair.at(pair.dialer,
            [&](Channel& channel) { channel.reset(*channel.open(kEcho, pair.now), pair.now); });
    CHECK(pair.dialer.ended.size() == 1);
    CHECK(pair.listener.opened.empty());
    CHECK(pair.listener.ended.empty());
  });
}

TEST_CASE("channel contract: both ends reset at once") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId ours = open(pair, pair.dialer, kEcho, "x");
    const StreamId theirs = pair.listener.opened.at(0).stream;
    pair.step(pair.dialer, [&](Channel& channel) { channel.reset(ours, pair.now); });
    pair.step(pair.listener, [&](Channel& channel) { channel.reset(theirs, pair.now); });
    pair.settle();
    CHECK(pair.dialer.ended.at(ours) == StreamEnd::kLocalReset);
    CHECK(pair.listener.ended.at(theirs) == StreamEnd::kLocalReset);
    CHECK_FALSE(pair.dialer.closed);
  });
}

TEST_CASE("channel contract: close() says goodbye, and each stream hears of it first") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId id = open(pair, pair.dialer, kEcho, "x");
    pair.at(pair.dialer, [&](Channel& channel) { channel.close(pair.now); });
    CHECK(pair.dialer.closed->reason == CloseReason::kLocal);
    CHECK(pair.dialer.ended.at(id) == StreamEnd::kConnectionClosed);
    REQUIRE(pair.listener.closed);
    CHECK(pair.listener.closed->reason == CloseReason::kRemoteClosed);
    CHECK(pair.listener.ended.at(pair.listener.opened.at(0).stream) ==
          StreamEnd::kConnectionClosed);
    CHECK_FALSE(pair.dialer.channel->next_deadline());
    CHECK_FALSE(pair.dialer.channel->wants_transmit());
    CHECK(pair.dialer.channel->open(kEcho, pair.now).error() == OpenError::kClosing);
    CHECK(pair.dialer.channel->write(id, base::as_bytes("x"), pair.now) == 0);
  });
}

TEST_CASE("channel contract: who closes as soon as it is secured is known to the other side") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    while (!pair.dialer.secured) {
      pair.move(pair.dialer, pair.listener);
      pair.move(pair.listener, pair.dialer);
    }
    pair.at(pair.dialer, [&](Channel& channel) { channel.close(pair.now); });
    REQUIRE(pair.listener.secured);
    REQUIRE(pair.listener.closed);
    CHECK(pair.listener.closed->reason == CloseReason::kRemoteClosed);
  });
}

TEST_CASE("channel contract: how the byte stream ends tells a goodbye from a loss") {
  for_each_kind([](ChannelKind kind) {
    struct Case {
      bool clean;
      bool inside_frame;
      CloseReason reason;
    };
    for (const Case& c : {Case{true, false, CloseReason::kRemoteClosed},
                          Case{false, false, CloseReason::kTransportLost},
                          Case{true, true, CloseReason::kTransportLost}}) {
      Pair pair{kind};
      secure(pair);
      const StreamId id = open(pair, pair.dialer, kEcho, "x");
      base::Bytes span(4096);
      std::size_t size = 0;
      pair.step(pair.listener, [&](Channel& channel) {
        const StreamId theirs = pair.listener.opened.at(0).stream;
        CHECK(channel.write(theirs, base::as_bytes("cut off"), pair.now) == 7);
        size = channel.transmit(span, pair.now);
      });
      pair.step(pair.dialer, [&](Channel& channel) {
        if (c.inside_frame) {
          channel.receive(base::MutableBytes{span}.first(size - 1), pair.now);
        }
        channel.receive_end(c.clean, pair.now);
      });
      CHECK(pair.dialer.closed->reason == c.reason);
      CHECK(pair.dialer.ended.at(id) == StreamEnd::kConnectionClosed);
    }
  });
}

TEST_CASE("channel contract: an owner that does not consume stops the remote at the window") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    pair.listener.consuming = false;
    const StreamId id = open(pair, pair.dialer, kEcho, "x");
    const StreamId theirs = pair.listener.opened.at(0).stream;
    const base::Bytes block(64 * 1024);
    std::size_t written = 1;
    for (int i = 0; i < 100; ++i) {
      pair.at(pair.dialer,
              [&](Channel& channel) { written += channel.write(id, block, pair.now); });
    }
    // The receive window, then the send queue, are full.
    CHECK(pair.listener.received.at(theirs).size() <= 256 * 1024);
    CHECK(written <= 512 * 1024);
    CHECK(written > 500 * 1024);
    CHECK(pair.dialer.writable.empty());
    pair.consume_all(pair.listener);
    pair.settle();
    CHECK(pair.dialer.writable == std::vector{id});
    pair.listener.consuming = true;
    pair.consume_all(pair.listener);
    pair.settle();
    CHECK(pair.listener.received.at(theirs).size() == written);
  });
}

TEST_CASE("channel contract: one stream whose owner does not consume holds up no other") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    pair.listener.consuming = false;
    const StreamId stuck = open(pair, pair.dialer, kEcho, "x");
    const base::Bytes block(256 * 1024);
    pair.at(pair.dialer, [&](Channel& channel) { channel.write(stuck, block, pair.now); });
    pair.at(pair.dialer, [&](Channel& channel) { channel.write(stuck, block, pair.now); });
    open(pair, pair.dialer, kEcho, "past it");
    CHECK(pair.listener.text(pair.listener.opened.at(1).stream) == "past it");
  });
}

TEST_CASE("channel contract: a short message does not wait behind another stream's bulk") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId bulk = open(pair, pair.dialer, kEcho, "x");
    const StreamId brief = open(pair, pair.dialer, kEcho, "x");
    const base::Bytes block(200 * 1024);
    base::Bytes span(40 * 1024);
    pair.step(pair.dialer, [&](Channel& channel) {
      CHECK(channel.write(bulk, block, pair.now) == block.size());
      CHECK(channel.write(brief, base::as_bytes("y"), pair.now) == 1);
    });
    std::size_t size = 0;
    pair.step(pair.dialer, [&](Channel& channel) { size = channel.transmit(span, pair.now); });
    pair.step(pair.listener, [&](Channel& channel) {
      channel.receive(base::MutableBytes{span}.first(size), pair.now);
    });
    CHECK(pair.listener.text(pair.listener.opened.at(1).stream) == "xy");
  });
}

TEST_CASE("channel contract: much more than a window passes, in order") {
  for_each_kind([](ChannelKind kind) {
    Pair pair{kind};
    secure(pair);
    const StreamId id = open(pair, pair.dialer, kEcho, "x");
    base::Bytes sent{'x'};
    base::Prng prng{7};
    while (sent.size() < 3 * 1024 * 1024) {
      base::Bytes block(100'000);
      prng.fill(block);
      std::size_t taken = 0;
      pair.at(pair.dialer, [&](Channel& channel) { taken = channel.write(id, block, pair.now); });
      base::append(sent, base::BytesView{block}.first(taken));
    }
    CHECK(pair.listener.received.at(pair.listener.opened.at(0).stream) == sent);
  });
}

TEST_CASE("channel contract: streams are limited on both sides") {
  for_each_kind([](ChannelKind kind) {
    PairOptions options;
    options.config.max_outbound_streams = 2;
    options.config.max_inbound_streams = 1;
    Pair pair{kind, options};
    secure(pair);
    const StreamId first = open(pair, pair.dialer, kEcho, "first");
    const StreamId refused = open(pair, pair.dialer, kEcho, "second");
    CHECK(pair.dialer.ended.at(refused) == StreamEnd::kRemoteReset);
    CHECK(pair.listener.opened.size() == 1);

    StreamId waiting;
    pair.step(pair.dialer, [&](Channel& channel) {
      waiting = *channel.open(kEcho, pair.now);
      CHECK(channel.open(kEcho, pair.now).error() == OpenError::kTooManyStreams);
      channel.reset(waiting, pair.now);
    });
    CHECK(pair.dialer.ended.at(waiting) == StreamEnd::kLocalReset);
    pair.at(pair.dialer, [&](Channel& channel) { channel.reset(first, pair.now); });
    const StreamId last = open(pair, pair.dialer, kEcho, "there is room again");
    CHECK_FALSE(pair.dialer.ended.contains(last));
    CHECK(pair.listener.text(pair.listener.opened.at(1).stream) == "there is room again");
  });
}

TEST_CASE("channel contract: garbage at any point ends it with a reason and nothing else") {
  for_each_kind([](ChannelKind kind) {
    base::Prng prng{1};
    for (int cut = 0; cut < 40; ++cut) {
      Pair pair{kind};
      if (cut % 2 == 0) pair.settle();
      base::Bytes garbage(1 + prng.below(300));
      prng.fill(garbage);
      pair.at(pair.listener, [&](Channel& channel) { channel.receive(garbage, pair.now); });
      // What looks like the start of a frame, or of a message, is waited for in vain.
      if (!pair.listener.closed) {
        pair.at(pair.listener, [&](Channel& channel) { channel.receive_end(true, pair.now); });
      }
      REQUIRE(pair.listener.closed);
      CHECK(pair.listener.closed->reason != CloseReason::kLocal);
    }
  });
}
