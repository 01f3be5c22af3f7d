#include <chrono>

#include "../support/stream_pair.hpp"
#include "fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using connection::StreamEnd;
using identify::Error;
using identify::Info;
using Fixture = test::IdentifyFixture;

namespace {

Info changed(const std::string& agent) {
  Info info = test::info_of(1);
  info.agent_version = agent;
  return info;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "push: a change is told to a peer that takes pushes") {
  connect_and_identify();
  set_local(changed("new"));
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols == std::vector<std::string>{"/ipfs/id/push/1.0.0"});
  CHECK(remote.asked()[0].connection == kConnection);
  const auto stream = remote.begin_open();
  CHECK(test::read_info(remote.seen(stream).written).agent_version == "new");
  CHECK(test::read_info(remote.seen(stream).written).observed_addr);
  CHECK_FALSE(remote.seen(stream).finished);
  remote.agree(stream);
  CHECK(remote.seen(stream).finished);
  remote.finish(stream);
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "push: nothing is told without a change, or to a peer that takes none") {
  connect_and_identify();
  set_local(test::info_of(1));
  CHECK(remote.asked().empty());
  remote.call([](identify::Engine& e) { e.disconnected(kConnection); });

  Info without_push = test::info_of(2);
  without_push.protocols = {"/ipfs/id/1.0.0"};
  connect_and_identify(without_push);
  set_local(changed("new"));
  CHECK(remote.asked().empty());
}

TEST_CASE_FIXTURE(Fixture, "push: changes in quick succession are told together") {
  connect_and_identify();
  set_local(changed("1"));
  const auto first = remote.accept_open();
  remote.close(first, StreamEnd::kClosed);
  set_local(changed("2"));
  set_local(changed("3"));
  CHECK(remote.asked().empty());
  remote.pass(5s);
  REQUIRE(remote.asked().size() == 1);
  const auto second = remote.accept_open();
  CHECK(test::read_info(remote.seen(second).written).agent_version == "3");
  remote.close(second, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "push: a peer that has asked since knows already") {
  connect_and_identify();
  set_local(changed("1"));
  remote.close(remote.accept_open(), StreamEnd::kClosed);
  set_local(changed("2"));
  const auto question = remote.open(identify::kProtocol);
  CHECK(test::read_info(remote.seen(question).written).agent_version == "2");
  remote.pass(5s);
  CHECK(remote.asked().empty());
}

TEST_CASE_FIXTURE(Fixture, "push: a change before the peer is known is told afterwards") {
  connect();
  set_local(changed("new"));
  CHECK(remote.asked().size() == 1);  // our question only
  const auto stream = remote.accept_open();
  remote.send(stream, test::framed(test::info_of(2)));
  remote.finish(stream);
  REQUIRE(remote.asked().size() == 1);
  CHECK(remote.asked()[0].protocols.front() == identify::kPushProtocol);
}

TEST_CASE_FIXTURE(Fixture, "push: a peer that refuses is not told again") {
  connect_and_identify();
  set_local(changed("1"));
  remote.close(remote.begin_open(), StreamEnd::kProtocolRefused);
  remote.pass(1min);
  set_local(changed("2"));
  CHECK(remote.asked().empty());
  CHECK(remote.no_events());
}

TEST_CASE_FIXTURE(Fixture, "push: a peer that does not read or close is reset") {
  connect_and_identify();
  remote.answer_writes(false);
  set_local(changed("1"));
  const auto stream = remote.accept_open();
  remote.pass(10s);
  CHECK(remote.seen(stream).reset);
  CHECK(remote.no_events());
  CHECK_FALSE(remote.deadline());
}

TEST_CASE("push: few at a time, and everybody gets a turn") {
  identify::Engine engine{{.max_pushes_at_once = 3}, test::info_of(1)};
  test::ScriptedPeer<identify::Engine> remote{engine, test::peer_id(2)};
  for (std::uint32_t i = 0; i < 10; ++i) {
    remote.call([&](identify::Engine& e) {
      e.connected({i, 5}, test::peer_id(2), test::address("/ip4/192.0.2.1/tcp/1"), remote.now());
    });
    const connection::OpenToken token = remote.asked().at(0).token;
    remote.asked().clear();
    const connection::StreamRef stream{{i, 5}, {1}};
    remote.tell(connection::stream_input::Opening{token, stream});
    remote.send(stream, test::framed(test::info_of(2)));
    remote.finish(stream);
    remote.close(stream, StreamEnd::kClosed);
  }
  remote.call([&](identify::Engine& e) { e.set_local(changed("new"), remote.now()); });
  CHECK(remote.asked().size() == 3);
  // One that went away is passed over.
  remote.call([&](identify::Engine& e) { e.disconnected({5, 5}); });
  std::size_t pushed = 0;
  while (!remote.asked().empty()) {
    CHECK(remote.asked().size() <= 3);
    const auto stream = remote.accept_open();
    CHECK(test::read_info(remote.seen(stream).written).agent_version == "new");
    remote.close(stream, StreamEnd::kClosed);
    ++pushed;
  }
  CHECK(pushed == 9);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "pushed: the peer tells us what has changed") {
  connect_and_identify();
  const auto stream = remote.open(identify::kPushProtocol);
  Info news;
  news.listen_addrs = {test::address("/ip4/192.0.2.9/tcp/9")};
  remote.send(stream, test::framed(news));
  remote.finish(stream);
  const auto events = remote.take_events<identify::Pushed>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].connection == kConnection);
  CHECK(events[0].peer == test::peer_id(2));
  CHECK(events[0].info == news);  // what is absent has not changed
  CHECK(remote.seen(stream).finished);
  CHECK(remote.seen(stream).written.empty());
  remote.close(stream, StreamEnd::kClosed);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "pushed: a peer may begin or stop to take pushes itself") {
  Info without_push = test::info_of(2);
  without_push.protocols = {"/ipfs/id/1.0.0"};
  connect_and_identify(without_push);
  const auto push = [&](std::vector<std::string> protocols) {
    const auto stream = remote.open(identify::kPushProtocol);
    Info news;
    news.protocols = std::move(protocols);
    remote.send(stream, test::framed(news));
    remote.finish(stream);
    remote.close(stream, StreamEnd::kClosed);
  };
  push({"/ipfs/id/push/1.0.0"});
  push({});  // says nothing about protocols
  set_local(changed("1"));
  CHECK(remote.asked().size() == 1);
  remote.close(remote.accept_open(), StreamEnd::kClosed);
  push({"/other"});
  remote.pass(1min);
  set_local(changed("2"));
  CHECK(remote.asked().empty());
}

TEST_CASE_FIXTURE(Fixture, "pushed: bad pushes are dropped with a reason") {
  connect_and_identify();
  auto stream = remote.open(identify::kPushProtocol);
  remote.send(stream, base::Bytes{1, 0xff});
  check_dropped(stream, Error::kMalformed);
  remote.close(stream, StreamEnd::kLocalReset);

  stream = remote.open(identify::kPushProtocol);
  Info other = test::info_of(3);
  remote.send(stream, test::framed(other));
  remote.finish(stream);
  check_dropped(stream, Error::kBadKey);
  remote.close(stream, StreamEnd::kLocalReset);

  stream = remote.open(identify::kPushProtocol);
  remote.pass(10s);
  check_dropped(stream, Error::kTimeout);
  remote.close(stream, StreamEnd::kLocalReset);
  CHECK_FALSE(remote.deadline());
}

TEST_CASE_FIXTURE(Fixture, "pushed: a burst is taken, a flood is not") {
  connect_and_identify();
  const auto push = [&] {
    const auto stream = remote.open(identify::kPushProtocol);
    if (remote.seen(stream).reset) return stream;
    remote.send(stream, test::framed(test::info_of(2)));
    remote.finish(stream);
    remote.close(stream, StreamEnd::kClosed);
    return stream;
  };
  for (int i = 0; i < 4; ++i) push();
  CHECK(remote.take_events<identify::Pushed>().size() == 4);
  check_dropped(push(), Error::kTooManyPushes);
  remote.pass(5s);
  push();
  CHECK(remote.take_events<identify::Pushed>().size() == 1);
  check_dropped(push(), Error::kTooManyPushes);
  remote.pass(1h);
  for (int i = 0; i < 4; ++i) push();
  CHECK(remote.take_events<identify::Pushed>().size() == 4);
  check_dropped(push(), Error::kTooManyPushes);
}

TEST_CASE("push: a change reaches the other engine") {
  identify::Engine a{{}, test::info_of(1)};
  identify::Engine b{{}, test::info_of(2)};
  test::StreamPair<identify::Engine> pair{a, b, {test::peer_id(1), test::peer_id(2)}};
  for (std::size_t side = 0; side < 2; ++side) {
    pair.call(side, [&](identify::Engine& e) {
      e.connected(pair.connection(side), test::peer_id(side == 0 ? 2 : 1),
                  test::address("/ip4/192.0.2.1/tcp/1"), pair.now());
    });
  }
  pair.run();
  pair.call(0, [&](identify::Engine& e) { e.set_local(changed("new"), pair.now()); });
  pair.run();
  const auto pushed = pair.take_events<identify::Pushed>(1);
  REQUIRE(pushed.size() == 1);
  CHECK(pushed[0].info.agent_version == "new");
  CHECK(pair.open_streams() == 0);
}
