#pragma once

#include <cstdint>
#include <string_view>

namespace ggen::p2p::noise {

/// Why a secure channel failed. Every one of them is final: nothing more can be sent or received.
enum class Error : std::uint8_t {
  kMalformedFrame,    ///< a message too short for the keys and tags that it must carry
  kMessageTooLong,    ///< a handshake message above HandshakeConfig::max_message
  kDecryptionFailed,  ///< changed, replayed, reordered, or sealed with another key
  kWeakKey,           ///< a Diffie-Hellman key that makes every shared secret zero
  kBadPayload,        ///< not a NoiseHandshakePayload, without key or signature, or a list too long
  kUnsupportedKey,    ///< an identity key of unknown type, or an RSA key of a size that is refused
  kBadSignature,      ///< the identity key did not sign the Noise key
  kWrongPeer,         ///< the remote proved another identity than the one expected
  kNoCommonMuxer,     ///< both sides announced multiplexers, and none is in both lists
  kNonceExhausted,    ///< 2^64 - 1 messages were sealed or opened with one key
};
[[nodiscard]] std::string_view to_string(Error error) noexcept;

}  // namespace ggen::p2p::noise
