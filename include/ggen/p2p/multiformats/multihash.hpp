#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::multiformats {

enum class MultihashError {
  kTruncated,  ///< the bytes end before the digest does
  kMalformed,  ///< a varint that is too long or not in its shortest form
  kTooLong,    ///< a digest above kMaxDigestBytes
  kTrailing,   ///< bytes follow the digest
};
[[nodiscard]] std::string_view to_string(MultihashError error) noexcept;

/// A digest that names its function (multiformats/multihash): code, length, digest. Any code is
/// parsed, registered or not, and so is a truncated digest: what we cannot compute is still an
/// identifier.
class Multihash {
 public:
  static constexpr std::uint64_t kIdentity = 0x00;
  static constexpr std::uint64_t kSha2_256 = 0x12;
  /// The longest digest of fixed length that is registered (Skein-1024).
  static constexpr std::size_t kMaxDigestBytes = 128;

  /// The bytes themselves as their digest; at most kMaxDigestBytes.
  [[nodiscard]] static std::expected<Multihash, MultihashError> identity(base::BytesView bytes);
  /// The SHA-256 digest of `bytes`.
  [[nodiscard]] static Multihash sha2_256(base::BytesView bytes);

  /// Reads exactly one multihash.
  [[nodiscard]] static std::expected<Multihash, MultihashError> decode(base::BytesView bytes);
  [[nodiscard]] base::Bytes encode() const;

  [[nodiscard]] std::uint64_t code() const noexcept { return code_; }
  [[nodiscard]] base::BytesView digest() const noexcept { return digest_; }

  auto operator<=>(const Multihash&) const = default;
  bool operator==(const Multihash&) const = default;

 private:
  Multihash(std::uint64_t code, base::Bytes digest) : code_(code), digest_(std::move(digest)) {}

  std::uint64_t code_;
  base::Bytes digest_;
};

}  // namespace ggen::p2p::multiformats
