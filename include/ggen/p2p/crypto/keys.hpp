#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

/// Identity keys and their encoding, as libp2p/specs peer-ids/peer-ids.md defines them.
namespace ggen::p2p::crypto {

/// Values are those of the KeyType enumeration on the wire.
enum class KeyType : std::uint8_t { kRsa = 0, kEd25519 = 1, kSecp256k1 = 2, kEcdsa = 3 };
[[nodiscard]] std::string_view to_string(KeyType type) noexcept;

enum class KeyError {
  kMalformed,    ///< not a key message, or a length that its type does not have
  kUnknownType,  ///< a key type this implementation does not know
  kTooLarge,     ///< an RSA key above kMaxRsaBits, or a message above kMaxEncodedKey
  kWeak,         ///< an RSA key below kMinRsaBits
  kInvalid,      ///< well-formed, but not a valid key of its type (a point off the curve, say)
  kUnsupported,  ///< a private key of a type that this implementation can verify but not sign with
};
[[nodiscard]] std::string_view to_string(KeyError error) noexcept;

inline constexpr std::size_t kMaxRsaBits = 8192;
inline constexpr std::size_t kMinRsaBits = 2048;
/// An encoded public key is never believed to be larger than this (an RSA key of 8192 bits takes
/// about 1.1 KiB).
inline constexpr std::size_t kMaxEncodedKey = 2048;

/// A public identity key: its type and the bytes of the `Data` field. Always structurally valid
/// once made.
class PublicKey {
 public:
  /// Reads the PublicKey protobuf message, in its deterministic encoding only: what decodes encodes
  /// to the same bytes, so that a key has one peer id. Checks type, lengths and RSA size before any
  /// crypto library sees the bytes.
  [[nodiscard]] static std::expected<PublicKey, KeyError> decode(base::BytesView message);
  [[nodiscard]] static PublicKey ed25519(std::span<const std::uint8_t, 32> point);

  /// The deterministic PublicKey message: what peer ids hash and signatures carry.
  [[nodiscard]] base::Bytes encode() const;

  [[nodiscard]] KeyType type() const noexcept { return type_; }
  /// Ed25519: 32 raw bytes. Secp256k1: compressed point. ECDSA and RSA: DER SubjectPublicKeyInfo.
  [[nodiscard]] base::BytesView data() const noexcept { return data_; }

  bool operator==(const PublicKey&) const = default;

 private:
  PublicKey(KeyType type, base::Bytes data) : type_(type), data_(std::move(data)) {}

  KeyType type_;
  base::Bytes data_;
};

/// An Ed25519 identity. The secret lives in guarded, locked memory that is wiped when the last
/// owner goes; moving it moves the ownership, and it cannot be copied by accident.
class KeyPair {
 public:
  /// The pair that RFC 8032 derives from a 32-byte seed. Drivers draw the seed from Crypto::random.
  [[nodiscard]] static KeyPair from_seed(std::span<const std::uint8_t, 32> seed);
  /// Reads the PrivateKey protobuf message (Ed25519 only; 64 bytes, or the older 96).
  [[nodiscard]] static std::expected<KeyPair, KeyError> decode(base::BytesView message);

  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;
  ~KeyPair();

  /// The PrivateKey message. The caller wipes it after use.
  [[nodiscard]] base::Bytes encode() const;
  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }
  /// The deterministic Ed25519 signature. Engines sign through Crypto::sign, never directly.
  [[nodiscard]] std::array<std::uint8_t, 64> sign(base::BytesView message) const;

 private:
  struct Secret;
  KeyPair(std::unique_ptr<Secret> secret, PublicKey public_key);

  std::unique_ptr<Secret> secret_;
  PublicKey public_key_;
};

}  // namespace ggen::p2p::crypto
