#include <doctest/doctest.h>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::noise;
using test::Node;

namespace {

bool succeeded(const test::Received& received) {
  return received && *received;
}

}  // namespace

TEST_CASE("handshake: both sides learn who the other is, in any fragments") {
  Node alice{1};
  Node bob{2};
  for (const std::size_t fragment : {std::size_t{1}, std::size_t{2}, std::size_t{3},
                                     std::size_t{33}, std::size_t{100}, SIZE_MAX}) {
    CAPTURE(fragment);
    Handshake initiator = alice.start(Role::kInitiator, {.expected_peer = bob.peer_id()});
    Handshake responder = bob.start(Role::kResponder);
    test::Outcome outcome = test::run(initiator, responder, fragment);
    REQUIRE(succeeded(outcome.initiator));
    REQUIRE(succeeded(outcome.responder));
    Session& at_alice = **outcome.initiator;
    Session& at_bob = **outcome.responder;
    CHECK(at_alice.remote_key == bob.identity.public_key());
    CHECK(at_alice.remote_peer == bob.peer_id());
    CHECK(at_bob.remote_key == alice.identity.public_key());
    CHECK(at_bob.remote_peer == alice.peer_id());
    CHECK(test::connected(at_alice.sender, at_bob.receiver));
    CHECK(test::connected(at_bob.sender, at_alice.receiver));
    CHECK_FALSE(initiator.wants_transmit());
    CHECK_FALSE(responder.wants_transmit());
  }
}

TEST_CASE("handshake: costs one draw and one verification a side, and no signature") {
  Node alice{1};
  Node bob{2};
  CHECK(alice.crypto.signatures == 1);
  CHECK(alice.crypto.draws == 1);
  for (int round = 1; round <= 3; ++round) {
    Handshake initiator = alice.start(Role::kInitiator);
    Handshake responder = bob.start(Role::kResponder);
    REQUIRE(succeeded(test::run(initiator, responder).responder));
    for (const Node* node : {&alice, &bob}) {
      CHECK(node->crypto.draws == 1 + round);
      CHECK(node->crypto.verifications == round);
      CHECK(node->crypto.signatures == 1);
    }
  }
}

TEST_CASE("handshake: frames that follow the last message are left for the receiver") {
  Node alice{1};
  Node bob{2};
  Handshake initiator = alice.start(Role::kInitiator);
  Handshake responder = bob.start(Role::kResponder);
  REQUIRE(test::feed(responder, test::drain(initiator)));
  auto at_alice = test::feed(initiator, test::drain(responder));
  REQUIRE(succeeded(at_alice));

  base::Bytes burst = test::drain(initiator);
  base::append(burst, test::frame_of((*at_alice)->sender, base::as_bytes("early")));
  base::BytesView input = burst;
  auto at_bob = responder.receive(input);
  REQUIRE(succeeded(at_bob));
  const auto message = (*at_bob)->receiver.next(input);
  REQUIRE((message && *message));
  CHECK(base::as_text((*message)->view()) == "early");
  CHECK(input.empty());
}

TEST_CASE("handshake: the first of the initiator's multiplexers that the responder has is agreed") {
  using List = std::vector<std::string>;
  const struct {
    List initiators;
    List responders;
    std::optional<std::string> agreed;
  } cases[] = {
      {{"/yamux/1.0.0", "/mplex/6.7.0"}, {"/mplex/6.7.0", "/yamux/1.0.0"}, "/yamux/1.0.0"},
      {{"/x", "/mplex/6.7.0"}, {"/yamux/1.0.0", "/mplex/6.7.0"}, "/mplex/6.7.0"},
      {{}, {"/yamux/1.0.0"}, std::nullopt},
      {{"/yamux/1.0.0"}, {}, std::nullopt},
      {{}, {}, std::nullopt},
  };
  for (const auto& [initiators, responders, agreed] : cases) {
    Node alice{1, initiators};
    Node bob{2, responders};
    Handshake initiator = alice.start(Role::kInitiator);
    Handshake responder = bob.start(Role::kResponder);
    const test::Outcome outcome = test::run(initiator, responder);
    REQUIRE(succeeded(outcome.initiator));
    REQUIRE(succeeded(outcome.responder));
    CHECK((*outcome.initiator)->muxer == agreed);
    CHECK((*outcome.responder)->muxer == agreed);
    CHECK((*outcome.initiator)->remote_muxers == responders);
    CHECK((*outcome.responder)->remote_muxers == initiators);
  }
}

TEST_CASE("handshake: no multiplexer in common is fatal") {
  Node alice{1, {"/yamux/1.0.0"}};
  Node bob{2, {"/mplex/6.7.0"}};
  Handshake initiator = alice.start(Role::kInitiator);
  Handshake responder = bob.start(Role::kResponder);
  const test::Outcome outcome = test::run(initiator, responder);
  REQUIRE_FALSE(outcome.initiator);
  CHECK(outcome.initiator.error() == Error::kNoCommonMuxer);
  CHECK_FALSE(succeeded(outcome.responder));
}

TEST_CASE("handshake: another peer than the expected one is refused before the last message") {
  Node alice{1};
  Node bob{2};
  Handshake initiator = alice.start(Role::kInitiator, {.expected_peer = alice.peer_id()});
  Handshake responder = bob.start(Role::kResponder);
  const test::Outcome outcome = test::run(initiator, responder);
  REQUIRE_FALSE(outcome.initiator);
  CHECK(outcome.initiator.error() == Error::kWrongPeer);
  CHECK_FALSE(initiator.wants_transmit());
  CHECK_FALSE(succeeded(outcome.responder));
}

TEST_CASE("handshake: a responder can expect a peer too") {
  Node alice{1};
  Node bob{2};
  Handshake initiator = alice.start(Role::kInitiator);
  Handshake responder = bob.start(Role::kResponder, {.expected_peer = bob.peer_id()});
  const test::Outcome outcome = test::run(initiator, responder);
  REQUIRE_FALSE(outcome.responder);
  CHECK(outcome.responder.error() == Error::kWrongPeer);
}

TEST_CASE("handshake: no byte can be changed on its way") {
  Node alice{1};
  Node bob{2};
  const std::size_t sizes[] = {34, 0, 0};
  for (int target = 0; target < 3; ++target) {
    std::size_t size = sizes[target];
    for (std::size_t offset = 0; offset == 0 || offset < size; ++offset) {
      CAPTURE(target);
      CAPTURE(offset);
      Handshake initiator = alice.start(Role::kInitiator);
      Handshake responder = bob.start(Role::kResponder);
      const auto outcome =
          test::run(initiator, responder, SIZE_MAX, [&](int message, base::Bytes& bytes) {
            if (message != target) return;
            size = bytes.size();
            bytes[offset] ^= static_cast<std::uint8_t>(1U << (offset * 3 % 8));
          });
      // The one who gets the changed message must not believe it; before the last message that
      // ends it for both.
      CHECK_FALSE(succeeded(outcome.responder));
      if (target < 2) CHECK_FALSE(succeeded(outcome.initiator));
    }
    CHECK(size > 30);
  }
}

TEST_CASE("handshake: a message of another handshake is refused") {
  Node alice{1};
  Node bob{2};
  base::Bytes recorded[3];
  for (int round = 0; round < 2; ++round) {
    for (int target = 1; target < 3; ++target) {
      Handshake initiator = alice.start(Role::kInitiator);
      Handshake responder = bob.start(Role::kResponder);
      const auto outcome =
          test::run(initiator, responder, SIZE_MAX, [&](int message, base::Bytes& bytes) {
            if (round == 0) recorded[message] = bytes;
            if (round == 1 && message == target) bytes = recorded[message];
          });
      CHECK(succeeded(outcome.responder) == (round == 0));
    }
  }
}

TEST_CASE("handshake: a cut stream leads nowhere, at any byte") {
  Node alice{1};
  Node bob{2};
  for (int target = 0; target < 3; ++target) {
    std::size_t size = 1;
    for (std::size_t kept = 0; kept < size; kept += 7) {
      Handshake initiator = alice.start(Role::kInitiator);
      Handshake responder = bob.start(Role::kResponder);
      const auto outcome =
          test::run(initiator, responder, SIZE_MAX, [&](int message, base::Bytes& bytes) {
            if (message != target) return;
            size = bytes.size();
            bytes.resize(kept);
          });
      REQUIRE(outcome.responder);
      CHECK_FALSE(succeeded(outcome.responder));
      if (target < 2) CHECK_FALSE(succeeded(outcome.initiator));
    }
  }
}
