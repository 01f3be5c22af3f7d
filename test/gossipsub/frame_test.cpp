#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "router_fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Offence;
using test::Draft;
using Fixture = test::RouterFixture;

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
