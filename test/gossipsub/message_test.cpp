#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "router_fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Offence;
using gossipsub::Verdict;
using test::Draft;
using Fixture = test::RouterFixture;

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
  const double before = score();
  CHECK(before < 0);
  remote.call([&](gossipsub::Engine& e) { e.peer_gone(test::peer_id(2), remote.now()); });
  CHECK_FALSE(engine.conduct(test::peer_id(2)));
  connect();
  CHECK(score() == before);
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
  CHECK(score() >= 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: our own message that comes back is not news, even when forgotten") {
  connect();
  Draft ours{.author = 1, .seqno = 1};
  send(ours.rpc());
  CHECK(asked().empty());
  CHECK(score() == 0);
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
