#include <doctest/doctest.h>

#include "pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace ggen::p2p::yamux::test;

namespace {

constexpr std::size_t kMi = 1024 * 1024;

/// Keeps the stream's send queue full.
auto flood(Owner& owner, StreamId stream) {
  return [&owner, stream, chunk = Bytes(64 * 1024)] {
    while (owner.session.write(stream, chunk) > 0) {
    }
  };
}

}  // namespace

TEST_CASE("flow: a sender stops at the window and goes on when the owner consumes") {
  Pair pair;
  const StreamId stream = pair.open();
  Owner& server = pair.server();
  server.consume_all = false;
  const auto fill = flood(pair.client(), stream);
  pair.run(1s, fill);
  CHECK(server.at(stream).received.size() == kInitialWindow);
  server.consume(stream, 128 * 1024 - 1, pair.now());
  pair.run(1s, fill);
  CHECK(server.at(stream).received.size() == kInitialWindow);
  server.consume(stream, 1, pair.now());
  pair.run(1s, fill);
  CHECK(server.at(stream).received.size() == kInitialWindow + 128 * 1024);
}

TEST_CASE("flow: the window grows with the distance until the line is full") {
  // 100 ms there and back at 10 MB/s: about 1 MB is on the way.
  Pair pair{{.latency = 50ms, .bytes_per_second = 10'000'000}};
  const StreamId stream = pair.open();
  pair.run(3s, flood(pair.client(), stream));
  const std::size_t before = pair.server().at(stream).received.size();
  pair.run(5s, flood(pair.client(), stream));
  CHECK(pair.server().at(stream).received.size() - before > 49'000'000);
  // Four times what is on the way is the most that the rule leads to.
  CHECK(pair.model(pair.client()).window(stream) >= kMi);
  CHECK(pair.model(pair.client()).window(stream) <= 4 * kMi);
}

TEST_CASE("flow: on a long fat line the window grows to its limit and no further") {
  for (const std::uint32_t limit : {16u * 1024 * 1024, 3'000'000u}) {
    Config config;
    config.max_stream_window = limit;
    Pair pair{{.latency = 50ms, .socket = 64 * kMi}, config};
    const StreamId stream = pair.open();
    pair.run(3s, flood(pair.client(), stream));
    CHECK(pair.model(pair.client()).window(stream) == limit);
  }
}

TEST_CASE("flow: a window does not grow for a slow stream, an idle one, or a slow reader") {
  Pair pair{{.latency = 50ms}};
  Owner& client = pair.client();
  Owner& server = pair.server();
  const StreamId idle = pair.open();
  const StreamId slow = pair.open();
  const StreamId unread = pair.open();
  server.consume_all = false;
  for (int i = 0; i < 300; ++i) {
    client.session.write(slow, Bytes(10'000));  // 100 KB/s: half a window takes 1.3 s
    client.session.write(unread, Bytes(256 * 1024));
    pair.run(100ms);
    server.consume(slow, server.at(slow).unconsumed, pair.now());
    if (i % 10 == 9) server.consume(unread, server.at(unread).unconsumed, pair.now());
  }
  CHECK(server.at(slow).received.size() > 2'900'000);
  CHECK(server.at(unread).received.size() > 5'000'000);
  for (const StreamId stream : {idle, slow, unread}) {
    CHECK(pair.model(client).window(stream) == kInitialWindow);
  }
}

TEST_CASE("flow: windows share a budget, keep their initial size, and give it back at the end") {
  Config config;
  config.max_window_growth = 4 * kMi;
  Pair pair{{.latency = 50ms, .socket = 64 * kMi}, config};
  std::vector<StreamId> streams;
  for (int i = 0; i < 8; ++i) streams.push_back(pair.open());
  pair.run(3s, [&] {
    for (const StreamId stream : streams) flood(pair.client(), stream)();
  });
  std::size_t growth = 0;
  for (const StreamId stream : streams) {
    const std::size_t window = pair.model(pair.client()).window(stream);
    CHECK(window >= kInitialWindow);
    growth += window - kInitialWindow;
  }
  CHECK(growth == 4 * kMi);

  for (const StreamId stream : streams) pair.server().session.reset(stream);
  pair.run(1s);
  const StreamId next = pair.open();
  pair.run(3s, flood(pair.client(), next));
  CHECK(pair.model(pair.client()).window(next) == 4 * kMi + kInitialWindow);
}

TEST_CASE("flow: a remote's large window is used, in frames as large as the span") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId stream = client.session.open({}).value();
  client.receive(update(stream.value, 0xffffffff - kInitialWindow, flag::kAck));
  std::size_t sent = 0;
  for (int i = 0; i < 20; ++i) {
    client.session.write(stream, Bytes(256 * 1024));
    for (const Frame& frame : client.transmit()) sent += frame.body.size();
  }
  CHECK(sent == 20 * 256 * 1024);
  CHECK_FALSE(client.closed);
}

TEST_CASE("fairness: bulk streams share the line evenly") {
  Pair pair{{.latency = 5ms, .bytes_per_second = 20'000'000, .socket = 200'000}};
  std::vector<StreamId> streams;
  for (int i = 0; i < 6; ++i) streams.push_back(pair.open());
  pair.run(4s, [&] {
    for (const StreamId stream : streams) flood(pair.client(), stream)();
  });
  for (const StreamId stream : streams) {
    const std::size_t received = pair.server().at(stream).received.size();
    CHECK(received > 80'000'000 / 6 * 9 / 10);
    CHECK(received < 80'000'000 / 6 * 11 / 10);
  }
}

TEST_CASE("fairness: a ping and a short message go out before bulk that waits") {
  Owner client = quiet_owner(Role::kClient);
  std::vector<StreamId> bulk;
  for (int i = 0; i < 10; ++i) {
    bulk.push_back(client.session.open({}).value());
    client.session.write(bulk.back(), Bytes(256 * 1024));
  }
  Bytes out(65408);
  for (int i = 0; i < 4; ++i) client.session.transmit(out, {});  // all have had a turn
  const StreamId small = client.session.open({}).value();
  client.session.write(small, Bytes(32));
  client.receive(ping(9));
  const auto frames = FrameParser{}.feed(BytesView{out}.first(client.session.transmit(out, {})));
  CHECK(frames[0].header == ping(9, flag::kAck));
  const auto at = std::find_if(frames.begin(), frames.end(),
                               [&](const Frame& frame) { return frame.header.stream == small; });
  REQUIRE(at != frames.end());
  CHECK(at - frames.begin() <= 2);  // at most the turn under way comes before
}

TEST_CASE("fairness: a stream without credit holds up no other") {
  Pair pair;
  const StreamId stuck = pair.open();
  const StreamId free = pair.open();
  pair.server().consume_all = false;
  flood(pair.client(), stuck)();
  pair.run(100ms, flood(pair.client(), stuck));
  pair.client().session.write(free, Bytes(1000));
  pair.run(10ms);
  CHECK(pair.server().at(free).received.size() == 1000);
}

TEST_CASE("spans: what there is to send fills the span, but for crumbs") {
  Owner client = quiet_owner(Role::kClient);
  for (int i = 0; i < 3; ++i) {
    client.session.write(client.session.open({}).value(), Bytes(200'000));
  }
  for (const std::size_t span : {std::size_t{65'408}, std::size_t{40'000}, std::size_t{1024}}) {
    Bytes out(span);
    const std::size_t size = client.session.transmit(out, {});
    CHECK(size > span - 300);
    for (const Frame& frame : FrameParser{}.feed(BytesView{out}.first(size))) {
      CHECK(frame.body.size() >= 256);
    }
  }
}

TEST_CASE("spans: kMinTransmit bytes make progress, and fewer break nothing") {
  for (std::size_t span = 0; span < 200; ++span) {
    Owner client{Role::kClient};
    const StreamId stream = client.session.open({}).value();
    client.session.write(stream, pattern(1000));
    client.session.finish(stream);
    client.receive(ping(1));
    Bytes out(span);
    FrameParser parser;
    Bytes sent;
    for (int i = 0; i < 2000 && client.session.wants_transmit(); ++i) {
      const std::size_t size = client.session.transmit(out, {});
      REQUIRE(size <= span);
      REQUIRE((size > 0 || span < Session::kMinTransmit));
      for (const Frame& frame : parser.feed(BytesView{out}.first(size))) {
        base::append(sent, frame.body);
      }
      REQUIRE(parser.between_frames());
    }
    if (span >= Session::kMinTransmit) {
      CHECK(sent == pattern(1000));
      CHECK_FALSE(client.session.wants_transmit());
    }
  }
}
