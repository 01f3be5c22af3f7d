#include <algorithm>
#include <cstring>

#include <ggen/p2p/sim/crypto.hpp>

namespace ggen::p2p::sim {

std::size_t VerificationCache::DigestHash::operator()(
    const crypto::Sha256Digest& digest) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

crypto::X25519KeyPair SimCrypto::draw_x25519() {
  crypto::X25519PublicKey public_key;
  random(public_key);
  return crypto::X25519KeyPair::simulated(public_key);
}

std::optional<crypto::Secret<32>> SimCrypto::agree(const crypto::X25519KeyPair& own,
                                                   const crypto::X25519PublicKey& remote) {
  const auto [first, second] = std::minmax(own.public_key(), remote);
  return crypto::Secret<32>{crypto::Sha256{}.update(first).update(second).finish()};
}

bool VerificationCache::verify(const crypto::PublicKey& key, base::BytesView message,
                               base::BytesView signature) {
  // The lengths keep what is hashed apart.
  std::array<std::uint8_t, 24> lengths{};
  base::store_big_endian(lengths.data(), std::uint64_t{key.data().size()});
  base::store_big_endian(lengths.data() + 8, std::uint64_t{message.size()});
  lengths[16] = static_cast<std::uint8_t>(key.type());
  const crypto::Sha256Digest digest =
      hash_.update(lengths).update(key.data()).update(message).update(signature).finish();
  if (const bool* known = known_.find(digest)) return *known;
  if (known_.size() >= max_entries_) known_.clear();
  ++computed_;
  const bool valid = system_->verify(key, message, signature);
  known_[digest] = valid;
  return valid;
}

}  // namespace ggen::p2p::sim
