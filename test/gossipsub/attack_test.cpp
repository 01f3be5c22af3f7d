#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Offence;
using gossipsub::Verdict;

namespace {

constexpr std::string_view kTopic = "topic";

// A router whose only peer does as the test says.
struct Fixture {
  explicit Fixture(const gossipsub::Config& config = {})
      : engine(config, crypto, key, 1000, base::Prng{3}) {
    remote.call([&](gossipsub::Engine& e) { e.subscribe(kTopic, remote.now()); });
  }

  void connect(std::vector<std::string> protocols = {"/meshsub/1.2.0"},
               connection::Direction direction = connection::Direction::kInbound) {
    remote.call([&](gossipsub::Engine& e) {
      e.peer_supports(test::peer_id(2), protocols, direction, remote.now());
    });
    outbound = remote.accept_open();
    inbound = remote.open(protocols.front());
  }
  void send(base::BytesView rpc) { remote.send(inbound, base::encode_frame(rpc).view()); }
  void send_control(base::BytesView control) {
    remote.send(inbound, gossipsub::control_frame({}, control).view());
  }
  // What the engine has written since the last call, as one RPC each.
  std::vector<base::Bytes> written() {
    base::Buffer data = base::Buffer::copy_of(remote.seen(outbound).written);
    data.remove_prefix(read);
    read += data.size();
    std::vector<base::Bytes> frames;
    base::FrameDecoder decoder{1 << 20};
    for (;;) {
      const auto frame = decoder.take(data);
      REQUIRE(frame.has_value());
      if (!*frame) return frames;
      frames.push_back(base::to_bytes((*frame)->view()));
    }
  }
  std::size_t prunes_written() {
    std::size_t count = 0;
    for (const auto& frame : written()) count += gossipsub::decode_rpc(frame, {})->prune.size();
    return count;
  }
  std::size_t offences(Offence offence) {
    std::size_t count = 0;
    for (const auto& event : remote.take_events<gossipsub::Misbehaved>()) {
      CHECK(event.peer == test::peer_id(2));
      count += event.offence == offence ? 1 : 0;
    }
    return count;
  }
  double penalty() { return engine.conduct(test::peer_id(2))->penalty(); }
  std::vector<gossipsub::Validate> asked() { return remote.take_events<gossipsub::Validate>(); }

  test::SeededCrypto crypto{1};
  crypto::KeyPair key = test::key_pair(1);
  gossipsub::Engine engine;
  test::ScriptedPeer<gossipsub::Engine> remote{engine, test::peer_id(2)};
  connection::StreamRef outbound;
  connection::StreamRef inbound;
  std::size_t read = 0;
};

// A message as `author` signs it. `change` may spoil it before or after.
struct Draft {
  std::uint8_t author = 2;
  std::uint64_t seqno = 1;
  std::string data = "data";
  std::string topic{kTopic};

  [[nodiscard]] base::Bytes signed_message() const {
    const multiformats::PeerId from = test::peer_id(author);
    base::Bytes number(8);
    base::store_big_endian(number.data(), seqno);
    gossipsub::MessageView view;
    view.from = from.bytes();
    view.data = base::as_bytes(data);
    view.seqno = number;
    view.topic = topic;
    const auto signature = test::key_pair(author).sign(gossipsub::signed_bytes(view));
    view.signature = signature;
    return gossipsub::encode_message(view);
  }
  [[nodiscard]] base::Bytes rpc() const { return field(2, signed_message()); }

  static base::Bytes field(std::uint8_t number, base::BytesView contents) {
    base::Bytes out = {static_cast<std::uint8_t>(number << 3 | 2)};
    base::append_varint(out, contents.size());
    base::append(out, contents);
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "gossipsub: the first frame says what we subscribe to") {
  connect();
  const auto frames = written();
  REQUIRE(frames.size() == 1);
  const auto rpc = gossipsub::decode_rpc(frames[0], {});
  REQUIRE(rpc->subscriptions.size() == 1);
  CHECK(rpc->subscriptions[0].subscribe);
  CHECK(rpc->subscriptions[0].topic == kTopic);
  CHECK(remote.seen(inbound).writes == 0);
}

TEST_CASE("gossipsub: the best protocol in common is asked for, alone") {
  Fixture fixture;
  fixture.remote.call([&](gossipsub::Engine& e) {
    const std::vector<std::string> protocols = {"/floodsub/1.0.0", "/meshsub/1.0.0", "/x",
                                                "/meshsub/1.1.0", "/meshsub/9.9.9"};
    e.peer_supports(test::peer_id(2), protocols, connection::Direction::kInbound,
                    fixture.remote.now());
    e.peer_supports(test::peer_id(3), std::vector<std::string>{"/ipfs/ping/1.0.0"},
                    connection::Direction::kInbound, fixture.remote.now());
  });
  REQUIRE(fixture.remote.asked().size() == 1);
  CHECK(fixture.remote.asked()[0].protocols == std::vector<std::string>{"/meshsub/1.1.0"});
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a peer that opens a stream first is answered with one") {
  inbound = remote.open("/meshsub/1.1.0");
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols == std::vector<std::string>{"/meshsub/1.1.0"});
  outbound = remote.accept_open();
  send(gossipsub::encode_subscription(true, kTopic));
  CHECK(engine.mesh(kTopic) == std::vector<multiformats::PeerId>{test::peer_id(2)});
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a second inbound stream replaces the first") {
  connect();
  const auto second = remote.open("/meshsub/1.2.0");
  CHECK(remote.seen(inbound).reset);
  remote.send(second, base::encode_frame(Draft{}.rpc()).view());
  CHECK(asked().size() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: a lost stream is opened again, later and later, and not for ever") {
  connect();
  remote.answer_writes(false);
  remote.close(outbound, connection::StreamEnd::kRemoteReset);
  std::vector<base::Instant> opened;
  for (int second = 0; second < 600; ++second) {
    remote.pass(1s);
    if (remote.asked().empty()) continue;
    opened.push_back(remote.now());
    const auto stream = remote.begin_open();
    remote.close(stream, connection::StreamEnd::kRemoteReset);
  }
  CHECK(opened.size() == 5);
  CHECK(opened[4] - opened[3] > 2 * (opened[1] - opened[0]));
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a peer that refuses the protocol is not asked again") {
  connect();
  remote.close(outbound, connection::StreamEnd::kProtocolRefused);
  remote.pass(600s);
  CHECK(remote.asked().empty());
  const std::vector<std::string> protocols = {"/meshsub/1.0.0"};
  remote.call([&](gossipsub::Engine& e) {
    e.peer_supports(test::peer_id(2), protocols, connection::Direction::kInbound, remote.now());
  });
  CHECK(remote.asked().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: streams that come into being too late are reset") {
  remote.call([&](gossipsub::Engine& e) {
    e.peer_supports(test::peer_id(2), std::vector<std::string>{"/meshsub/1.2.0"},
                    connection::Direction::kInbound, remote.now());
    e.peer_gone(test::peer_id(2), remote.now());
  });
  const auto stream = remote.begin_open();
  CHECK(remote.seen(stream).reset);
  CHECK(engine.stats().peers == 0);
}

// Signatures.

TEST_CASE_FIXTURE(Fixture, "gossipsub: a signed message of anybody is put before the owner") {
  connect();
  send(Draft{.author = 9}.rpc());
  auto events = asked();
  REQUIRE(events.size() == 1);
  CHECK(events[0].message.author == test::peer_id(9));
  CHECK(events[0].message.source == test::peer_id(2));
  CHECK(remote.take_events<gossipsub::Delivered>().empty());
  remote.call([&](gossipsub::Engine& e) {
    e.report(events[0].token, Verdict::kAccept, remote.now());
    e.report(events[0].token, Verdict::kAccept, remote.now());
  });
  CHECK(remote.take_events<gossipsub::Delivered>().size() == 1);
  CHECK(engine.conduct(test::peer_id(2))->first_deliveries == 1);
}

TEST_CASE("gossipsub: what is not signed as it should be is nobody's message") {
  const base::Bytes good = Draft{}.signed_message();
  std::vector<base::Bytes> bad;
  const auto without = [&](auto&& spoil) {
    auto view = *gossipsub::decode_message(good, {});
    spoil(view);
    bad.push_back(gossipsub::encode_message(view));
  };
  const base::Bytes short_seqno(7);
  const multiformats::PeerId other_id = test::peer_id(3);
  const base::Bytes other_key = test::key_pair(3).public_key().encode();
  const base::Bytes garbage = {1, 2, 3};
  without([](auto& view) { view.from.reset(); });
  without([](auto& view) { view.seqno.reset(); });
  without([](auto& view) { view.signature.reset(); });
  without([](auto& view) { view.data.reset(); });
  without([&](auto& view) { view.seqno = short_seqno; });
  without([&](auto& view) { view.data = garbage; });
  without([&](auto& view) { view.from = garbage; });
  without([&](auto& view) { view.from = other_id.bytes(); });
  without([&](auto& view) { view.key = other_key; });
  without([&](auto& view) { view.key = garbage; });
  without([&](auto& view) { view.signature = garbage; });
  // An unknown field is signed as well.
  bad.push_back(good);
  base::append(bad.back(), base::Bytes{0x3a, 0x01, 0x00});
  for (const base::Bytes& message : bad) {
    Fixture fixture;
    fixture.connect();
    fixture.send(Draft::field(2, message));
    CHECK(fixture.asked().empty());
    CHECK(fixture.offences(Offence::kInvalidMessage) == 1);
    // It did not keep out the message that it pretended to be.
    fixture.remote.pass(10s);
    fixture.send(Draft::field(2, good));
    CHECK(fixture.asked().size() == 1);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: a key that matches the author is welcome, and so is an empty one") {
  connect();
  const base::Bytes message = Draft{}.signed_message();
  const base::Bytes key_bytes = test::key_pair(2).public_key().encode();
  auto view = *gossipsub::decode_message(message, {});
  view.key = key_bytes;
  send(Draft::field(2, gossipsub::encode_message(view)));
  CHECK(asked().size() == 1);
  const base::Bytes next = Draft{.seqno = 2}.signed_message();
  view = *gossipsub::decode_message(next, {});
  view.key = base::BytesView{};
  send(Draft::field(2, gossipsub::encode_message(view)));
  CHECK(asked().size() == 1);
}

TEST_CASE_FIXTURE(
    Fixture, "gossipsub: who keeps sending invalid messages is not read any more, for a while") {
  connect();
  base::Bytes rpc;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    base::Bytes message = Draft{.seqno = i}.signed_message();
    message[message.size() - 1] ^= 1;  // the signature is the last field
    base::append(rpc, Draft::field(2, message));
  }
  send(rpc);
  const std::size_t invalid = offences(Offence::kInvalidMessage);
  CHECK(invalid >= 3);
  CHECK(invalid <= 5);
  send(Draft{.seqno = 5000}.rpc());
  CHECK(asked().empty());
  remote.pass(60s);
  send(Draft{.seqno = 5000}.rpc());
  CHECK(asked().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: reconnecting does not clear the account") {
  connect();
  for (std::uint64_t i = 0; i < 5; ++i) {
    base::Bytes message = Draft{.seqno = i}.signed_message();
    message[message.size() - 1] ^= 1;
    send(Draft::field(2, message));
  }
  const double before = penalty();
  remote.call([&](gossipsub::Engine& e) { e.peer_gone(test::peer_id(2), remote.now()); });
  CHECK_FALSE(engine.conduct(test::peer_id(2)));
  connect();
  CHECK(penalty() == before);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a replayed message is delivered once") {
  connect();
  const base::Bytes rpc = Draft{}.rpc();
  for (int second = 0; second < 115; ++second) {
    send(rpc);
    remote.pass(1s);
  }
  const auto events = asked();
  REQUIRE(events.size() == 1);
  CHECK(engine.stats().duplicates == 114);
  CHECK(engine.conduct(test::peer_id(2))->penalty() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: our own message that comes back is not news, even when forgotten") {
  connect();
  Draft ours{.author = 1, .seqno = 1};
  send(ours.rpc());
  CHECK(asked().empty());
  CHECK(penalty() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: messages of topics that we do not subscribe to are dropped unread") {
  connect();
  for (std::uint64_t i = 0; i < 50; ++i) send(Draft{.seqno = i, .topic = "other"}.rpc());
  CHECK(asked().empty());
  CHECK(engine.stats().received == 0);
  CHECK(engine.stats().seen == 0);
}

TEST_CASE("gossipsub: messages that wait for a verdict are bounded, and may come again") {
  gossipsub::Config config;
  config.limits.max_pending_per_peer = 10;
  Fixture fixture{config};
  fixture.connect();
  for (std::uint64_t i = 0; i < 15; ++i) fixture.send(Draft{.seqno = i}.rpc());
  auto events = fixture.asked();
  REQUIRE(events.size() == 10);
  CHECK(fixture.engine.stats().pending == 10);
  CHECK(fixture.engine.stats().dropped == 5);
  for (const auto& event : events) {
    fixture.remote.call([&](gossipsub::Engine& e) {
      e.report(event.token, Verdict::kIgnore, fixture.remote.now());
    });
  }
  fixture.send(Draft{.seqno = 14}.rpc());
  CHECK(fixture.asked().size() == 1);
}

TEST_CASE("gossipsub: the bytes that wait for a verdict are bounded") {
  gossipsub::Config config;
  config.limits.max_pending_bytes = 100'000;
  Fixture fixture{config};
  fixture.connect();
  for (std::uint64_t i = 0; i < 100; ++i) {
    fixture.send(Draft{.seqno = i, .data = std::string(10'000, 'x')}.rpc());
  }
  CHECK(fixture.engine.stats().pending <= 10);
  CHECK(fixture.engine.stats().pending > 3);
}

// Frames.

TEST_CASE_FIXTURE(Fixture, "gossipsub: a frame above the limit is refused by its length") {
  connect();
  base::Bytes prefix;
  base::append_varint(prefix, 4 * 1024 * 1024);
  remote.send(inbound, prefix);
  CHECK(offences(Offence::kFrameTooLarge) == 1);
  CHECK(remote.seen(inbound).reset);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: 349,525 subscriptions in one frame") {
  connect();
  base::Bytes rpc;
  for (int i = 0; i < 349'525; ++i) base::append(rpc, base::Bytes{0x0a, 0x00});
  send(rpc);
  CHECK(offences(Offence::kTooManyEntries) == 1);
  CHECK(remote.seen(inbound).reset);
  CHECK(remote.take_events<gossipsub::PeerSubscribed>().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: the topics of a peer are bounded, however many frames it takes") {
  connect();
  for (int frame = 0; frame < 10; ++frame) {
    base::Bytes rpc;
    for (int i = 0; i < 1000; ++i) {
      base::append(rpc, gossipsub::encode_subscription(true, std::to_string(frame * 1000 + i)));
    }
    send(rpc);
  }
  CHECK(remote.take_events<gossipsub::PeerSubscribed>().size() == 512);
  remote.call([&](gossipsub::Engine& e) { e.peer_gone(test::peer_id(2), remote.now()); });
  CHECK(engine.subscribers("1").empty());
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: garbage ends the stream, and ends it sooner each time") {
  connect();
  for (int i = 0; i < 2; ++i) {
    send(base::Bytes{0xff, 0xff, 0xff});
    CHECK(offences(Offence::kMalformedFrame) == 1);
    CHECK(remote.seen(inbound).reset);
    inbound = remote.open("/meshsub/1.2.0");
  }
  send(Draft{}.rpc());
  CHECK(asked().empty());
  // A length that is no number.
  remote.send(inbound, base::Bytes(12, 0xff));
  CHECK(offences(Offence::kMalformedFrame) == 1);
  CHECK(remote.seen(inbound).reset);
}

// Meshes.

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: GRAFT for topics that we do not subscribe to costs nothing") {
  connect();
  written();
  for (int frame = 0; frame < 20; ++frame) {
    base::Bytes control;
    for (int i = 0; i < 2000; ++i) {
      base::append(control, gossipsub::encode_graft("unknown" + std::to_string(i)));
    }
    send_control(control);
  }
  CHECK(written().empty());
  CHECK(engine.stats().backoffs == 0);
  CHECK(engine.stats().queued_bytes == 0);
}

TEST_CASE_FIXTURE(
    Fixture, "gossipsub: GRAFT is obeyed, PRUNE too, and GRAFT during the backoff is punished") {
  connect();
  send_control(gossipsub::encode_graft(kTopic));
  CHECK(engine.mesh(kTopic).size() == 1);
  send_control(gossipsub::encode_prune(kTopic, 60));
  CHECK(engine.mesh(kTopic).empty());
  written();
  send_control(gossipsub::encode_graft(kTopic));
  CHECK(engine.mesh(kTopic).empty());
  CHECK(offences(Offence::kEarlyGraft) == 1);
  CHECK(prunes_written() == 1);
  // A flood of them is answered a few times only.
  base::Bytes control;
  for (int i = 0; i < 2000; ++i) base::append(control, gossipsub::encode_graft(kTopic));
  send_control(control);
  CHECK(prunes_written() < 12);
  // The backoff began anew with each; a peer that keeps it is welcome afterwards.
  remote.pass(59s);
  CHECK(engine.mesh(kTopic).empty());
  remote.pass(3s);
  CHECK(engine.mesh(kTopic).size() == 1);
}

TEST_CASE("gossipsub: a backoff at the maximum of its type, and an hour of heartbeats") {
  for (const std::uint64_t seconds :
       {UINT64_MAX, UINT64_MAX / 1'000'000'000, std::uint64_t{INT64_MAX},
        std::uint64_t{INT64_MAX} / 1'000'000'000, std::uint64_t{INT64_MAX} / 1'000'000'000 + 1}) {
    CAPTURE(seconds);
    Fixture fixture;
    fixture.connect();
    fixture.send(gossipsub::encode_subscription(true, kTopic));
    REQUIRE(fixture.engine.mesh(kTopic).size() == 1);
    // Protobuf's own encoding: our varints end at 63 bits.
    base::Bytes prune = {0x0a, 5, 't', 'o', 'p', 'i', 'c', 0x18};
    std::uint64_t rest = seconds;
    for (; rest >= 0x80; rest >>= 7) prune.push_back(static_cast<std::uint8_t>(rest | 0x80));
    prune.push_back(static_cast<std::uint8_t>(rest));
    fixture.send_control(Draft::field(4, prune));
    CHECK(fixture.engine.mesh(kTopic).empty());
    fixture.remote.pass(1h - 2s);
    CHECK(fixture.engine.mesh(kTopic).empty());
    CHECK(fixture.engine.stats().backoffs == 1);
    // No backoff lasts longer than an hour.
    fixture.remote.pass(5s);
    CHECK(fixture.engine.mesh(kTopic).size() == 1);
    CHECK(fixture.engine.stats().backoffs == 0);
  }
}

TEST_CASE("gossipsub: peers that came to us cannot fill the mesh beyond its bound") {
  Fixture fixture;
  fixture.connect();
  for (std::uint8_t peer = 3; peer < 40; ++peer) {
    fixture.remote.call([&](gossipsub::Engine& e) {
      e.peer_supports(test::peer_id(peer), std::vector<std::string>{"/meshsub/1.1.0"},
                      connection::Direction::kInbound, fixture.remote.now());
    });
    fixture.remote.accept_open();
    const connection::StreamRef stream{{100, 1}, {1000U + peer}};
    fixture.remote.tell(connection::stream_input::Opened{
        stream, test::peer_id(peer), connection::Direction::kInbound, "/meshsub/1.1.0"});
    fixture.remote.send(stream,
                        gossipsub::control_frame(gossipsub::encode_subscription(true, kTopic),
                                                 gossipsub::encode_graft(kTopic))
                            .view());
  }
  CHECK(fixture.engine.mesh(kTopic).size() == 12);
  CHECK(fixture.engine.stats().backoffs == 25);
}

TEST_CASE("gossipsub: backoffs are bounded") {
  gossipsub::Config config;
  config.limits.max_backoffs_per_topic = 5;
  Fixture fixture{config};
  for (std::uint8_t peer = 3; peer < 40; ++peer) {
    const connection::StreamRef stream{{100, 1}, {1000U + peer}};
    fixture.remote.tell(connection::stream_input::Opened{
        stream, test::peer_id(peer), connection::Direction::kInbound, "/meshsub/1.1.0"});
    fixture.remote.send(stream,
                        gossipsub::control_frame({}, gossipsub::encode_prune(kTopic, 60)).view());
  }
  CHECK(fixture.engine.stats().backoffs == 5);
}

// Gossip.

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: IHAVE is answered within limits, and promises are kept track of") {
  connect();
  written();
  std::uint64_t next = 0;
  const auto advertise = [&] {
    std::vector<base::Bytes> ids;
    for (int i = 0; i < 1000; ++i) {
      base::Bytes id(20);
      base::store_big_endian(id.data(), next++);
      ids.push_back(id);
    }
    send_control(gossipsub::encode_ihave(kTopic, ids));
  };
  for (int frame = 0; frame < 30; ++frame) advertise();
  std::size_t asked_for = 0;
  for (const auto& frame : written()) {
    CHECK(frame.size() <= 16 * 1024);
    asked_for += gossipsub::decode_rpc(frame, {})->iwant.size();
  }
  CHECK(asked_for == 5000);
  // It advertised what it does not send.
  remote.pass(5s);
  CHECK(offences(Offence::kBrokenPromise) == 5);
  advertise();
  for (const auto& frame : written()) CHECK(gossipsub::decode_rpc(frame, {})->iwant.empty());
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a promise that is kept, by whomever, is no offence") {
  connect();
  const Draft draft;
  base::Bytes id = base::to_bytes(test::peer_id(2).bytes());
  base::append(id, base::Bytes{0, 0, 0, 0, 0, 0, 0, 1});
  send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{id}));
  send(draft.rpc());
  CHECK(asked().size() == 1);
  remote.pass(10s);
  CHECK(offences(Offence::kBrokenPromise) == 0);
  written();
  // And what we have is not asked for.
  send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{id}));
  CHECK(written().empty());
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a message is sent three times on request, and no more") {
  connect();
  gossipsub::MessageId id;
  remote.call([&](gossipsub::Engine& e) {
    id = e.publish(kTopic, base::as_bytes("wanted"), remote.now()).value();
  });
  written();
  std::size_t sent = 0;
  for (int i = 0; i < 100; ++i) {
    send_control(gossipsub::encode_iwant(std::vector<base::Bytes>{id, id, {1, 2, 3}}));
    for (const auto& frame : written()) sent += gossipsub::decode_rpc(frame, {})->messages.size();
  }
  CHECK(sent == 3);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: the ids looked up for one peer are bounded each heartbeat") {
  connect();
  gossipsub::MessageId id;
  remote.call([&](gossipsub::Engine& e) {
    id = e.publish(kTopic, base::as_bytes("wanted"), remote.now()).value();
  });
  written();
  const std::vector<base::Bytes> unknown(5000, base::Bytes{1, 2, 3});
  send_control(gossipsub::encode_iwant(unknown));
  send_control(gossipsub::encode_iwant(std::vector<base::Bytes>{id}));
  CHECK(written().empty());
  remote.pass(1s);
  send_control(gossipsub::encode_iwant(std::vector<base::Bytes>{id}));
  CHECK(written().size() == 1);
}

TEST_CASE_FIXTURE(
    Fixture, "gossipsub: IDONTWANT is obeyed for a few heartbeats, and a bounded number of them") {
  connect();
  send(gossipsub::encode_subscription(true, kTopic));
  send(gossipsub::encode_subscription(true, "x"));
  written();
  const auto id_of = [](std::uint64_t seqno) {
    base::Bytes id = base::to_bytes(test::peer_id(1).bytes());
    id.resize(id.size() + 8);
    base::store_big_endian(id.data() + id.size() - 8, seqno);
    return id;
  };
  const auto publish = [&] {
    remote.call([&](gossipsub::Engine& e) {
      REQUIRE(e.publish(kTopic, base::as_bytes("x"), remote.now()).has_value());
    });
    return written().size();
  };
  send_control(gossipsub::encode_idontwant(std::vector<base::Bytes>{id_of(1000)}));
  CHECK(publish() == 0);
  CHECK(publish() == 1);
  send_control(gossipsub::encode_idontwant(std::vector<base::Bytes>{id_of(1002)}));
  remote.pass(5s);
  written();
  CHECK(publish() == 1);
  // A flood fills its allowance: what comes after is not noted.
  std::vector<base::Bytes> flood;
  for (std::uint64_t i = 0; i < 1000; ++i) flood.push_back(id_of(1'000'000 + i));
  flood.push_back(id_of(1003));
  send_control(gossipsub::encode_idontwant(flood));
  CHECK(publish() == 1);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: what is queued when IDONTWANT comes is not sent") {
  connect();
  send(gossipsub::encode_subscription(true, kTopic));
  written();
  remote.answer_writes(false);
  gossipsub::MessageId last;
  for (int i = 0; i < 3; ++i) {
    remote.call([&](gossipsub::Engine& e) {
      last = e.publish(kTopic, base::as_bytes("x"), remote.now()).value();
    });
  }
  CHECK(written().size() == 2);
  send_control(gossipsub::encode_idontwant(std::vector<base::Bytes>{last}));
  remote.answer_writes(true);
  CHECK(written().empty());
  CHECK(engine.stats().unwanted == 1);
}

// Queues.

TEST_CASE("gossipsub: a peer that leaves control messages unread loses its stream") {
  gossipsub::Config config;
  config.limits.max_queued_control = 1000;
  Fixture fixture{config};
  fixture.connect();
  fixture.remote.answer_writes(false);
  for (int i = 0; i < 200; ++i) {
    fixture.remote.call([&](gossipsub::Engine& e) {
      e.subscribe("topic number " + std::to_string(i), fixture.remote.now());
    });
  }
  CHECK(fixture.remote.seen(fixture.outbound).reset);
  const auto events = fixture.remote.take_events<gossipsub::SlowPeer>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].reset);
  CHECK(fixture.engine.stats().queued_bytes <= 1000);
}

TEST_CASE("gossipsub: what waits for a slow reader is bounded, own messages before others'") {
  gossipsub::Config config;
  config.limits.max_queued_messages = 50'000;
  Fixture fixture{config};
  fixture.connect();
  fixture.send(gossipsub::encode_subscription(true, kTopic));
  fixture.written();
  fixture.remote.answer_writes(false);
  // Others' messages first, by way of a second peer.
  const connection::StreamRef other{{100, 1}, {1000}};
  fixture.remote.tell(connection::stream_input::Opened{
      other, test::peer_id(3), connection::Direction::kInbound, "/meshsub/1.1.0"});
  const auto forward = [&](std::uint64_t seqno) {
    const Draft draft{.author = 3, .seqno = seqno, .data = std::string(5000, 'f')};
    fixture.remote.send(other, base::encode_frame(draft.rpc()).view());
    for (const auto& event : fixture.asked()) {
      fixture.remote.call([&](gossipsub::Engine& e) {
        e.report(event.token, Verdict::kAccept, fixture.remote.now());
      });
    }
  };
  for (std::uint64_t i = 0; i < 100; ++i) forward(i);
  CHECK(fixture.engine.stats().queued_bytes <= 50'000);
  CHECK(fixture.engine.stats().queued_bytes >= 40'000);
  for (int i = 0; i < 5; ++i) {
    fixture.remote.call([&](gossipsub::Engine& e) {
      const std::string data(5000, 'o');
      REQUIRE(e.publish(kTopic, base::as_bytes(data), fixture.remote.now()).has_value());
    });
  }
  CHECK(fixture.engine.stats().queued_bytes <= 50'000);
  fixture.written();
  fixture.remote.answer_writes(true);
  std::string order;
  for (const auto& frame : fixture.written()) {
    const auto rpc = *gossipsub::decode_rpc(frame, {});
    for (const auto& message : rpc.messages) {
      order.push_back(static_cast<char>(message.data->front()));
    }
  }
  CHECK(order.substr(0, 5) == "ooooo");
  CHECK(order.substr(5).find_first_not_of('f') == std::string::npos);
  CHECK(order.size() <= 10);
  CHECK(order.size() >= 8);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: what is too large to publish is an error") {
  remote.call([&](gossipsub::Engine& e) {
    const std::string data(1024 * 1024, 'x');
    CHECK(e.publish(kTopic, base::as_bytes(data), remote.now()) ==
          std::unexpected(gossipsub::PublishError::kTooLarge));
    CHECK(e.publish(kTopic, base::as_bytes(data).first(data.size() - 100), remote.now()) ==
          std::unexpected(gossipsub::PublishError::kTooLarge));
    CHECK(e.publish(kTopic, base::as_bytes(data).first(data.size() - 300), remote.now()));
    CHECK(e.publish(std::string(257, 't'), {}, remote.now()) ==
          std::unexpected(gossipsub::PublishError::kTopicTooLong));
  });
}

TEST_CASE("gossipsub: peers are bounded") {
  gossipsub::Config config;
  config.limits.max_peers = 3;
  Fixture fixture{config};
  for (std::uint8_t peer = 2; peer < 10; ++peer) {
    fixture.remote.tell(connection::stream_input::Opened{{{100, 1}, {1000U + peer}},
                                                         test::peer_id(peer),
                                                         connection::Direction::kInbound,
                                                         "/meshsub/1.1.0"});
  }
  CHECK(fixture.engine.stats().peers == 3);
  CHECK(fixture.remote.seen({{100, 1}, {1009}}).reset);
}
