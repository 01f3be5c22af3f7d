#include <algorithm>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/multiformats/cid.hpp>
#include <ggen/p2p/multiformats/multibase.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::multiformats {
namespace {

/// A bare multihash in base58btc begins like this; no multibase prefix does (RFC 0001).
bool is_bare_multihash(std::string_view text) {
  return text.starts_with('1') || text.starts_with("Qm");
}

}  // namespace

std::string_view to_string(PeerIdError error) noexcept {
  switch (error) {
    case PeerIdError::kMalformed:
      return "not a peer id";
    case PeerIdError::kWrongCodec:
      return "a CID of something other than a libp2p key";
    case PeerIdError::kUnsupportedHash:
      return "a peer id whose hash is neither SHA-256 nor a key of at most 42 bytes";
  }
  return "unknown peer id error";
}

PeerId PeerId::of(const crypto::PublicKey& key) {
  const base::Bytes message = key.encode();
  const Multihash hash = message.size() <= kMaxInlineKey ? *Multihash::identity(message)
                                                         : Multihash::sha2_256(message);
  const auto id = decode(hash.encode());
  GGEN_INVARIANT(id.has_value());
  return *id;
}

std::expected<PeerId, PeerIdError> PeerId::decode(base::BytesView multihash) {
  const auto hash = Multihash::decode(multihash);
  if (!hash) return std::unexpected(PeerIdError::kMalformed);
  const std::size_t size = hash->digest().size();
  const bool inlined = hash->code() == Multihash::kIdentity && size <= kMaxInlineKey;
  const bool hashed = hash->code() == Multihash::kSha2_256 && size == kSha256Bytes;
  if (!inlined && !hashed) return std::unexpected(PeerIdError::kUnsupportedHash);

  PeerId id;
  std::ranges::copy(multihash, id.bytes_.begin());
  id.size_ = static_cast<std::uint8_t>(multihash.size());
  return id;
}

std::expected<PeerId, PeerIdError> PeerId::parse(std::string_view text) {
  if (is_bare_multihash(text)) {
    const auto bytes = decode_base58(text);
    if (!bytes) return std::unexpected(PeerIdError::kMalformed);
    return decode(*bytes);
  }
  const auto cid = Cid::parse(text);
  if (!cid) return std::unexpected(PeerIdError::kMalformed);
  if (cid->codec() != Cid::kLibp2pKey) return std::unexpected(PeerIdError::kWrongCodec);
  return decode(cid->hash().encode());
}

std::string PeerId::to_string() const {
  return encode_base58(bytes());
}

std::string PeerId::to_cid_string() const {
  const auto hash = Multihash::decode(bytes());
  return Cid::v1(Cid::kLibp2pKey, *hash).to_string();
}

std::optional<crypto::PublicKey> PeerId::public_key() const {
  const auto hash = Multihash::decode(bytes());
  if (!hash || hash->code() != Multihash::kIdentity) return std::nullopt;
  auto key = crypto::PublicKey::decode(hash->digest());
  if (!key) return std::nullopt;
  return *std::move(key);
}

}  // namespace ggen::p2p::multiformats
