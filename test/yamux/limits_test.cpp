#include <doctest/doctest.h>

#include "pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace ggen::p2p::yamux::test;

namespace {

using Frames = std::vector<Frame>;

/// The session ended with `error`, told its owner and the remote, and takes nothing any more.
void check_failed(Owner& owner, Error error) {
  REQUIRE(owner.closed);
  CHECK(owner.closed->error == error);
  CHECK(owner.session.stream_count() == 0);
  CHECK(owner.transmit() == Frames{{go_away(1), {}}});
  CHECK_FALSE(owner.session.wants_transmit());
  const auto opened = owner.opened.size();
  owner.receive(update(101, 0, flag::kSyn));
  owner.receive(update(102, 0, flag::kSyn));
  CHECK(owner.opened.size() == opened);
}

struct BadFrame {
  Bytes bytes;
  Error error;
};

Bytes raw(std::string_view hex) {
  return base::from_hex(hex).value();
}

}  // namespace

TEST_CASE("limits: each malformed frame ends the session with its reason") {
  const std::vector<BadFrame> bad = {
      {raw("010000000000000100000000"), Error::kInvalidVersion},
      {raw("ff0300000000000000000000"), Error::kInvalidVersion},
      {raw("000400000000000100000000"), Error::kInvalidType},
      {raw("00ff00000000000000000000"), Error::kInvalidType},
      {encode(ping(1, 0)), Error::kInvalidFlags},
      {encode(ping(1, flag::kFin)), Error::kInvalidFlags},
      {encode(ping(1, flag::kSyn | flag::kAck)), Error::kInvalidFlags},
      {encode({FrameType::kPing, flag::kSyn, {1}, 1}), Error::kInvalidStreamId},
      {encode({FrameType::kGoAway, 0, {1}, 0}), Error::kInvalidStreamId},
      {encode(data(0, 0)), Error::kInvalidStreamId},
      {encode(update(0, 0, flag::kSyn)), Error::kInvalidStreamId},
      {encode(update(2, 0, flag::kSyn)), Error::kInvalidStreamId},  // the server's own parity
      {encode(data(102, 0, flag::kSyn)), Error::kInvalidStreamId},
      {encode(update(1, 0, flag::kSyn)), Error::kDuplicateStream},
      {encode(data(1, 0, flag::kSyn)), Error::kDuplicateStream},
      {encode(data(1, kInitialWindow + 1)), Error::kWindowExceeded},
      {encode(data(3, kInitialWindow + 1, flag::kSyn)), Error::kWindowExceeded},
      {encode(data(1, 0xffffffff)), Error::kWindowExceeded},
      {encode(data(3, 0xffffffff, flag::kSyn)), Error::kWindowExceeded},
      {encode(data(77, 0xffffffff)), Error::kWindowExceeded},  // also for no stream at all
      {encode(data(1, 0xffffffff, flag::kRst)), Error::kWindowExceeded},
      {encode(update(1, 0xffffffff)), Error::kWindowOverflow},
      {encode(update(3, 0xffffffff, flag::kSyn)), Error::kWindowOverflow},
  };
  for (const BadFrame& frame : bad) {
    CAPTURE(base::to_hex(frame.bytes));
    for (const bool cut : {false, true}) {
      Owner server = quiet_owner(Role::kServer);
      server.receive(update(1, 0, flag::kSyn));
      for (std::size_t i = 0; cut && i + 1 < frame.bytes.size(); ++i) {
        server.receive(BytesView{frame.bytes}.subspan(i, 1));
        REQUIRE_FALSE(server.closed);
      }
      server.receive(cut ? BytesView{frame.bytes}.last(1) : BytesView{frame.bytes});
      CHECK(server.at({1}).end == StreamEnd::kSession);
      check_failed(server, frame.error);
    }
  }
}

TEST_CASE("limits: the client refuses odd streams of the server, and 0") {
  for (const std::uint32_t id : {1u, 99u, 0xffffffffu, 0u}) {
    Owner client = quiet_owner(Role::kClient);
    client.receive(update(id, 0, flag::kSyn));
    check_failed(client, Error::kInvalidStreamId);
  }
}

TEST_CASE("limits: credit may reach 32 bits but not pass them") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(update(1, 0xffffffff - kInitialWindow, flag::kSyn));
  CHECK_FALSE(server.closed);
  server.receive(update(1, 0));
  CHECK_FALSE(server.closed);
  server.receive(update(1, 1));
  check_failed(server, Error::kWindowOverflow);
}

TEST_CASE("limits: the window holds across frames, also after a reset here and after FIN") {
  for (const int variant : {0, 1, 2}) {
    Owner server = quiet_owner(Role::kServer);
    server.consume_all = false;
    server.receive(data(1, 200'000, flag::kSyn), pattern(200'000));
    if (variant == 1) {
      server.session.reset({1});
      server.drain({});
    }
    if (variant == 2) server.receive(update(1, 0, flag::kFin));
    server.receive(data(1, kInitialWindow - 200'000), pattern(kInitialWindow - 200'000));
    CHECK_FALSE(server.closed);
    server.receive(data(1, 1));
    REQUIRE(server.closed);
    CHECK(server.closed->error == Error::kWindowExceeded);
  }
}

TEST_CASE("limits: a body that is withheld costs nothing, and holds nobody up") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(data(1, kInitialWindow, flag::kSyn));
  CHECK(server.data_events == 0);
  // The other direction works: this side's frames do not depend on the remote's.
  server.session.write({1}, base::as_bytes("still here"));
  CHECK(server.transmit().size() == 1);
}

TEST_CASE("limits: streams beyond the limit are refused until others are gone") {
  Config config;
  config.max_inbound_streams = 3;
  Owner server = quiet_owner(Role::kServer, config);
  for (const std::uint32_t id : {1u, 3u, 5u}) server.receive(update(id, 0, flag::kSyn));
  server.receive(data(7, 4, flag::kSyn), base::as_bytes("late"));
  server.receive(data(7, 4), base::as_bytes("more"));
  CHECK(server.opened.size() == 3);
  CHECK(server.transmit() == Frames{{update(7, 0, flag::kRst), {}}});
  // A stream that is reset counts until the remote can know.
  server.session.reset({1});
  server.receive(update(9, 0, flag::kSyn));
  CHECK(server.opened.size() == 3);
  CHECK(server.transmit() ==
        Frames{{update(9, 0, flag::kRst), {}}, {update(1, 0, flag::kRst), {}}});
  server.receive(update(11, 0, flag::kSyn));
  CHECK(server.opened.back() == StreamId{11});
  CHECK(server.session.open({}).has_value());  // streams of this side do not count
}

TEST_CASE("limits: streams that this side has not answered have a limit of their own") {
  Config config;
  config.max_unacknowledged_inbound = 2;
  Owner server = quiet_owner(Role::kServer, config);
  for (const std::uint32_t id : {1u, 3u, 5u}) server.receive(update(id, 0, flag::kSyn));
  CHECK(server.opened == std::vector<StreamId>{{1}, {3}});
  CHECK(server.transmit() == Frames{{update(5, 0, flag::kRst), {}}});
  server.session.write({1}, base::as_bytes("accepted"));
  server.receive(update(7, 0, flag::kSyn));  // the ACK is not on its way yet
  CHECK(server.opened.size() == 2);
  server.transmit();
  server.receive(update(9, 0, flag::kSyn));
  CHECK(server.opened.back() == StreamId{9});
}

TEST_CASE("limits: an id is never used for a second stream") {
  Owner server = quiet_owner(Role::kServer);
  server.receive(update(5, 0, flag::kSyn));
  server.receive(update(5, 0, flag::kRst));
  server.receive(update(5, 0, flag::kSyn));
  CHECK(server.opened.size() == 1);
  CHECK(server.transmit() == Frames{{update(5, 0, flag::kRst), {}}});
  server.receive(update(3, 0, flag::kSyn));  // drawn earlier, announced later
  CHECK(server.opened.size() == 2);
}

TEST_CASE("limits: a remote that pings and does not read is cut off") {
  Owner server = quiet_owner(Role::kServer);
  for (std::uint32_t i = 0; i < 32; ++i) server.receive(ping(i));
  CHECK_FALSE(server.closed);
  CHECK(server.transmit().size() == 32);
  for (std::uint32_t i = 0; i < 33; ++i) server.receive(ping(i));
  check_failed(server, Error::kFlooded);
}

TEST_CASE("limits: a remote that opens streams and does not read is cut off") {
  Owner server = quiet_owner(Role::kServer);
  std::uint32_t opened = 0;
  while (!server.closed && opened < 10'000) {
    server.receive(update(2 * opened++ + 1, 0, flag::kSyn));
    REQUIRE(server.session.stream_count() <= 256);
  }
  CHECK(opened == 256 + 256 + 1);
  CHECK(server.opened.size() == 256);
  check_failed(server, Error::kFlooded);
}

TEST_CASE(
    "limits: a remote that opens and resets streams and does not read leaves nothing behind") {
  Owner server = quiet_owner(Role::kServer);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    server.receive(data(2 * i + 1, 1, flag::kSyn), base::as_bytes("a"));
    server.receive(update(2 * i + 1, 0, flag::kRst));
  }
  CHECK_FALSE(server.closed);
  CHECK(server.session.stream_count() == 0);
  CHECK(server.transmit().empty());
}

TEST_CASE("limits: control frames of streams are never more than one a stream") {
  Owner server = quiet_owner(Role::kServer);
  // Data, consumed at once, for a remote that does not read: credit gathers in the stream.
  server.receive(update(1, 0, flag::kSyn));
  server.consume_all = true;
  std::size_t received = 0;
  while (received + 1000 <= kInitialWindow) {
    server.receive(data(1, 1000), pattern(1000));
    server.receive(update(1, 1));
    received += 1000;
  }
  const Frames frames = server.transmit();
  CHECK(frames == Frames{{update(1, static_cast<std::uint32_t>(received), flag::kAck), {}}});
}

TEST_CASE("limits: a full send queue takes no more, and says when it does again") {
  Config config;
  config.send_queue_limit = 100'000;
  Owner client = quiet_owner(Role::kClient, config);
  const StreamId stream = client.session.open({}).value();
  CHECK(client.session.writable(stream) == 100'000);
  CHECK(client.session.write(stream, pattern(60'000)) == 60'000);
  CHECK(client.session.write(stream, pattern(60'000)) == 40'000);
  CHECK(client.session.write(stream, pattern(1)) == 0);
  CHECK(client.session.writable(stream) == 0);
  Bytes out(30'000);
  client.session.transmit(out, {});
  client.drain({});
  CHECK(client.at(stream).writable == 0);  // more than half is left
  client.session.transmit(out, {});
  client.drain({});
  CHECK(client.at(stream).writable == 1);
  client.transmit();
  CHECK(client.at(stream).writable == 1);
  CHECK(client.session.write(stream, pattern(100'000)) == 100'000);
  client.transmit();
  CHECK(client.at(stream).writable == 1);  // nothing was refused
}

TEST_CASE("limits: no Writable follows once the owner has finished or reset the stream") {
  Owner client = quiet_owner(Role::kClient);
  for (const bool finish : {true, false}) {
    const StreamId stream = client.session.open({}).value();
    CHECK(client.session.write(stream, Bytes(300'000)) == 256 * 1024);
    finish ? client.session.finish(stream) : client.session.reset(stream);
    client.receive(update(stream.value, 1'000'000));
    client.transmit();
    CHECK(client.at(stream).writable == 0);
  }
}
