#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/multiformats/cid.hpp>

namespace ggen::p2p::multiformats {
namespace {

constexpr std::size_t kSha256Bytes = 32;
/// Base58btc of the 34 bytes of a CIDv0, which always begins with "Qm".
constexpr std::size_t kV0TextSize = 46;

/// A CIDv0 is a bare SHA-256 multihash: 0x12 cannot be mistaken for a version.
bool looks_like_v0(base::BytesView bytes) {
  return bytes.size() >= 2 && bytes[0] == Multihash::kSha2_256 && bytes[1] == kSha256Bytes;
}

}  // namespace

std::string_view to_string(CidError error) noexcept {
  switch (error) {
    case CidError::kMalformed:
      return "not a CID";
    case CidError::kUnsupportedVersion:
      return "a CID of a version other than 0 and 1";
    case CidError::kBadMultihash:
      return "a CID with a malformed or unsuitable multihash";
  }
  return "unknown CID error";
}

Cid Cid::v1(std::uint64_t codec, Multihash hash) {
  GGEN_INVARIANT(codec <= base::kMaxVarint);
  return {1, codec, std::move(hash)};
}

std::expected<Cid, CidError> Cid::decode(base::BytesView bytes) {
  if (looks_like_v0(bytes)) {
    auto hash = Multihash::decode(bytes);
    if (!hash) return std::unexpected(CidError::kBadMultihash);
    return Cid{0, kDagPb, *std::move(hash)};
  }
  const auto version = base::decode_varint(bytes);
  if (!version) return std::unexpected(CidError::kMalformed);
  if (version->value != 1) return std::unexpected(CidError::kUnsupportedVersion);
  bytes = bytes.subspan(version->size);

  const auto codec = base::decode_varint(bytes);
  if (!codec) return std::unexpected(CidError::kMalformed);
  auto hash = Multihash::decode(bytes.subspan(codec->size));
  if (!hash) return std::unexpected(CidError::kBadMultihash);
  return Cid{1, codec->value, *std::move(hash)};
}

std::expected<Cid, CidError> Cid::parse(std::string_view text) {
  const bool bare = text.size() == kV0TextSize && text.starts_with("Qm");
  const auto bytes = bare ? decode_base58(text) : decode_multibase(text);
  if (!bytes) return std::unexpected(CidError::kMalformed);
  auto cid = decode(*bytes);
  // Version 0 has no multibase form: a second text for one CID would only confuse.
  if (cid && !bare && cid->version() == 0) return std::unexpected(CidError::kUnsupportedVersion);
  return cid;
}

base::Bytes Cid::encode() const {
  if (version_ == 0) return hash_.encode();
  base::Bytes bytes;
  base::append_varint(bytes, 1);
  base::append_varint(bytes, codec_);
  base::append(bytes, hash_.encode());
  return bytes;
}

std::string Cid::to_string() const {
  return to_string(Multibase::kBase32);
}

std::string Cid::to_string(Multibase base) const {
  return version_ == 0 ? encode_base58(encode()) : encode_multibase(base, encode());
}

}  // namespace ggen::p2p::multiformats
