#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/multibase.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>

namespace ggen::p2p::multiformats {

enum class CidError {
  kMalformed,           ///< not a multibase text, or a broken varint
  kUnsupportedVersion,  ///< neither version 0 nor version 1
  kBadMultihash,        ///< version 0 with another hash than SHA-256, or a broken multihash
};
[[nodiscard]] std::string_view to_string(CidError error) noexcept;

/// A content identifier (multiformats/cid): what kind of content, and its multihash.
class Cid {
 public:
  static constexpr std::uint64_t kRaw = 0x55;
  static constexpr std::uint64_t kDagPb = 0x70;  ///< what version 0 always means
  static constexpr std::uint64_t kLibp2pKey = 0x72;

  /// A CIDv1. `codec` is a multicodec code, at most base::kMaxVarint.
  [[nodiscard]] static Cid v1(std::uint64_t codec, Multihash hash);

  /// Reads exactly one binary CID of either version.
  [[nodiscard]] static std::expected<Cid, CidError> decode(base::BytesView bytes);
  /// `Qm...` is a CIDv0; all else is a CIDv1 in any multibase this library knows.
  [[nodiscard]] static std::expected<Cid, CidError> parse(std::string_view text);

  [[nodiscard]] base::Bytes encode() const;
  /// Version 0 in base58btc, version 1 in base32.
  [[nodiscard]] std::string to_string() const;
  /// Version 1 in the given base; version 0 has only its own form.
  [[nodiscard]] std::string to_string(Multibase base) const;

  [[nodiscard]] int version() const noexcept { return version_; }
  [[nodiscard]] std::uint64_t codec() const noexcept { return codec_; }
  [[nodiscard]] const Multihash& hash() const noexcept { return hash_; }

  auto operator<=>(const Cid&) const = default;
  bool operator==(const Cid&) const = default;

 private:
  Cid(int version, std::uint64_t codec, Multihash hash)
      : version_(version), codec_(codec), hash_(std::move(hash)) {}

  int version_;
  std::uint64_t codec_;
  Multihash hash_;
};

}  // namespace ggen::p2p::multiformats
