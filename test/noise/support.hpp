#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/noise/handshake.hpp>

namespace ggen::p2p::noise::test {

/// The system's signatures, entropy from a seed, and a count of what was asked for.
class SeededCrypto : public crypto::Crypto {
 public:
  explicit SeededCrypto(std::uint64_t seed) : prng_(seed), system_(crypto::make_system_crypto()) {}

  void random(base::MutableBytes out) override {
    ++draws;
    prng_.fill(out);
  }
  std::array<std::uint8_t, 64> sign(const crypto::KeyPair& key, base::BytesView message) override {
    ++signatures;
    return system_->sign(key, message);
  }
  bool verify(const crypto::PublicKey& key, base::BytesView message,
              base::BytesView signature) override {
    ++verifications;
    return system_->verify(key, message, signature);
  }

  int draws = 0;
  int signatures = 0;
  int verifications = 0;

 private:
  base::Prng prng_;
  std::unique_ptr<crypto::Crypto> system_;
};

inline crypto::KeyPair identity_of(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return crypto::KeyPair::from_seed(bytes);
}

inline const std::vector<std::string> kYamux = {"/yamux/1.0.0"};

/// One party: its entropy, its identity and its Noise key.
struct Node {
  explicit Node(std::uint8_t seed, std::vector<std::string> muxers = kYamux)
      : crypto(seed),
        identity(identity_of(seed)),
        static_key(StaticKey::create(crypto, identity, std::move(muxers))) {}

  [[nodiscard]] multiformats::PeerId peer_id() const {
    return multiformats::PeerId::of(identity.public_key());
  }
  [[nodiscard]] Handshake start(Role role, HandshakeConfig config = {}) {
    return {role, static_key, crypto, std::move(config)};
  }

  SeededCrypto crypto;
  crypto::KeyPair identity;
  StaticKey static_key;
};

using Received = std::expected<std::optional<Session>, Error>;

/// Everything that `from` wants to send.
inline base::Bytes drain(Handshake& from) {
  base::Bytes all;
  std::array<std::uint8_t, 50> piece{};
  while (from.wants_transmit()) {
    base::append(all, base::BytesView{piece}.first(from.transmit(piece)));
  }
  return all;
}

/// Gives `bytes` to `to` in pieces of `fragment` bytes, until it fails or has its session.
inline Received feed(Handshake& to, base::BytesView bytes, std::size_t fragment = SIZE_MAX) {
  while (!bytes.empty()) {
    base::BytesView piece = bytes.first(std::min(fragment, bytes.size()));
    bytes = bytes.subspan(piece.size());
    auto received = to.receive(piece);
    if (!received || *received) return received;
  }
  return std::nullopt;
}

/// What became of the two sides.
struct Outcome {
  Received initiator;
  Received responder;
};

/// Changes the bytes of one of the three messages on their way.
using Tamper = std::function<void(int message, base::Bytes& bytes)>;

/// Steps two handshakes against each other.
inline Outcome run(Handshake& initiator, Handshake& responder, std::size_t fragment = SIZE_MAX,
                   const Tamper& tamper = nullptr) {
  Outcome outcome{std::nullopt, std::nullopt};
  for (int message = 0; message < 3; ++message) {
    const bool from_initiator = message % 2 == 0;
    base::Bytes bytes = drain(from_initiator ? initiator : responder);
    if (tamper) tamper(message, bytes);
    auto received = feed(from_initiator ? responder : initiator, bytes, fragment);
    (from_initiator ? outcome.responder : outcome.initiator) = std::move(received);
  }
  return outcome;
}

/// A frame with `plaintext` as `sender` seals it.
inline base::Bytes frame_of(Sender& sender, base::BytesView plaintext) {
  base::Bytes frame(plaintext.size() + kOverhead);
  std::ranges::copy(plaintext, frame.begin() + kLengthSize);
  const auto size = sender.seal(frame, plaintext.size());
  frame.resize(size.value());
  return frame;
}

/// Whether what `sender` seals is what `receiver` opens.
inline bool connected(Sender& sender, Receiver& receiver) {
  const base::Bytes frame = frame_of(sender, base::as_bytes("hello"));
  base::BytesView input = frame;
  const auto message = receiver.next(input);
  return message && *message && base::as_text((*message)->view()) == "hello" && input.empty();
}

inline CipherState cipher(std::uint64_t next_nonce = 0) {
  std::array<std::uint8_t, 32> key{};
  key.fill(0x42);
  return CipherState{key, next_nonce};
}

}  // namespace ggen::p2p::noise::test
