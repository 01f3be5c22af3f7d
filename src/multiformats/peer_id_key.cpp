#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::multiformats {

PeerId PeerId::of(const crypto::PublicKey& key) {
  const base::Bytes message = key.encode();
  const Multihash hash = message.size() <= kMaxInlineKey ? *Multihash::identity(message)
                                                         : Multihash::sha2_256(message);
  const auto id = decode(hash.encode());
  GGEN_INVARIANT(id.has_value());
  return *id;
}

std::optional<crypto::PublicKey> PeerId::public_key() const {
  const auto hash = Multihash::decode(bytes());
  if (!hash || hash->code() != Multihash::kIdentity) return std::nullopt;
  auto key = crypto::PublicKey::decode(hash->digest());
  if (!key) return std::nullopt;
  return *std::move(key);
}

}  // namespace ggen::p2p::multiformats
