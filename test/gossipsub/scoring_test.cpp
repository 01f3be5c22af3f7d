// What a score leads to.

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../src/gossipsub/signing.hpp"
#include "router_fixture.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using gossipsub::Offence;
using gossipsub::Verdict;
using test::Draft;
using test::kTopic;
using Fixture = test::RouterFixture;

namespace {

multiformats::IpAddress ip(std::uint8_t a, std::uint8_t d) {
  return multiformats::IpAddress::v4(std::array<std::uint8_t, 4>{a, 1, 1, d});
}

/// A router with as many peers as a test likes, each with a stream of its own.
struct Crowd : Fixture {
  explicit Crowd(const gossipsub::Config& config = {}) : Fixture(config) {}

  void join(std::uint8_t peer, connection::Direction direction = connection::Direction::kInbound,
            std::optional<multiformats::IpAddress> address = {}, base::BytesView record = {}) {
    const std::vector<std::string> protocols{"/meshsub/1.1.0"};
    remote.call([&](gossipsub::Engine& e) {
      e.peer_supports(test::peer_id(peer), protocols, {direction, address, record}, remote.now());
    });
    outbound_of[peer] = remote.accept_open();
    remote.tell(connection::stream_input::Opened{
        stream(peer), test::peer_id(peer), connection::Direction::kInbound, protocols.front()});
  }
  void say(std::uint8_t peer, base::BytesView rpc) {
    remote.send(stream(peer), base::encode_frame(rpc).view());
  }
  void control(std::uint8_t peer, base::BytesView field) {
    remote.send(stream(peer), gossipsub::control_frame({}, field).view());
  }
  void subscribe(std::uint8_t peer) { say(peer, gossipsub::encode_subscription(true, kTopic)); }
  void graft(std::uint8_t peer) { control(peer, gossipsub::encode_graft(kTopic)); }
  void rate(std::uint8_t peer, double score) {
    remote.call([&](gossipsub::Engine& e) {
      e.set_application_score(test::peer_id(peer), score, remote.now());
    });
  }
  void answer(Verdict verdict) {
    for (const auto& event : asked()) {
      remote.call([&](gossipsub::Engine& e) { e.report(event.token, verdict, remote.now()); });
    }
  }
  bool in_mesh(std::uint8_t peer) {
    const auto mesh = engine.mesh(kTopic);
    return std::ranges::find(mesh, test::peer_id(peer)) != mesh.end();
  }
  double score_of(std::uint8_t peer) { return *engine.score(test::peer_id(peer)); }
  // The RPCs that were written to a peer.
  std::vector<base::Bytes> written_to(std::uint8_t peer) {
    base::Buffer data = base::Buffer::copy_of(remote.seen(outbound_of.at(peer)).written);
    std::vector<base::Bytes> frames;
    base::FrameDecoder decoder{1 << 20};
    for (;;) {
      const auto frame = decoder.take(data);
      REQUIRE(frame.has_value());
      if (!*frame) return frames;
      frames.push_back(base::to_bytes((*frame)->view()));
    }
  }
  std::size_t messages_to(std::uint8_t peer) {
    std::size_t count = 0;
    for (const auto& f : written_to(peer)) count += gossipsub::decode_rpc(f, {})->messages.size();
    return count;
  }

  static connection::StreamRef stream(std::uint8_t peer) { return {{100, 1}, {1000U + peer}}; }
  std::map<std::uint8_t, connection::StreamRef> outbound_of;
};

}  // namespace

TEST_CASE_FIXTURE(Crowd, "gossipsub: below zero a peer is in no mesh, at zero it may come back") {
  join(3);
  graft(3);
  REQUIRE(in_mesh(3));
  rate(3, -1);
  remote.pass(1s);
  CHECK_FALSE(in_mesh(3));
  remote.pass(70s);  // the backoff is over
  CHECK_FALSE(in_mesh(3));
  graft(3);
  CHECK_FALSE(in_mesh(3));
  remote.pass(70s);
  rate(3, 0);
  remote.pass(2s);
  CHECK(in_mesh(3));
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: below the gossip threshold nothing is asked and answered") {
  join(3);
  subscribe(3);
  const std::vector<base::Bytes> ids{base::Bytes(20, 7)};
  const auto wants = [&] {
    std::size_t count = 0;
    for (const auto& f : written_to(3)) count += gossipsub::decode_rpc(f, {})->iwant.size();
    return count;
  };
  rate(3, -11);
  control(3, gossipsub::encode_ihave(kTopic, ids));
  CHECK(wants() == 0);
  rate(3, -9);
  control(3, gossipsub::encode_ihave(kTopic, ids));
  CHECK(wants() == 1);
}

TEST_CASE_FIXTURE(Crowd,
                  "gossipsub: below the publish threshold a peer does not get our messages") {
  join(3);
  subscribe(3);
  const auto publish = [&](std::string_view text) {
    remote.call([&](gossipsub::Engine& e) {
      REQUIRE(e.publish(kTopic, base::as_bytes(text), remote.now()).has_value());
    });
  };
  rate(3, -51);
  publish("one");
  CHECK(messages_to(3) == 0);
  rate(3, -49);
  publish("two");
  CHECK(messages_to(3) == 1);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: below the graylist threshold nothing of a peer is read") {
  join(3);
  rate(3, -81);
  say(3, Draft{.author = 9}.rpc());
  subscribe(3);
  CHECK(asked().empty());
  CHECK(engine.subscribers(kTopic).empty());
  rate(3, 0);
  say(3, Draft{.author = 9}.rpc());
  CHECK(asked().size() == 1);
}

TEST_CASE("gossipsub: no score is held against a direct peer") {
  gossipsub::Config config;
  config.direct_peers = {test::peer_id(3)};
  Crowd crowd{config};
  crowd.join(3);
  crowd.rate(3, -1000);
  crowd.say(3, Draft{.author = 9}.rpc());
  CHECK(crowd.asked().size() == 1);
  CHECK(crowd.score_of(3) == 0);
  CHECK(crowd.engine.scores(crowd.remote.now()).at(0).score == 0);
}

TEST_CASE_FIXTURE(Crowd,
                  "gossipsub: many peers at one public address lose by it, until they leave") {
  for (std::uint8_t peer = 3; peer < 13; ++peer) {
    join(peer, connection::Direction::kInbound, ip(50, 1));
  }
  CHECK(score_of(3) == 0);
  join(13, connection::Direction::kInbound, ip(50, 1));
  join(14, connection::Direction::kInbound, ip(50, 2));
  CHECK(score_of(13) == -10);
  remote.pass(2s);
  CHECK(score_of(3) == -10);
  CHECK(score_of(14) == 0);
  const auto scores = engine.scores(remote.now());
  CHECK(std::ranges::count_if(scores, [](const auto& s) { return s.colocation.counted == 11; }) ==
        11);
  remote.call([&](gossipsub::Engine& e) { e.peer_gone(test::peer_id(13), remote.now()); });
  remote.pass(2s);
  CHECK(score_of(3) == 0);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: an address of IPv6 is a /64, and private ones are nobody's") {
  for (std::uint8_t peer = 3; peer < 30; ++peer) {
    join(peer, connection::Direction::kInbound, ip(10, 1));
  }
  CHECK(score_of(29) == 0);
  for (std::uint8_t peer = 30; peer < 41; ++peer) {
    std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb9};
    bytes[15] = peer;
    join(peer, connection::Direction::kInbound, multiformats::IpAddress::v6(bytes));
  }
  CHECK(score_of(40) == -10);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: whoever passes on a rejected message pays, also afterwards") {
  for (std::uint8_t peer = 3; peer <= 5; ++peer) join(peer);
  const base::Bytes rpc = Draft{.author = 9}.rpc();
  say(3, rpc);
  say(4, rpc);  // before the verdict
  CHECK(score_of(4) == 0);
  answer(Verdict::kReject);
  CHECK(score_of(3) == -20);
  CHECK(score_of(4) == -20);
  say(5, rpc);
  CHECK(score_of(5) == -20);
  CHECK(engine.conduct(test::peer_id(5))->invalid_messages == 1);
}

TEST_CASE(
    "gossipsub: a spoilt message under the id of a good one brings no blame on the good one") {
  gossipsub::Config config;
  // An id that does not cover all of the data, like that of a signed envelope's payload.
  config.topics[std::string{kTopic}].message_id = [](const gossipsub::MessageFields& fields) {
    return base::to_bytes(fields.data.first(std::min<std::size_t>(4, fields.data.size())));
  };
  Crowd crowd{config};
  for (std::uint8_t peer = 3; peer <= 6; ++peer) crowd.join(peer);
  const base::Bytes spoilt = Draft{.author = 3, .seqno = 1, .data = "news, spoilt"}.rpc();
  const base::Bytes good = Draft{.author = 9, .seqno = 1, .data = "news, good"}.rpc();
  crowd.say(3, spoilt);
  crowd.say(4, good);
  crowd.say(5, spoilt);
  crowd.answer(Verdict::kReject);
  CHECK(crowd.score_of(3) == -20);
  CHECK(crowd.score_of(4) == 0);
  CHECK(crowd.score_of(5) == -20);
  crowd.say(6, good);
  CHECK(crowd.score_of(6) == 0);
  crowd.say(6, spoilt);
  CHECK(crowd.score_of(6) == -20);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: an ignored message is nobody's fault") {
  join(3);
  say(3, Draft{.author = 9}.rpc());
  answer(Verdict::kIgnore);
  say(3, Draft{.author = 9}.rpc());
  CHECK(score_of(3) == 0);
}

TEST_CASE("gossipsub: what was brought while it was judged, or just after, counts as delivered") {
  gossipsub::Config config;
  auto& topic = config.topics[std::string{kTopic}].score;
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_window = 50ms;
  Crowd crowd{config};
  for (std::uint8_t peer = 3; peer <= 6; ++peer) {
    crowd.join(peer);
    crowd.graft(peer);
  }
  const auto delivered = [&](std::uint8_t peer) {
    for (const auto& score : crowd.engine.scores(crowd.remote.now())) {
      if (score.peer == test::peer_id(peer)) return score.topics.at(0).mesh_deliveries.counted;
    }
    return -1.0;
  };
  const base::Bytes rpc = Draft{.author = 9}.rpc();
  crowd.say(3, rpc);
  crowd.say(4, rpc);
  crowd.answer(Verdict::kAccept);
  for (int i = 0; i < 5; ++i) crowd.say(5, rpc);  // again and again is still once
  crowd.remote.pass(51ms);
  crowd.say(6, rpc);
  CHECK(delivered(3) == 1);
  CHECK(delivered(4) == 1);
  CHECK(delivered(5) == 1);
  CHECK(delivered(6) == 0);
}

TEST_CASE("gossipsub: peers of the mesh that bring nothing are replaced, and do not come back") {
  gossipsub::Config config;
  auto& topic = config.topics[std::string{kTopic}].score;
  topic.mesh_deliveries_weight = -1;
  topic.mesh_failures_weight = -1;
  Crowd crowd{config};
  for (std::uint8_t peer = 3; peer <= 4; ++peer) {
    crowd.join(peer);
    crowd.graft(peer);
  }
  for (std::uint64_t i = 0; i < 20; ++i) {
    crowd.say(3, Draft{.author = 9, .seqno = i}.rpc());
    crowd.answer(Verdict::kAccept);
    crowd.remote.pass(1s);
  }
  CHECK(crowd.in_mesh(3));
  CHECK_FALSE(crowd.in_mesh(4));
  crowd.remote.pass(70s);
  CHECK(crowd.score_of(4) < 0);  // P3b, after the backoff
  CHECK_FALSE(crowd.in_mesh(4));
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: the best stay when a mesh is too large, and some we dialled") {
  for (std::uint8_t peer = 3; peer < 7; ++peer) {
    join(peer, connection::Direction::kOutbound);
    graft(peer);
  }
  for (std::uint8_t peer = 7; peer < 15; ++peer) {
    join(peer);
    graft(peer);
  }
  for (std::uint8_t peer = 10; peer < 14; ++peer) rate(peer, 5);
  REQUIRE(engine.mesh(kTopic).size() == 12);
  join(20, connection::Direction::kOutbound);
  graft(20);
  REQUIRE(engine.mesh(kTopic).size() == 13);
  remote.pass(1s);
  CHECK(engine.mesh(kTopic).size() == 6);
  for (std::uint8_t peer = 10; peer < 14; ++peer) CHECK(in_mesh(peer));
  std::size_t dialled = in_mesh(20) ? 1 : 0;
  for (std::uint8_t peer = 3; peer < 7; ++peer) dialled += in_mesh(peer) ? 1 : 0;
  CHECK(dialled == 2);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: better peers come into a mesh that is full of poor ones") {
  for (std::uint8_t peer = 3; peer < 11; ++peer) {
    join(peer);
    graft(peer);
  }
  for (std::uint8_t peer = 11; peer < 15; ++peer) {
    join(peer);
    subscribe(peer);
    rate(peer, 3);
  }
  remote.pass(10s);
  REQUIRE(engine.mesh(kTopic).size() >= 8);
  const auto better = [&] {
    std::size_t count = 0;
    for (std::uint8_t peer = 11; peer < 15; ++peer) count += in_mesh(peer) ? 1 : 0;
    return count;
  };
  REQUIRE(better() == 0);
  remote.pass(7s);
  CHECK(better() == 2);
  remote.pass(15s);
  CHECK(better() == 4);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: who has earned it may graft though the mesh is full") {
  for (std::uint8_t peer = 3; peer < 15; ++peer) {
    join(peer);
    graft(peer);
  }
  join(15);
  rate(15, 1);
  graft(15);
  CHECK_FALSE(in_mesh(15));
  join(16);
  rate(16, 1.1);
  graft(16);
  CHECK(in_mesh(16));
  remote.pass(2s);
  CHECK(in_mesh(16));
  CHECK(engine.mesh(kTopic).size() == 6);
}

// Peer exchange.

TEST_CASE("gossipsub: who is pruned is told of others, with their signed records") {
  gossipsub::Config config;
  config.peer_exchange = true;
  Crowd crowd{config};
  const base::Bytes record(200, 0x55);
  for (std::uint8_t peer = 3; peer < 40; ++peer) {
    crowd.join(peer, connection::Direction::kInbound, {}, record);
    crowd.subscribe(peer);
  }
  crowd.rate(39, -1);
  std::vector<gossipsub::PeerInfoView> named;
  std::vector<base::Bytes> frames;
  for (std::uint8_t peer = 3; peer < 39; ++peer) crowd.graft(peer);
  for (std::uint8_t peer = 3; peer < 39; ++peer) {
    if (crowd.in_mesh(peer)) continue;
    frames = crowd.written_to(peer);
    for (const auto& frame : frames) {
      const auto rpc = gossipsub::decode_rpc(frame, {});
      for (const auto& prune : rpc->prune) {
        CHECK(prune.backoff == 60);
        CHECK(prune.peers.size() == 16);
        for (const auto& other : prune.peers) {
          CHECK(base::to_hex(other.signed_record) == base::to_hex(record));
          CHECK(multiformats::PeerId::decode(other.id) != test::peer_id(peer));
          CHECK(multiformats::PeerId::decode(other.id) != test::peer_id(39));
        }
        named = prune.peers;
      }
    }
  }
  CHECK(named.size() == 16);
}

TEST_CASE_FIXTURE(Crowd, "gossipsub: without peer exchange nobody is named") {
  for (std::uint8_t peer = 3; peer < 30; ++peer) {
    join(peer);
    graft(peer);
  }
  std::size_t prunes = 0;
  for (std::uint8_t peer = 3; peer < 30; ++peer) {
    for (const auto& frame : written_to(peer)) {
      const auto rpc = gossipsub::decode_rpc(frame, {});
      for (const auto& prune : rpc->prune) {
        ++prunes;
        CHECK(prune.peers.empty());
      }
    }
  }
  CHECK(prunes == 15);
}

TEST_CASE("gossipsub: only a peer that has earned it is believed about others") {
  const multiformats::PeerId known = test::peer_id(3);
  const multiformats::PeerId other = test::peer_id(60);
  const base::Bytes record{1, 2, 3};
  const base::Bytes garbage{9, 9};
  const std::vector<gossipsub::PeerInfoView> peers{
      {other.bytes(), record}, {known.bytes(), {}}, {garbage, {}}};
  const auto exchanged = [&](double score) {
    Crowd crowd;
    crowd.join(3);
    crowd.graft(3);
    crowd.rate(3, score);
    // Who leaves a topic says both at once.
    crowd.remote.send(Crowd::stream(3),
                      gossipsub::control_frame(gossipsub::encode_subscription(false, kTopic),
                                               gossipsub::encode_prune(kTopic, 60, peers))
                          .view());
    return crowd.remote.take_events<gossipsub::PeersExchanged>();
  };
  CHECK(exchanged(4.9).empty());
  const auto events = exchanged(5);
  REQUIRE(events.size() == 1);
  CHECK(events[0].source == known);
  REQUIRE(events[0].peers.size() == 1);
  CHECK(events[0].peers[0].peer == other);
  CHECK(events[0].peers[0].signed_record == record);
}

TEST_CASE("gossipsub: peers named without end are cut, in one PRUNE and in many") {
  Crowd crowd;
  crowd.remote.call([&](gossipsub::Engine& e) { e.subscribe("other", crowd.remote.now()); });
  crowd.join(3);
  crowd.rate(3, 100);
  std::vector<multiformats::PeerId> ids;
  for (int i = 0; i < 250; ++i) ids.push_back(test::peer_id(static_cast<std::uint8_t>(i)));
  const base::Bytes huge(9000, 1);
  std::vector<gossipsub::PeerInfoView> peers;
  peers.push_back({ids[200].bytes(), huge});
  for (int i = 0; i < 10'000; ++i) {
    peers.push_back({ids[static_cast<std::size_t>(100 + i % 100)].bytes(), {}});
  }
  std::size_t named = 0;
  for (int round = 0; round < 20; ++round) {
    for (const std::string_view topic : {kTopic, std::string_view{"other"}}) {
      crowd.control(3, gossipsub::encode_graft(topic));
      crowd.control(3, gossipsub::encode_prune(topic, 0, peers));
    }
    for (const auto& event : crowd.remote.take_events<gossipsub::PeersExchanged>()) {
      named += event.peers.size();
      for (const auto& peer : event.peers) CHECK(peer.signed_record.empty());
    }
  }
  CHECK(named == 16);
  crowd.remote.pass(1s);
  crowd.control(3, gossipsub::encode_graft(kTopic));
  crowd.control(3, gossipsub::encode_prune(kTopic, 0, peers));
  CHECK(crowd.remote.take_events<gossipsub::PeersExchanged>().size() == 1);
}

// 1.3.

TEST_CASE_FIXTURE(Fixture, "gossipsub: a peer of 1.3 gets our extensions first, and once") {
  connect({"/meshsub/1.3.0"});
  remote.call([&](gossipsub::Engine& e) { e.subscribe("another", remote.now()); });
  const auto frames = written();
  REQUIRE_FALSE(frames.empty());
  for (const auto& frame : frames) {
    CHECK(gossipsub::decode_rpc(frame, {})->extensions == (&frame == &frames.front()));
  }
  // Unknown extensions are no offence; the same message later is one.
  base::Bytes extensions = {0x1a, 0x07, 0x32, 0x05};
  base::append(extensions, base::Bytes{0x92, 0xa2, 0xe2, 0x18, 0x01});  // testExtension = true
  send(extensions);
  CHECK(offences(Offence::kRepeatedExtensions) == 0);
  CHECK(score() == 0);
  send(extensions);
  CHECK(offences(Offence::kRepeatedExtensions) == 1);
  CHECK(score() < 0);
}

TEST_CASE_FIXTURE(Fixture, "gossipsub: a peer of 1.2 hears nothing of extensions") {
  connect({"/meshsub/1.2.0"});
  for (const auto& frame : written()) CHECK_FALSE(gossipsub::decode_rpc(frame, {})->extensions);
}

// Signature policies.

namespace {

gossipsub::Config with(gossipsub::SignaturePolicy policy) {
  gossipsub::Config config;
  config.signatures = policy;
  config.topics[std::string{kTopic}].message_id = gossipsub::content_hash_id;
  return config;
}

base::Bytes unsigned_rpc(std::string_view data, bool named) {
  const multiformats::PeerId author = test::peer_id(9);
  const base::Bytes seqno(8, 1);
  gossipsub::MessageView view;
  view.topic = kTopic;
  view.data = base::as_bytes(data);
  if (named) {
    view.from = author.bytes();
    view.seqno = seqno;
  }
  return Draft::field(2, gossipsub::encode_message(view));
}

base::Bytes forged_rpc() {
  base::Bytes message = Draft{.author = 9, .data = "forged"}.signed_message();
  message[message.size() - 1] ^= 1;
  return Draft::field(2, message);
}

}  // namespace

TEST_CASE("gossipsub: signature policies take what they say, and nothing else") {
  using Policy = gossipsub::SignaturePolicy;
  struct Row {
    Policy policy;
    bool takes_signed;
    bool takes_bare;
    bool takes_named;  // an author without signature
  };
  for (const Row row :
       {Row{Policy::kStrictSign, true, false, false},
        Row{Policy::kStrictNoSign, false, true, false}, Row{Policy::kLaxSign, true, true, true},
        Row{Policy::kLaxNoSign, true, true, true}}) {
    CAPTURE(static_cast<int>(row.policy));
    const auto takes = [&](const base::Bytes& rpc, bool with_author) {
      Fixture fixture{with(row.policy)};
      fixture.connect();
      fixture.send(rpc);
      const auto events = fixture.asked();
      if (events.empty()) {
        CHECK(fixture.offences(Offence::kInvalidMessage) == 1);
        return false;
      }
      CHECK(events[0].message.author.has_value() == with_author);
      return true;
    };
    CHECK(takes(Draft{.author = 9}.rpc(), true) == row.takes_signed);
    CHECK(takes(unsigned_rpc("bare", false), false) == row.takes_bare);
    CHECK(takes(unsigned_rpc("named", true), false) == row.takes_named);
    CHECK_FALSE(takes(forged_rpc(), true));
  }
}

TEST_CASE("gossipsub: what is published under each policy, others under it take") {
  using Policy = gossipsub::SignaturePolicy;
  for (const Policy policy :
       {Policy::kStrictSign, Policy::kStrictNoSign, Policy::kLaxSign, Policy::kLaxNoSign}) {
    CAPTURE(static_cast<int>(policy));
    Fixture publisher{with(policy)};
    publisher.connect();
    publisher.send(gossipsub::encode_subscription(true, kTopic));
    publisher.written();
    publisher.remote.call([&](gossipsub::Engine& e) {
      REQUIRE(e.publish(kTopic, base::as_bytes("news"), publisher.remote.now()).has_value());
    });
    const auto frames = publisher.written();
    REQUIRE(frames.size() == 1);
    const auto rpc = gossipsub::decode_rpc(frames[0], {});
    REQUIRE(rpc->messages.size() == 1);
    const bool is_signed = policy == Policy::kStrictSign || policy == Policy::kLaxSign;
    CHECK(rpc->messages[0].signature.has_value() == is_signed);
    CHECK(rpc->messages[0].from.has_value() == is_signed);
    CHECK(gossipsub::check_signature(publisher.crypto, policy, rpc->messages[0]).has_value());
  }
}

TEST_CASE("gossipsub: without signatures an id must come from the data") {
  gossipsub::Config config;
  config.signatures = gossipsub::SignaturePolicy::kStrictNoSign;
  Fixture fixture{config};
  fixture.remote.call([&](gossipsub::Engine& e) {
    CHECK(e.publish(kTopic, base::as_bytes("x"), fixture.remote.now()) ==
          std::unexpected(gossipsub::PublishError::kBadId));
  });
}
