#include <doctest/doctest.h>

#include "pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace ggen::p2p::yamux::test;

namespace {

using Frames = std::vector<Frame>;

Bytes bytes_of(std::string_view text) {
  return base::to_bytes(base::as_bytes(text));
}

StreamId open(Owner& owner) {
  return owner.session.open({}).value();
}

/// A server with one stream, opened by the remote and not yet answered.
Owner server_with_stream(std::uint32_t id) {
  Owner owner = quiet_owner(Role::kServer);
  owner.receive(update(id, 0, flag::kSyn));
  return owner;
}

}  // namespace

TEST_CASE("session: ids are odd for the client and even for the server, and rise") {
  Owner client = quiet_owner(Role::kClient);
  Owner server = quiet_owner(Role::kServer);
  for (std::uint32_t i = 0; i < 10; ++i) {
    CHECK(open(client).value == 2 * i + 1);
    CHECK(open(server).value == 2 * i + 2);
  }
}

TEST_CASE("session: SYN travels with the first bytes, or alone when there are none") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId first = open(client);
  const StreamId second = open(client);
  CHECK(client.session.write(first, base::as_bytes("hello")) == 5);
  CHECK(client.transmit() == Frames{{update(second.value, 0, flag::kSyn), {}},
                                    {data(first.value, 5, flag::kSyn), bytes_of("hello")}});
  client.session.write(first, base::as_bytes("a"));
  client.session.write(second, base::as_bytes("b"));
  CHECK(client.transmit() ==
        Frames{{data(first.value, 1), bytes_of("a")}, {data(second.value, 1), bytes_of("b")}});
}

TEST_CASE("session: ACK travels with the first answer of any kind") {
  SUBCASE("bytes") {
    Owner server = server_with_stream(1);
    CHECK(server.opened == std::vector{StreamId{1}});
    CHECK(server.transmit().empty());  // not accepted yet
    server.session.write({1}, base::as_bytes("x"));
    CHECK(server.transmit() == Frames{{data(1, 1, flag::kAck), bytes_of("x")}});
  }
  SUBCASE("consumption alone") {
    Owner server = server_with_stream(1);
    server.receive(data(1, 3), bytes_of("abc"));
    CHECK(server.transmit() == Frames{{update(1, 0, flag::kAck), {}}});
  }
  SUBCASE("consumption and bytes make one frame") {
    Owner server = server_with_stream(1);
    server.receive(data(1, 3), bytes_of("abc"));
    server.session.write({1}, base::as_bytes("xyz"));
    CHECK(server.transmit() == Frames{{data(1, 3, flag::kAck), bytes_of("xyz")}});
  }
  SUBCASE("finish") {
    Owner server = server_with_stream(1);
    server.session.finish({1});
    CHECK(server.transmit() == Frames{{update(1, 0, flag::kAck | flag::kFin), {}}});
  }
}

TEST_CASE("session: half-close lets the other direction go on, and both close the stream") {
  Pair pair;
  const StreamId stream = pair.open();
  Owner& client = pair.client();
  Owner& server = pair.server();
  client.session.write(stream, base::as_bytes("request"));
  client.session.finish(stream);
  CHECK(client.session.write(stream, base::as_bytes("more")) == 0);
  CHECK(client.session.writable(stream) == 0);
  pair.run(10ms);
  CHECK(base::as_text(server.at(stream).received) == "request");
  CHECK(server.at(stream).finished);
  CHECK_FALSE(server.at(stream).end);
  CHECK_FALSE(client.at(stream).end);

  server.session.write(stream, base::as_bytes("answer"));
  pair.run(10ms);
  CHECK(base::as_text(client.at(stream).received) == "answer");
  CHECK_FALSE(client.at(stream).finished);
  server.session.finish(stream);
  server.session.finish(stream);
  pair.run(10ms);
  CHECK(client.at(stream).finished);
  CHECK(client.at(stream).end == StreamEnd::kClosed);
  CHECK(server.at(stream).end == StreamEnd::kClosed);
  CHECK(client.session.stream_count() == 0);
  CHECK(server.session.stream_count() == 0);
}

TEST_CASE("session: FIN follows the last bytes in the same span, in a frame of its own") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId stream = open(client);
  client.session.write(stream, base::as_bytes("all"));
  client.session.finish(stream);
  Bytes out(65408);
  const std::size_t size = client.session.transmit(out, {});
  CHECK(FrameParser{}.feed(BytesView{out}.first(size)) ==
        Frames{{data(stream.value, 3, flag::kSyn), bytes_of("all")},
               {update(stream.value, 0, flag::kFin), {}}});
  CHECK_FALSE(client.session.wants_transmit());
}

TEST_CASE("session: FIN waits for bytes that have no credit") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId stream = open(client);
  CHECK(client.session.write(stream, pattern(kInitialWindow)) == kInitialWindow);
  client.transmit();
  client.session.write(stream, base::as_bytes("last"));
  client.session.finish(stream);
  CHECK(client.transmit().empty());
  client.receive(update(stream.value, 3, flag::kAck));
  CHECK(client.transmit() == Frames{{data(stream.value, 3), bytes_of("las")}});
  client.receive(update(stream.value, 10));
  CHECK(client.transmit() ==
        Frames{{data(stream.value, 1), bytes_of("t")}, {update(stream.value, 0, flag::kFin), {}}});
}

TEST_CASE("session: FIN with data is the end after the data") {
  Owner server = quiet_owner(Role::kServer);
  const Bytes frame = encode(data(1, 4, flag::kSyn | flag::kFin), base::as_bytes("data"));
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) {
    server.receive(BytesView{frame}.subspan(i, 1));
    CHECK_FALSE(server.at({1}).finished);
  }
  server.receive(BytesView{frame}.last(1));
  CHECK(base::as_text(server.at({1}).received) == "data");
  CHECK(server.at({1}).finished);
}

TEST_CASE("session: a local reset says so once and forgets the stream") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId stream = open(client);
  client.session.write(stream, base::as_bytes("x"));
  client.transmit();
  client.session.write(stream, base::as_bytes("dropped"));
  client.session.reset(stream);
  client.session.reset(stream);
  client.drain({});
  CHECK(client.at(stream).end == StreamEnd::kLocalReset);
  CHECK(client.session.stream_count() == 1);
  CHECK(client.session.write(stream, base::as_bytes("y")) == 0);
  client.session.finish(stream);
  client.session.consume(stream, 1, {});
  CHECK(client.transmit() == Frames{{update(stream.value, 0, flag::kRst), {}}});
  CHECK(client.session.stream_count() == 0);
}

TEST_CASE("session: a stream that the remote never heard of is dropped without a word") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId stream = open(client);
  client.session.write(stream, base::as_bytes("x"));
  client.session.reset(stream);
  client.drain({});
  CHECK(client.at(stream).end == StreamEnd::kLocalReset);
  CHECK(client.transmit().empty());
  CHECK(client.session.stream_count() == 0);
}

TEST_CASE("session: a reset in the middle of a frame drops the rest of it") {
  Owner server = server_with_stream(1);
  const Bytes frame = encode(data(1, 10), base::as_bytes("0123456789"));
  server.receive(BytesView{frame}.first(kHeaderSize + 4));
  CHECK(base::as_text(server.at({1}).received) == "0123");
  server.session.reset({1});
  server.drain({});
  server.receive(BytesView{frame}.subspan(kHeaderSize + 4));
  server.receive(ping(5));
  CHECK(base::as_text(server.at({1}).received) == "0123");
  CHECK(server.transmit() == Frames{{ping(5, flag::kAck), {}}, {update(1, 0, flag::kRst), {}}});
  CHECK_FALSE(server.closed);
}

TEST_CASE("session: a reset by the remote ends the stream at once, whatever frame it is on") {
  Owner client = quiet_owner(Role::kClient);
  for (const Header& rst : {update(1, 77, flag::kRst), data(3, 5, flag::kRst | flag::kFin),
                            data(5, 0, flag::kRst | flag::kAck)}) {
    const StreamId stream = open(client);
    client.session.write(stream, pattern(1000));
    client.transmit();
    client.session.write(stream, pattern(1000));
    client.receive(rst, rst.type == FrameType::kData ? pattern(rst.length) : Bytes{});
    CHECK(client.at(stream).end == StreamEnd::kRemoteReset);
    CHECK(client.at(stream).received.empty());
    CHECK_FALSE(client.at(stream).finished);
  }
  CHECK(client.transmit().empty());
  CHECK(client.session.stream_count() == 0);
  CHECK_FALSE(client.closed);
}

TEST_CASE("session: resets that cross need no answer") {
  Owner server = server_with_stream(1);
  server.session.reset({1});
  server.drain({});
  server.receive(update(1, 0, flag::kRst));
  CHECK(server.at({1}).end == StreamEnd::kLocalReset);
  CHECK(server.transmit().empty());
  CHECK(server.session.stream_count() == 0);
}

TEST_CASE("session: a stream that is opened and reset in one frame never was") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(data(1, 3, flag::kSyn | flag::kRst), bytes_of("abc"));
  CHECK(server.opened.empty());
  CHECK(server.transmit().empty());
  server.receive(update(3, 0, flag::kSyn));
  CHECK(server.opened == std::vector{StreamId{3}});
}

TEST_CASE("session: credit on SYN and on any later frame counts") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(update(1, 1000, flag::kSyn));
  server.receive(update(1, 24, flag::kFin));
  CHECK(server.session.write({1}, pattern(kInitialWindow)) == kInitialWindow);
  std::size_t sent = 0;
  for (const Frame& frame : server.transmit()) sent += frame.body.size();
  CHECK(server.session.write({1}, pattern(2000)) == 2000);
  for (const Frame& frame : server.transmit()) sent += frame.body.size();
  CHECK(sent == kInitialWindow + 1024);
}

TEST_CASE(
    "session: frames for streams that are gone or never were are dropped, without an answer") {
  Owner client = quiet_owner(Role::kClient);
  const StreamId stream = open(client);
  client.session.write(stream, base::as_bytes("x"));
  client.transmit();
  client.session.finish(stream);
  client.receive(update(stream.value, 0, flag::kAck | flag::kFin));
  CHECK(client.transmit() == Frames{{update(stream.value, 0, flag::kFin), {}}});
  CHECK(client.at(stream).end == StreamEnd::kClosed);
  for (const std::uint32_t id : {1u, 2u, 77u, 100u, 0xffffffffu}) {
    client.receive(data(id, 5), bytes_of("abcde"));
    client.receive(update(id, 0xffffffff));
    client.receive(update(id, 0, flag::kFin));
    client.receive(update(id, 0, flag::kRst));
    client.receive(data(id, 0, flag::kAck));
  }
  CHECK_FALSE(client.closed);
  CHECK(client.transmit().empty());
  CHECK(client.opened.empty());
}

TEST_CASE("session: what comes after FIN is tolerated, and not handed on") {
  Owner server = server_with_stream(1);
  server.receive(update(1, 0, flag::kFin));
  server.receive(update(1, 127));
  server.receive(update(1, 0, flag::kFin));
  server.receive(data(1, 3, flag::kFin), bytes_of("abc"));
  CHECK_FALSE(server.closed);
  CHECK(server.at({1}).received.empty());
  CHECK(server.at({1}).finished);
}

TEST_CASE("session: flags without a meaning are ignored") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(data(1, 2, 0xfff0 | flag::kSyn), bytes_of("ab"));
  CHECK(base::as_text(server.at({1}).received) == "ab");
  CHECK_FALSE(server.at({1}).finished);
}

TEST_CASE("session: data is handed on without a copy and as it comes") {
  Session server{Role::kServer, Config{}, {}};
  Bytes wire = encode(update(1, 0, flag::kSyn));
  base::append(wire, encode(data(1, 100'000), pattern(60'000)));
  const base::Buffer message = base::Buffer::copy_of(wire);
  server.receive(message, {});
  CHECK(std::holds_alternative<event::StreamOpened>(server.poll().value()));
  const auto piece = std::get<event::Data>(server.poll().value());
  CHECK(piece.data.data() == message.data() + 2 * kHeaderSize);
  CHECK(piece.data.size() == 60'000);
  server.receive(base::Buffer::copy_of(pattern(40'000)), {});
  CHECK(std::get<event::Data>(server.poll().value()).data.size() == 40'000);
  CHECK_FALSE(server.poll());
}

TEST_CASE("session: pings are answered with their value, also several") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(ping(0xdeadbeef));
  server.receive(ping(0));
  CHECK(server.transmit() == Frames{{ping(0xdeadbeef, flag::kAck), {}}, {ping(0, flag::kAck), {}}});
}

TEST_CASE("session: at most 256 streams wait for the remote's acknowledgement") {
  Owner client = quiet_owner(Role::kClient);
  for (int i = 0; i < 256; ++i) open(client);
  CHECK(client.session.open({}).error() == OpenError::kBacklogFull);
  client.transmit();
  CHECK(client.session.open({}).error() == OpenError::kBacklogFull);
  client.receive(update(1, 0, flag::kAck));
  client.receive(update(1, 0, flag::kAck));  // counts once
  CHECK(client.session.open({}).has_value());
  CHECK(client.session.open({}).error() == OpenError::kBacklogFull);
  client.receive(update(3, 0, flag::kRst));  // refused: no longer waiting
  CHECK(client.session.open({}).has_value());
  client.receive(data(5, 1), bytes_of("a"));  // an answer without ACK is an answer
  CHECK(client.session.open({}).has_value());
  client.session.reset({7});
  client.transmit();
  CHECK(client.session.open({}).has_value());
  CHECK(client.session.open({}).error() == OpenError::kBacklogFull);
}

TEST_CASE("session: go_away drops everything, says goodbye and is over") {
  Pair pair;
  const StreamId stream = pair.open();
  Owner& client = pair.client();
  Owner& server = pair.server();
  const StreamId other = server.session.open(pair.now()).value();
  client.session.write(stream, pattern(100));
  client.session.go_away(GoAwayCode::kInternalError);
  client.session.go_away(GoAwayCode::kNormal);
  client.drain(pair.now());
  CHECK(client.at(stream).end == StreamEnd::kSession);
  CHECK(client.closed->error == Error::kLocalGoAway);
  CHECK(client.session.open(pair.now()).error() == OpenError::kSessionClosed);
  CHECK(client.session.write(stream, pattern(1)) == 0);
  CHECK_FALSE(client.session.next_deadline());
  pair.run(10ms);
  CHECK_FALSE(client.session.wants_transmit());
  CHECK(server.closed->error == Error::kRemoteGoAway);
  CHECK(server.closed->remote_code == 2);
  CHECK(server.at(stream).end == StreamEnd::kSession);
  CHECK(server.at(other).end == StreamEnd::kSession);
  CHECK_FALSE(server.session.wants_transmit());
  CHECK(server.session.stream_count() == 0);
}

TEST_CASE("session: a stream reset before the session ends is closed once") {
  Owner server = server_with_stream(1);
  server.session.reset({1});
  server.drain({});
  server.at({1}).end.reset();
  server.receive(go_away(0));
  CHECK_FALSE(server.at({1}).end);
  CHECK(server.closed->error == Error::kRemoteGoAway);
}

TEST_CASE("session: pings measure the round trip and keep an idle session alive") {
  Pair pair{{.latency = 35ms}};
  pair.run(1s);
  CHECK(pair.client().session.rtt() == 70ms);
  CHECK(pair.server().session.rtt() == 70ms);
  pair.run(10min);
  CHECK_FALSE(pair.client().closed);
  CHECK_FALSE(pair.server().closed);
}

TEST_CASE("session: a remote that falls silent is given up") {
  Pair pair;
  const StreamId stream = pair.open();
  pair.run(35s);
  pair.set_reading(pair.client(), false);
  pair.set_reading(pair.server(), false);
  pair.run(50s);
  CHECK(pair.client().closed->error == Error::kKeepAliveTimeout);
  CHECK(pair.client().at(stream).end == StreamEnd::kSession);
  CHECK(pair.server().closed->error == Error::kKeepAliveTimeout);
}

TEST_CASE("session: a transport that takes everything proves nothing") {
  Owner client = quiet_owner(Role::kClient);
  for (const auto at : {0s, 4s, 8s}) {
    const Instant now = Instant{} + at;
    client.session.write(client.session.open(now).value(), Bytes(50'000));
    client.transmit(now, 1024);  // many spans at one instant
  }
  client.session.handle_timeout(Instant{} + 10s);
  client.drain({});
  REQUIRE(client.closed);
  CHECK(client.closed->error == Error::kKeepAliveTimeout);
}

TEST_CASE("session: bulk on a slow line is not taken for silence") {
  // What is on the way takes 16 s to arrive, and pongs wait behind it.
  Pair pair{{.latency = 1ms, .bytes_per_second = 4000, .span = 4096, .socket = 64'000}};
  const StreamId stream = pair.open();
  const Bytes chunk(10'000);
  SUBCASE("one way: the transport takes more and more") {
    pair.run(5min, [&] { pair.client().session.write(stream, chunk); });
  }
  SUBCASE("both ways: bytes come in") {
    pair.run(5min, [&] {
      pair.client().session.write(stream, chunk);
      pair.server().session.write(stream, chunk);
    });
  }
  CHECK_FALSE(pair.client().closed);
  CHECK_FALSE(pair.server().closed);
  CHECK(pair.server().at(stream).received.size() > 1'000'000);
}

TEST_CASE("session: many short streams work in both directions at once, whatever the cuts") {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{13}, SIZE_MAX}) {
    for (const std::size_t span : {Session::kMinTransmit, std::size_t{1024}, std::size_t{65408}}) {
      Pair pair{{.span = span, .cut = cut}};
      std::vector<StreamId> streams;
      for (std::size_t i = 0; i < 100; ++i) {
        Owner& opener = i % 2 == 0 ? pair.client() : pair.server();
        const StreamId stream = opener.session.open(pair.now()).value();
        CHECK(opener.session.write(stream, pattern(i * 7, static_cast<std::uint8_t>(i))) == i * 7);
        opener.session.finish(stream);
        streams.push_back(stream);
      }
      pair.run(100ms);
      for (std::size_t i = 0; i < 100; ++i) {
        Owner& accepter = i % 2 == 0 ? pair.server() : pair.client();
        REQUIRE(accepter.at(streams[i]).received == pattern(i * 7, static_cast<std::uint8_t>(i)));
        REQUIRE(accepter.at(streams[i]).finished);
        accepter.session.finish(streams[i]);
      }
      pair.run(100ms);
      CHECK(pair.client().session.stream_count() == 0);
      CHECK(pair.server().session.stream_count() == 0);
    }
  }
}
