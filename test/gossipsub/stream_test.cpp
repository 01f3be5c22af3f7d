#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "router_fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using test::Draft;
using test::kTopic;
using Fixture = test::RouterFixture;

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
    e.peer_supports(test::peer_id(2), protocols, {connection::Direction::kInbound},
                    fixture.remote.now());
    e.peer_supports(test::peer_id(3), std::vector<std::string>{"/ipfs/ping/1.0.0"},
                    {connection::Direction::kInbound}, fixture.remote.now());
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
    e.peer_supports(test::peer_id(2), protocols, {connection::Direction::kInbound}, remote.now());
  });
  CHECK(remote.asked().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: streams that come into being too late are reset") {
  remote.call([&](gossipsub::Engine& e) {
    e.peer_supports(test::peer_id(2), std::vector<std::string>{"/meshsub/1.2.0"},
                    {connection::Direction::kInbound}, remote.now());
    e.peer_gone(test::peer_id(2), remote.now());
  });
  const auto stream = remote.begin_open();
  CHECK(remote.seen(stream).reset);
  CHECK(engine.stats().peers == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "gossipsub: a new inbound stream begins with what the peer subscribes to") {
  connect();
  send(gossipsub::encode_subscription(true, kTopic));
  CHECK(engine.mesh(kTopic).size() == 1);
  remote.close(inbound, connection::StreamEnd::kRemoteReset);
  inbound = remote.open("/meshsub/1.2.0");
  CHECK(engine.mesh(kTopic).empty());
  CHECK(engine.subscribers(kTopic).empty());
  CHECK(remote.take_events<gossipsub::PeerUnsubscribed>().size() == 1);
  send(gossipsub::encode_subscription(true, kTopic));
  CHECK(engine.mesh(kTopic).size() == 1);
}
