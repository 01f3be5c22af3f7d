#include "vectors.hpp"

#include <algorithm>
#include <deque>

#include <doctest/doctest.h>

#include <ggen/p2p/noise/handshake_state.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::noise;
using test::Vector;

namespace {

base::Bytes hex(std::string_view text) {
  return base::from_hex(text).value();
}

// Gives the ephemeral secret of a vector, and has no other use.
class FixedEntropy : public crypto::Crypto {
 public:
  explicit FixedEntropy(std::string_view secret) : secret_(hex(secret)) {}
  void random(base::MutableBytes out) override {
    REQUIRE(out.size() == secret_.size());
    std::ranges::copy(secret_, out.begin());
  }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair&, base::BytesView) override { return {}; }
  bool verify(const crypto::PublicKey&, base::BytesView, base::BytesView) override { return false; }

 private:
  base::Bytes secret_;
};

crypto::X25519KeyPair key_pair(std::string_view secret) {
  const base::Bytes bytes = hex(secret);
  return crypto::X25519KeyPair::from_secret(
      crypto::Secret<32>{std::span<const std::uint8_t, 32>{bytes}});
}

// One role of a vector, alone: its remote is what was published.
struct Side {
  Side(const Vector& vector, Role own)
      : role(own),
        static_key(
            key_pair(own == Role::kInitiator ? vector.initiator_static : vector.responder_static)),
        entropy(own == Role::kInitiator ? vector.initiator_ephemeral : vector.responder_ephemeral),
        state(own, static_key, entropy, hex(vector.prologue)) {}

  Role role;
  crypto::X25519KeyPair static_key;
  FixedEntropy entropy;
  HandshakeState state;
};

void run_handshake(Side& side, const Vector& vector) {
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    REQUIRE_FALSE(side.state.finished());
    const auto& [payload, ciphertext] = vector.messages[static_cast<std::size_t>(i)];
    CHECK(side.state.overhead() == (ciphertext.size() - payload.size()) / 2);
    const bool writes = (i % 2 == 0) == (side.role == Role::kInitiator);
    REQUIRE(side.state.writes_next() == writes);
    if (writes) {
      base::Bytes message;
      REQUIRE(side.state.write_message(hex(payload), message));
      CHECK(base::to_hex(message) == ciphertext);
    } else {
      const auto read = side.state.read_message(hex(ciphertext));
      REQUIRE(read);
      CHECK(base::to_hex(*read) == payload);
    }
  }
  REQUIRE(side.state.finished());
}

void run_transport(Side& side, const Vector& vector) {
  Ciphers ciphers = side.state.split();
  Role sender = vector.first_sender;
  for (std::size_t i = 3; i < vector.messages.size(); ++i) {
    CAPTURE(i);
    const base::Bytes payload = hex(vector.messages[i].payload);
    const base::Bytes ciphertext = hex(vector.messages[i].ciphertext);
    if (sender == side.role) {
      base::Bytes sealed(payload.size() + CipherState::kTagSize);
      REQUIRE(ciphers.send.seal({}, payload, sealed));
      CHECK(sealed == ciphertext);
    } else {
      base::Bytes opened(payload.size());
      REQUIRE(ciphers.receive.open({}, ciphertext, opened));
      CHECK(opened == payload);
    }
    sender = sender == Role::kInitiator ? Role::kResponder : Role::kInitiator;
  }
}

}  // namespace

TEST_CASE("published vectors: each role alone makes and takes every byte of them") {
  REQUIRE(test::kVectors.size() == 6);
  for (const Vector& vector : test::kVectors) {
    CAPTURE(vector.source);
    Side initiator{vector, Role::kInitiator};
    Side responder{vector, Role::kResponder};
    for (Side* side : {&initiator, &responder}) {
      run_handshake(*side, vector);
      run_transport(*side, vector);
      if (!vector.handshake_hash.empty()) {
        CHECK(base::to_hex(side->state.hash()) == vector.handshake_hash);
      }
    }
    CHECK(initiator.state.hash() == responder.state.hash());
    CHECK(initiator.state.remote_static() == responder.static_key.public_key());
    CHECK(responder.state.remote_static() == initiator.static_key.public_key());
  }
}

TEST_CASE("published vectors: another prologue fails the handshake") {
  Vector vector = test::kVectors.front();
  Side initiator{vector, Role::kInitiator};
  vector.prologue = "00";
  Side responder{vector, Role::kResponder};
  base::Bytes first;
  REQUIRE(initiator.state.write_message({}, first));
  REQUIRE(responder.state.read_message(first));
  base::Bytes second;
  REQUIRE(responder.state.write_message({}, second));
  const auto read = initiator.state.read_message(second);
  REQUIRE_FALSE(read);
  CHECK(read.error() == Error::kDecryptionFailed);
}
