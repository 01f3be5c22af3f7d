// Garbage, changed messages and hostile payloads, against either role: without the keys nobody gets
// a session, and one who has them gets no further than the limits.
#include <algorithm>
#include <array>
#include <cstdint>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/noise/handshake.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::noise;

namespace {

// The same entropy in every run. A signature is a hash of key and message: quick, and as easy to
// make as an attacker needs to reach what comes after it.
class FuzzCrypto : public crypto::Crypto {
 public:
  explicit FuzzCrypto(std::uint64_t seed) : prng_(seed) {}

  void random(base::MutableBytes out) override { prng_.fill(out); }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair& key, base::BytesView message) override {
    return signature(key.public_key(), message);
  }
  bool verify(const crypto::PublicKey& key, base::BytesView message,
              base::BytesView bytes) override {
    // One byte alone counts as a signature too, so that hostile payloads can have one.
    return base::equal(bytes, signature(key, message)) || (bytes.size() == 1 && bytes[0] == 's');
  }

 private:
  static std::array<std::uint8_t, 64> signature(const crypto::PublicKey& key,
                                                base::BytesView message) {
    const auto digest = crypto::Sha256{}.update(key.encode()).update(message).finish();
    std::array<std::uint8_t, 64> both{};
    std::ranges::copy(digest, both.begin());
    std::ranges::copy(digest, both.begin() + 32);
    return both;
  }

  base::Prng prng_;
};

struct Node {
  explicit Node(std::uint8_t seed) : crypto(seed), static_key(make_key(crypto, seed)) {}

  static StaticKey make_key(crypto::Crypto& crypto, std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    const auto identity = crypto::KeyPair::from_seed(bytes);
    return StaticKey::create(crypto, identity, {"/yamux/1.0.0", "/mplex/6.7.0"});
  }

  FuzzCrypto crypto;
  StaticKey static_key;
};

base::Bytes drain(Handshake& from) {
  base::Bytes all(4096);
  all.resize(from.transmit(all));
  GGEN_INVARIANT(!from.wants_transmit());
  return all;
}

using Received = std::expected<std::optional<Session>, Error>;

Received feed(Handshake& to, base::BytesView bytes, std::size_t step) {
  while (!bytes.empty()) {
    base::BytesView piece = bytes.first(std::min(step, bytes.size()));
    bytes = bytes.subspan(piece.size());
    auto received = to.receive(piece);
    if (!received) {
      GGEN_INVARIANT(!to.wants_transmit());
      GGEN_INVARIANT(to.receive(piece).error() == received.error());
    }
    if (!received || *received) return received;
    GGEN_INVARIANT(piece.empty());
  }
  return std::nullopt;
}

bool succeeded(const Received& received) {
  return received && *received;
}

// Bytes of whatever kind, to one side.
void feed_garbage(Role role, std::size_t step, base::BytesView bytes) {
  Node node{1};
  Handshake handshake{role, node.static_key, node.crypto, {}};
  GGEN_INVARIANT(!succeeded(feed(handshake, bytes, step)));
}

// An honest handshake of which one message is overlaid with the given bytes.
void feed_changed(int target, std::size_t step, base::BytesView change) {
  Node alice{1};
  Node bob{2};
  Handshake initiator{Role::kInitiator, alice.static_key, alice.crypto, {}};
  Handshake responder{Role::kResponder, bob.static_key, bob.crypto, {}};
  bool changed = false;
  for (int message = 0; message < 3; ++message) {
    const bool from_initiator = message % 2 == 0;
    base::Bytes bytes = drain(from_initiator ? initiator : responder);
    if (message == target) {
      for (std::size_t i = 0; i < std::min(bytes.size(), change.size()); ++i) {
        bytes[i] ^= change[i];
        changed = changed || change[i] != 0;
      }
    }
    const auto received = feed(from_initiator ? responder : initiator, bytes, step);
    GGEN_INVARIANT(succeeded(received) == (message > 0 && !changed));
    if (changed && message == target && !received) return;
  }
}

// A remote that speaks Noise without fault, and has this payload to say.
void feed_payload(Role victim, std::size_t step, base::BytesView payload) {
  Node node{1};
  Node attacker{2};
  Handshake handshake{victim, node.static_key, node.crypto, {}};
  const bool responds = victim == Role::kInitiator;
  HandshakeState state{responds ? Role::kResponder : Role::kInitiator,
                       attacker.static_key.key_pair(), attacker.crypto};
  const auto say = [&](base::BytesView what) {
    base::Bytes frame(kLengthSize);
    GGEN_INVARIANT(state.write_message(what, frame).has_value());
    base::store_big_endian(frame.data(), static_cast<std::uint16_t>(frame.size() - kLengthSize));
    return feed(handshake, frame, step);
  };
  if (!responds) GGEN_INVARIANT(!succeeded(say({})));
  const base::Bytes heard = drain(handshake);
  GGEN_INVARIANT(state.read_message(base::BytesView{heard}.subspan(kLengthSize)).has_value());
  const auto received = say(payload);
  GGEN_INVARIANT(!received || *received);  // the message was whole: there is nothing to wait for
  if (!received) return;
  const Session& session = **received;
  GGEN_INVARIANT(session.remote_muxers.size() <= HandshakeConfig{}.max_muxers);
  GGEN_INVARIANT(session.remote_peer == multiformats::PeerId::of(session.remote_key));
  GGEN_INVARIANT(session.muxer.has_value() == !session.remote_muxers.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 16384) return 0;
  const Role role = data[0] % 2 == 0 ? Role::kInitiator : Role::kResponder;
  const int mode = data[0] / 2 % 5;
  const std::size_t step = std::size_t{1} + data[1];
  const base::BytesView rest{data + 2, size - 2};
  if (mode == 0) feed_garbage(role, step, rest);
  if (mode >= 1 && mode <= 3) feed_changed(mode - 1, step, rest);
  if (mode == 4) feed_payload(role, step, rest);
  return 0;
}
