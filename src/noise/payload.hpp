#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/x25519.hpp>
#include <ggen/p2p/noise/error.hpp>

/// The NoiseHandshakePayload message of libp2p/specs noise/README.md.
namespace ggen::p2p::noise {

struct Payload {
  base::BytesView identity_key;  ///< both point into the message
  base::BytesView identity_signature;
  std::vector<std::string> muxers;
};

/// What the identity key signs: a fixed text, then the Noise key.
[[nodiscard]] base::Bytes signed_text(const crypto::X25519PublicKey& static_key);

[[nodiscard]] base::Bytes encode_payload(base::BytesView identity_key,
                                         base::BytesView identity_signature,
                                         std::span<const std::string> muxers);

/// kBadPayload when the bytes are not a protobuf message, lack key or signature, or announce more
/// than `max_muxers` multiplexers. Fields that this implementation does not know are passed over.
[[nodiscard]] std::expected<Payload, Error> decode_payload(base::BytesView message,
                                                           std::size_t max_muxers);

}  // namespace ggen::p2p::noise
