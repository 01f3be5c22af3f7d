// What is particular to message channels: their frames, and what a hostile remote can do with them.
#include <doctest/doctest.h>

#include <ggen/p2p/base/varint.hpp>

#include "../../src/sim/message_frame.hpp"
#include "channel_pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::connection;
using sim::FrameKind;
using sim::test::ChannelKind;
using sim::test::Pair;
using sim::test::PairOptions;
using namespace std::chrono_literals;

namespace {

base::Bytes number(std::uint64_t value) {
  base::Bytes bytes;
  base::append_varint(bytes, value);
  return bytes;
}

base::Bytes frame(FrameKind kind, std::uint64_t stream, base::BytesView payload = {}) {
  base::Bytes bytes{static_cast<std::uint8_t>(kind)};
  base::append_varint(bytes, stream);
  base::append_varint(bytes, payload.size());
  base::append(bytes, payload);
  return bytes;
}

// Its payload is yet to come.
base::Bytes header(FrameKind kind, std::uint64_t stream, std::uint64_t length) {
  base::Bytes bytes{static_cast<std::uint8_t>(kind)};
  base::append_varint(bytes, stream);
  base::append_varint(bytes, length);
  return bytes;
}

base::Bytes open_frame(std::uint64_t stream, const std::vector<std::string>& protocols) {
  base::Bytes payload;
  for (const std::string& protocol : protocols) {
    base::append_varint(payload, protocol.size());
    base::append(payload, base::as_bytes(protocol));
  }
  return frame(FrameKind::kOpen, stream, payload);
}

/// A listener whose remote is the test: it has said who it is, unless told otherwise.
class Victim {
 public:
  explicit Victim(PairOptions options = {}, bool secured = true)
      : pair(ChannelKind::kMessage, options) {
    pair.listener.protocols.add("/echo/1");
    pair.listener.consuming = false;
    if (!secured) return;
    get(frame(FrameKind::kKnock, 0));
    get(frame(FrameKind::kHello, 0, pair.dialer.key.public_key().encode()));
    said();
    REQUIRE(pair.listener.secured);
  }

  void get(base::Bytes bytes) {
    pair.step(pair.listener, [&](Channel& channel) { channel.receive(bytes, pair.now); });
  }

  /// All that the victim has to say.
  base::Bytes said() {
    base::Bytes out(1024 * 1024);
    std::size_t size = 0;
    pair.step(pair.listener, [&](Channel& channel) { size = channel.transmit(out, pair.now); });
    out.resize(size);
    return out;
  }

  [[nodiscard]] std::optional<CloseReason> reason() const {
    if (!pair.listener.closed) return std::nullopt;
    return pair.listener.closed->reason;
  }
  template <class Act>
  void act(Act&& act) {
    pair.step(pair.listener, act);
  }
  sim::test::End& end() { return pair.listener; }

  Pair pair;
};

}  // namespace

TEST_CASE("message channel: bytes cut at every position mean the same") {
  base::Bytes script = frame(FrameKind::kKnock, 0);
  base::append(script, frame(FrameKind::kHello, 0, test::key_pair(1).public_key().encode()));
  base::append(script, open_frame(1, {"/none", "/echo/1"}));
  base::append(script, frame(FrameKind::kData, 1, base::as_bytes("hello")));
  base::append(script, open_frame(3, {"/echo/1"}));
  base::append(script, frame(FrameKind::kCredit, 3, number(300)));
  base::append(script, frame(FrameKind::kReset, 3));
  base::append(script, frame(FrameKind::kData, 1, base::as_bytes(" there")));
  base::append(script, frame(FrameKind::kFinish, 1));
  for (std::size_t first = 0; first <= script.size(); ++first) {
    for (std::size_t second = first; second <= script.size(); ++second) {
      Victim victim{{}, false};
      victim.get({script.begin(), script.begin() + static_cast<std::ptrdiff_t>(first)});
      victim.get({script.begin() + static_cast<std::ptrdiff_t>(first),
                  script.begin() + static_cast<std::ptrdiff_t>(second)});
      victim.get({script.begin() + static_cast<std::ptrdiff_t>(second), script.end()});
      REQUIRE_FALSE(victim.reason());
      REQUIRE(victim.end().text({1}) == "hello there");
      REQUIRE(victim.end().finished == std::vector{StreamId{1}});
      REQUIRE(victim.end().ended.at({3}) == StreamEnd::kRemoteReset);
      if (first == second && second == script.size()) CHECK(victim.end().pieces == 2);
    }
  }
}

TEST_CASE("message channel: at rest it has no deadline and nothing to say") {
  Pair pair{ChannelKind::kMessage};
  pair.settle();
  REQUIRE(pair.listener.secured);
  CHECK_FALSE(pair.dialer.channel->next_deadline());
  CHECK_FALSE(pair.listener.channel->next_deadline());
  pair.listener.protocols.add("/echo/1");
  pair.at(pair.dialer, [&](Channel& channel) {
    CHECK(channel.open(std::vector<std::string>{"/echo/1"}, pair.now));
  });
  CHECK_FALSE(pair.dialer.channel->next_deadline());
  CHECK_FALSE(pair.dialer.channel->wants_transmit());
}

TEST_CASE("message channel: frames that end it") {
  const std::string text = "/echo/1";
  const base::Bytes too_long_number{0x80, 0x80, 0x80, 0x80, 0x80};
  std::vector<std::string> too_many(sim::kMaxProtocols + 1, text);
  const auto with_stream = [](const base::Bytes& more) {
    base::Bytes bytes = open_frame(1, {"/echo/1"});
    base::append(bytes, more);
    return bytes;
  };
  const std::vector<std::pair<const char*, base::Bytes>> cases{
      {"unknown kind", {sim::kFrameKinds, 0, 0}},
      {"stream of the channel", frame(FrameKind::kGoodbye, 1)},
      {"no stream", header(FrameKind::kData, 0, 1)},
      {"stream above 32 bits", header(FrameKind::kData, std::uint64_t{1} << 32, 1)},
      {"longer number than needed", {static_cast<std::uint8_t>(FrameKind::kData), 0x81, 0x00}},
      {"endless number",
       {static_cast<std::uint8_t>(FrameKind::kData), 0x80, 0x80, 0x80, 0x80, 0x80}},
      {"goodbye with a payload", header(FrameKind::kGoodbye, 0, 1)},
      {"second knock", frame(FrameKind::kKnock, 0)},
      {"second hello", frame(FrameKind::kHello, 0, test::key_pair(1).public_key().encode())},
      {"even stream id", open_frame(2, {text})},
      {"stream id used twice", with_stream(open_frame(1, {text}))},
      {"no protocol", frame(FrameKind::kOpen, 1)},
      {"protocol of no length", open_frame(1, {""})},
      {"protocol with a newline", open_frame(1, {"/a\n"})},
      {"protocol beyond the payload", frame(FrameKind::kOpen, 1, base::Bytes{200, 1, '/'})},
      {"too many protocols", open_frame(1, too_many)},
      {"open above the limit", header(FrameKind::kOpen, 1, sim::kMaxOpen + 1)},
      {"accept for a stream of the remote", with_stream(frame(FrameKind::kAccept, 1, number(0)))},
      {"refuse for a stream of the remote", with_stream(frame(FrameKind::kRefuse, 1))},
      {"credit without a number", with_stream(frame(FrameKind::kCredit, 1))},
      {"credit with more than a number",
       with_stream(frame(FrameKind::kCredit, 1, base::Bytes{1, 1}))},
      {"credit above 32 bits",
       with_stream(frame(FrameKind::kCredit, 1, number(UINT32_MAX - sim::kStreamWindow + 1)))},
      {"data above the window", header(FrameKind::kData, 1, sim::kStreamWindow + 1)},
      {"length of 4 GiB, the body withheld", header(FrameKind::kData, 1, UINT32_MAX)},
  };
  for (const auto& [name, bytes] : cases) {
    CAPTURE(name);
    for (const bool one_by_one : {false, true}) {
      Victim victim;
      if (one_by_one) {
        for (const std::uint8_t byte : bytes) victim.get({byte});
      } else {
        victim.get(bytes);
      }
      REQUIRE(victim.reason() == CloseReason::kProtocolViolation);
      CHECK_FALSE(victim.end().closed->detail.empty());
      CHECK(victim.said().back() == 0);  // a goodbye, at the end
    }
  }
}

TEST_CASE("message channel: frames out of place during the handshake") {
  const auto hello = frame(FrameKind::kHello, 0, test::key_pair(1).public_key().encode());
  const auto after_knock = [](const base::Bytes& more) {
    base::Bytes bytes = frame(FrameKind::kKnock, 0);
    base::append(bytes, more);
    return bytes;
  };
  const std::vector<std::pair<base::Bytes, CloseReason>> cases{
      {hello, CloseReason::kNegotiationFailed},
      {open_frame(1, {"/echo/1"}), CloseReason::kNegotiationFailed},
      {header(FrameKind::kData, 1, 1), CloseReason::kNegotiationFailed},
      {frame(FrameKind::kGoodbye, 0), CloseReason::kNegotiationFailed},
      {after_knock(frame(FrameKind::kKnock, 0)), CloseReason::kNegotiationFailed},
      {after_knock(header(FrameKind::kHello, 0, crypto::kMaxEncodedKey + 1)),
       CloseReason::kNegotiationFailed},
      {after_knock(frame(FrameKind::kHello, 0, base::Bytes{1, 2, 3})),
       CloseReason::kSecurityFailed},
  };
  for (const auto& [bytes, reason] : cases) {
    Victim victim{{}, false};
    victim.get(bytes);
    CHECK(victim.reason() == reason);
    CHECK(victim.said().empty());
  }
}

TEST_CASE("message channel: what an Open gets as its answer is believed only where it fits") {
  const auto answered = [](const base::Bytes& answer) {
    Victim victim;
    StreamId id;
    victim.act([&](Channel& channel) {
      id = *channel.open(std::vector<std::string>{"/a", "/b"}, victim.pair.now);
    });
    victim.said();
    victim.get(answer);
    const bool ended = victim.end().ended.contains(id);
    if (ended) CHECK_FALSE(victim.reason());
    return ended ? std::optional{victim.end().ended.at(id)} : std::nullopt;
  };
  CHECK_FALSE(answered(frame(FrameKind::kAccept, 2, number(1))));
  CHECK(answered(frame(FrameKind::kAccept, 2, number(2))) == StreamEnd::kNegotiationFailed);
  CHECK(answered(frame(FrameKind::kRefuse, 2)) == StreamEnd::kProtocolRefused);
  CHECK(answered(frame(FrameKind::kReset, 2)) == StreamEnd::kRemoteReset);
  // Bytes, or an end, before it is said of which protocol.
  CHECK(answered(frame(FrameKind::kData, 2, base::Bytes{1})) == StreamEnd::kNegotiationFailed);
  CHECK(answered(frame(FrameKind::kFinish, 2)) == StreamEnd::kNegotiationFailed);
}

TEST_CASE("message channel: an answer to an Open that is not sent yet") {
  for (const base::Bytes& answer :
       {frame(FrameKind::kAccept, 2, number(0)), frame(FrameKind::kRefuse, 2)}) {
    Victim victim;
    victim.act([&](Channel& channel) {
      CHECK(channel.open(std::vector<std::string>{"/a"}, victim.pair.now) == StreamId{2});
    });
    victim.get(answer);
    CHECK(victim.reason() == CloseReason::kProtocolViolation);
    CHECK(victim.said() == frame(FrameKind::kGoodbye, 0));
  }
}

TEST_CASE("message channel: late frames for streams that are gone are ignored") {
  Victim victim;
  victim.get(open_frame(1, {"/echo/1"}));
  victim.act([&](Channel& channel) { channel.reset({1}, victim.pair.now); });
  victim.get(frame(FrameKind::kData, 1, base::Bytes(1000)));
  victim.get(frame(FrameKind::kCredit, 1, number(UINT32_MAX)));
  victim.get(frame(FrameKind::kFinish, 1));
  victim.get(frame(FrameKind::kReset, 1));
  victim.get(frame(FrameKind::kAccept, 77, number(0)));
  CHECK_FALSE(victim.reason());
  CHECK(victim.end().received.empty());
}

TEST_CASE("message channel: a stream reset in the midst of a frame gets no more of it") {
  Victim victim;
  victim.get(open_frame(1, {"/echo/1"}));
  victim.get(header(FrameKind::kData, 1, 10));
  victim.get(base::Bytes{'a', 'b', 'c'});
  victim.act([&](Channel& channel) { channel.reset({1}, victim.pair.now); });
  victim.get(base::Bytes(7, 'd'));
  CHECK(victim.end().text({1}) == "abc");
  victim.get(open_frame(3, {"/echo/1"}));
  CHECK(victim.end().opened.size() == 2);
}

TEST_CASE("message channel: data for a guessed stream is nobody's, also when it is opened midway") {
  Victim victim;
  victim.get(header(FrameKind::kData, 2, 10));
  victim.act([&](Channel& channel) {
    CHECK(channel.open(std::vector<std::string>{"/a"}, victim.pair.now) == StreamId{2});
  });
  victim.get(base::Bytes(10, 'd'));
  CHECK(victim.end().text({2}).empty());
  CHECK_FALSE(victim.reason());
}

TEST_CASE("message channel: the window is enforced, and only consume() gives it back") {
  Victim victim;
  victim.get(open_frame(1, {"/echo/1"}));
  const base::Bytes block(sim::kStreamWindow / 4);
  for (int i = 0; i < 4; ++i) victim.get(frame(FrameKind::kData, 1, block));
  victim.said();
  // Crumbs are not worth a frame.
  victim.act(
      [&](Channel& channel) { channel.consume({1}, sim::kStreamWindow / 2 - 1, victim.pair.now); });
  CHECK_FALSE(victim.end().channel->wants_transmit());
  victim.act([&](Channel& channel) { channel.consume({1}, 1, victim.pair.now); });
  CHECK(victim.said() == frame(FrameKind::kCredit, 1, number(sim::kStreamWindow / 2)));
  victim.get(frame(FrameKind::kData, 1, block));
  victim.get(frame(FrameKind::kData, 1, block));
  CHECK_FALSE(victim.reason());
  victim.get(header(FrameKind::kData, 1, 1));
  CHECK(victim.reason() == CloseReason::kProtocolViolation);
}

TEST_CASE("message channel: credit that is no longer needed is nothing to send") {
  Victim victim;
  victim.get(open_frame(1, {"/echo/1"}));
  victim.get(frame(FrameKind::kData, 1, base::Bytes(sim::kStreamWindow)));
  victim.said();
  victim.act([&](Channel& channel) { channel.consume({1}, sim::kStreamWindow, victim.pair.now); });
  CHECK(victim.end().channel->wants_transmit());
  victim.get(frame(FrameKind::kFinish, 1));
  CHECK_FALSE(victim.end().channel->wants_transmit());
}

TEST_CASE("message channel: data after the end is charged and dropped") {
  Victim victim;
  victim.get(open_frame(1, {"/echo/1"}));
  victim.get(frame(FrameKind::kFinish, 1));
  victim.get(frame(FrameKind::kFinish, 1));
  victim.get(frame(FrameKind::kData, 1, base::Bytes(100)));
  CHECK_FALSE(victim.reason());
  CHECK(victim.end().received.empty());
  victim.get(header(FrameKind::kData, 1, sim::kStreamWindow - 99));
  CHECK(victim.reason() == CloseReason::kProtocolViolation);
}

TEST_CASE("message channel: no more is sent than the remote gave credit for") {
  Victim victim;
  victim.get(open_frame(1, {"/echo/1"}));
  const base::Bytes block(300'000);
  std::size_t written = 0;
  victim.act([&](Channel& channel) { written = channel.write({1}, block, victim.pair.now); });
  CHECK(written == 256 * 1024);
  CHECK(victim.said().size() < written + 100);
  CHECK(victim.end().writable == std::vector{StreamId{1}});
  victim.act([&](Channel& channel) { CHECK(channel.write({1}, block, victim.pair.now) > 0); });
  CHECK_FALSE(victim.end().channel->wants_transmit());
  victim.get(frame(FrameKind::kCredit, 1, number(10)));
  CHECK(victim.said() == frame(FrameKind::kData, 1, base::Bytes(10)));
}

TEST_CASE("message channel: streams opened without end, by a remote that does not read") {
  PairOptions options;
  options.config.max_inbound_streams = 4;
  options.config.max_pending_refusals = 3;
  for (const char* protocol : {"/echo/1", "/none"}) {
    for (const bool reset_each : {false, true}) {
      CAPTURE(protocol);
      CAPTURE(reset_each);
      Victim victim{options};
      std::uint64_t opened = 0;
      for (; !victim.reason() && opened < 100; ++opened) {
        victim.get(open_frame(1 + 2 * opened, {protocol}));
        if (!reset_each || victim.end().opened.empty() || victim.reason()) continue;
        const StreamId last = victim.end().opened.back().stream;
        victim.act([&](Channel& channel) { channel.reset(last, victim.pair.now); });
      }
      CHECK(victim.reason() == CloseReason::kFlooded);
      CHECK(opened == 8);
    }
  }
  // One that reads may go on for ever.
  Victim victim{options};
  for (std::uint64_t i = 0; i < 100; ++i) {
    victim.get(open_frame(1 + 2 * i, {"/none"}));
    CHECK(victim.said() == frame(FrameKind::kRefuse, 1 + 2 * i));
  }
  CHECK_FALSE(victim.reason());
}
