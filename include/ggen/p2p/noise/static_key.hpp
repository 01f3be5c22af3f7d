#pragma once

#include <span>
#include <string>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/x25519.hpp>

namespace ggen::p2p::noise {

/// A node's Noise key and all that it says of itself in every handshake (libp2p/specs
/// noise/README.md). Made once a node: drawing the key and signing it are the expensive parts of a
/// handshake that can be shared. Never stored. Read-only afterwards.
class StaticKey {
 public:
  /// `muxers` are the protocol ids announced for early multiplexer negotiation, the preferred one
  /// first; without any, the multiplexer is negotiated after the handshake.
  [[nodiscard]] static StaticKey create(crypto::Crypto& crypto, const crypto::KeyPair& identity,
                                        std::vector<std::string> muxers);

  [[nodiscard]] const crypto::X25519KeyPair& key_pair() const noexcept { return key_pair_; }
  [[nodiscard]] std::span<const std::string> muxers() const noexcept { return muxers_; }
  /// The encoded NoiseHandshakePayload.
  [[nodiscard]] base::BytesView payload() const noexcept { return payload_; }

 private:
  StaticKey(crypto::X25519KeyPair key_pair, std::vector<std::string> muxers, base::Bytes payload);

  crypto::X25519KeyPair key_pair_;
  std::vector<std::string> muxers_;
  base::Bytes payload_;
};

}  // namespace ggen::p2p::noise
