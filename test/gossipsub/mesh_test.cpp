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

TEST_CASE_FIXTURE(Fixture, "gossipsub: it knows its topics and its peers', and what they speak") {
  connect({"/meshsub/1.1.0", "/floodsub/1.0.0"});
  CHECK(engine.protocol(test::peer_id(2)) == "/meshsub/1.1.0");
  CHECK_FALSE(engine.protocol(test::peer_id(3)));
  send(gossipsub::encode_subscription(true, "another"));
  CHECK(engine.topics() == std::vector<std::string>{"another", std::string{kTopic}});
  send(gossipsub::encode_subscription(false, "another"));
  CHECK(engine.topics() == std::vector<std::string>{std::string{kTopic}});
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: it says whose connection is worth keeping") {
  remote.call([&](gossipsub::Engine& e) { e.subscribe("other", remote.now()); });
  connect();
  const auto changes = [&] { return remote.take_events<gossipsub::MeshChanged>(); };
  send_control(gossipsub::encode_graft(kTopic));
  REQUIRE(changes().size() == 1);
  // Once for all topics.
  send_control(gossipsub::encode_graft("other"));
  send_control(gossipsub::encode_prune(kTopic, 60));
  CHECK(changes().empty());
  send_control(gossipsub::encode_prune("other", 60));
  const auto left = changes();
  REQUIRE(left.size() == 1);
  CHECK(left[0].peer == test::peer_id(2));
  CHECK_FALSE(left[0].joined);
  remote.pass(70s);
  REQUIRE(engine.mesh(kTopic).size() == 1);
  changes();
  remote.call([&](gossipsub::Engine& e) { e.peer_gone(test::peer_id(2), remote.now()); });
  REQUIRE(changes().size() == 1);
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
                      {connection::Direction::kInbound}, fixture.remote.now());
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
