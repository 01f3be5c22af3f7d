#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/keys.hpp>

namespace ggen::p2p::multiformats {

enum class PeerIdError {
  kMalformed,        ///< not base58btc, not a CIDv1, or a broken multihash
  kWrongCodec,       ///< a CID whose content type is not libp2p-key
  kUnsupportedHash,  ///< neither identity (at most 42 bytes) nor SHA-256
};
[[nodiscard]] std::string_view to_string(PeerIdError error) noexcept;

/// A peer id (libp2p/specs peer-ids/peer-ids.md): the multihash of the encoded public key; the
/// identity hash when that takes at most 42 bytes, SHA-256 otherwise. A small value: copied freely,
/// hashed, ordered by its bytes.
class PeerId {
 public:
  static constexpr std::size_t kMaxBytes = 44;
  /// An encoded key of at most so many bytes is its own digest.
  static constexpr std::size_t kMaxInlineKey = 42;

  [[nodiscard]] static PeerId of(const crypto::PublicKey& key);
  /// The multihash bytes.
  [[nodiscard]] static std::expected<PeerId, PeerIdError> decode(base::BytesView multihash);
  /// Base58btc (`12D3Koo...`, `Qm...`) or a CIDv1 with the libp2p-key codec in any multibase this
  /// library knows.
  [[nodiscard]] static std::expected<PeerId, PeerIdError> parse(std::string_view text);

  [[nodiscard]] base::BytesView bytes() const noexcept { return {bytes_.data(), size_}; }
  /// Base58btc: the form that people and multiaddrs use.
  [[nodiscard]] std::string to_string() const;
  /// CIDv1, base32: `bafz...`.
  [[nodiscard]] std::string to_cid_string() const;
  /// The key, when the id carries it (Ed25519, secp256k1). Nothing also when what it carries is no
  /// valid key: an id is a claim until its key has signed something.
  [[nodiscard]] std::optional<crypto::PublicKey> public_key() const;

  auto operator<=>(const PeerId&) const = default;
  // The ids of a network mostly begin alike; tables compare them all the time. No call, no branch.
  bool operator==(const PeerId& other) const noexcept {
    std::uint64_t differ = word(kMaxBytes - 8) ^ other.word(kMaxBytes - 8);
    for (std::size_t at = 0; at + 8 <= kMaxBytes; at += 8) differ |= word(at) ^ other.word(at);
    return differ == 0 && size_ == other.size_;
  }

 private:
  static constexpr std::size_t kSha256Bytes = 32;

  PeerId() = default;

  [[nodiscard]] std::uint64_t word(std::size_t at) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at, sizeof word);
    return word;
  }

  std::array<std::uint8_t, kMaxBytes> bytes_{};  // zeros behind the id
  std::uint8_t size_ = 0;
};

}  // namespace ggen::p2p::multiformats

template <>
struct std::hash<ggen::p2p::multiformats::PeerId> {
  std::size_t operator()(const ggen::p2p::multiformats::PeerId& id) const noexcept {
    return std::hash<std::string_view>{}(ggen::p2p::base::as_text(id.bytes()));
  }
};
