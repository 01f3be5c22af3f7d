#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>

/// Signed envelopes (libp2p/specs RFC/0002-signed-envelopes.md): a payload, what it is, and the
/// signature of a key over both and over a domain that the envelope itself does not name.
namespace ggen::p2p::crypto {

enum class EnvelopeError {
  kTooLarge,      ///< above the limit
  kMalformed,     ///< not an Envelope message
  kBadKey,        ///< no public key, or none that PublicKey::decode accepts
  kBadSignature,  ///< no signature, or not this key's over this domain and payload
};
[[nodiscard]] std::string_view to_string(EnvelopeError error) noexcept;

/// An encoded envelope above this is refused unless the caller sets another limit. The largest of
/// the ecosystem, peer records, stay below 8 KiB.
inline constexpr std::size_t kMaxEnvelope = 64 * 1024;

/// The contents of an envelope.
///
/// A valid signature says that `key` signed the payload, not that `key` is the one that the payload
/// speaks of: whoever reads a record compares the two, and the payload type, before believing it.
struct SignedEnvelope {
  PublicKey key;
  base::Bytes payload_type;
  base::Bytes payload;  ///< byte for byte as received: hash these, never a new encoding
  base::Bytes signature;

  /// Signs and encodes. No limit: what an encoded envelope may measure is up to its readers.
  [[nodiscard]] static base::Bytes seal(Crypto& crypto, const KeyPair& key, std::string_view domain,
                                        base::BytesView payload_type, base::BytesView payload);

  /// Decodes and verifies.
  [[nodiscard]] static std::expected<SignedEnvelope, EnvelopeError> open(
      Crypto& crypto, std::string_view domain, base::BytesView message,
      std::size_t limit = kMaxEnvelope);

  /// Decodes only: nothing in the result may be believed before verify() has said yes. For those
  /// who can refuse an envelope by its payload more cheaply than by its signature. Takes fields in
  /// any order, the last of each, and skips unknown ones.
  [[nodiscard]] static std::expected<SignedEnvelope, EnvelopeError> decode(
      base::BytesView message, std::size_t limit = kMaxEnvelope);
  [[nodiscard]] bool verify(Crypto& crypto, std::string_view domain) const;
};

}  // namespace ggen::p2p::crypto
