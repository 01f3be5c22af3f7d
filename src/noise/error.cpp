#include <ggen/p2p/noise/error.hpp>

namespace ggen::p2p::noise {

std::string_view to_string(Error error) noexcept {
  switch (error) {
    case Error::kMalformedFrame:
      return "malformed frame";
    case Error::kMessageTooLong:
      return "handshake message too long";
    case Error::kDecryptionFailed:
      return "decryption failed";
    case Error::kWeakKey:
      return "weak Diffie-Hellman key";
    case Error::kBadPayload:
      return "bad handshake payload";
    case Error::kUnsupportedKey:
      return "unsupported identity key";
    case Error::kBadSignature:
      return "bad signature of the noise key";
    case Error::kWrongPeer:
      return "wrong peer";
    case Error::kNoCommonMuxer:
      return "no multiplexer in common";
    case Error::kNonceExhausted:
      return "nonces exhausted";
  }
  return "unknown error";
}

}  // namespace ggen::p2p::noise
