#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <ggen/p2p/base/bytes.hpp>

/// Self-describing text for bytes (multiformats/multibase): a prefix character names the encoding.
namespace ggen::p2p::multiformats {

/// The encodings that libp2p uses. Values are the prefix characters of the registry.
enum class Multibase : char {
  kBase16 = 'f',
  kBase16Upper = 'F',
  kBase32 = 'b',
  kBase32Upper = 'B',
  kBase36 = 'k',
  kBase36Upper = 'K',
  kBase58Btc = 'z',
  kBase64 = 'm',
  kBase64Pad = 'M',
  kBase64Url = 'u',
  kBase64UrlPad = 'U',
};

/// The most bytes that are encoded or decoded. Base36 and base58 take quadratic time, and what is
/// put into multibase here (peer ids, CIDs, certificate hashes) stays well below.
inline constexpr std::size_t kMaxMultibaseBytes = 256;

/// The prefix and the text. `bytes` are at most kMaxMultibaseBytes.
[[nodiscard]] std::string encode_multibase(Multibase base, base::BytesView bytes);
/// Nothing for an unknown prefix, a malformed text or one that is too long. Base16, base32 and
/// base36 are read in either case, as the registry's test vectors ask.
[[nodiscard]] std::optional<base::Bytes> decode_multibase(std::string_view text);

/// Base58btc without a prefix: the form of peer ids and of CIDv0. The same limits.
[[nodiscard]] std::string encode_base58(base::BytesView bytes);
[[nodiscard]] std::optional<base::Bytes> decode_base58(std::string_view text);

}  // namespace ggen::p2p::multiformats
