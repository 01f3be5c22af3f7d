#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "router_fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Offence;
using test::Draft;
using test::kTopic;
using Fixture = test::RouterFixture;

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

namespace {

base::Bytes stamp(std::uint8_t author, std::uint8_t seqno) {
  base::Bytes id = base::to_bytes(test::peer_id(author).bytes());
  base::append(id, base::Bytes{0, 0, 0, 0, 0, 0, 0, seqno});
  return id;
}

}  // namespace

TEST_CASE("gossipsub: a promised message for which we have no room is no broken promise") {
  gossipsub::Config config;
  config.limits.max_pending = 1;
  Fixture fixture{config};
  fixture.connect();
  fixture.send(Draft{.seqno = 1}.rpc());  // the owner takes its time
  fixture.send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{stamp(2, 2)}));
  fixture.send(Draft{.seqno = 2}.rpc());
  CHECK(fixture.engine.stats().dropped == 1);
  fixture.remote.pass(10s);
  CHECK(fixture.offences(Offence::kBrokenPromise) == 0);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: who brings our own forgotten message has kept its promise") {
  connect();
  send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{stamp(1, 1)}));
  send(Draft{.author = 1, .seqno = 1}.rpc());
  remote.pass(10s);
  CHECK(offences(Offence::kBrokenPromise) == 0);
  written();
  // It is not asked for twice, nor is its signature checked again.
  send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{stamp(1, 1)}));
  CHECK(written().empty());
  send(Draft{.author = 1, .seqno = 1}.rpc());
  CHECK(engine.stats().duplicates == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: nobody is to blame for a topic that we have left meanwhile") {
  connect();
  send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{stamp(2, 1)}));
  remote.call([&](gossipsub::Engine& e) { e.unsubscribe(kTopic, remote.now()); });
  send(Draft{.seqno = 1}.rpc());
  remote.pass(10s);
  CHECK(offences(Offence::kBrokenPromise) == 0);
}

TEST_CASE("gossipsub: nobody is to blame for a request that was not sent") {
  gossipsub::Config config;
  SUBCASE("for want of room") {
    config.limits.max_queued_gossip = 10;
  }
  SUBCASE("for want of a stream") {}
  Fixture fixture{config};
  fixture.connect();
  if (config.limits.max_queued_gossip > 10) {
    fixture.remote.close(fixture.outbound, connection::StreamEnd::kRemoteReset);
  }
  fixture.send_control(gossipsub::encode_ihave(kTopic, std::vector<base::Bytes>{stamp(2, 1)}));
  fixture.remote.pass(10s);
  CHECK(fixture.offences(Offence::kBrokenPromise) == 0);
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
  CHECK(engine.stats().idontwant == 2 + 1000);
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
