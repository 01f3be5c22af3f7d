#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "router_fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Verdict;
using test::Draft;
using test::kTopic;
using Fixture = test::RouterFixture;

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
    CHECK_FALSE(e.subscribe(std::string(257, 't'), remote.now()));
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
