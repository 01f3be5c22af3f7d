#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/noise/static_key.hpp>

#include "payload.hpp"

namespace ggen::p2p::noise {
namespace {

// What we say of ourselves: far above what any identity needs, far below what a message can carry.
constexpr std::size_t kMaxOwnPayload = 8192;

}  // namespace

StaticKey StaticKey::create(crypto::Crypto& crypto, const crypto::KeyPair& identity,
                            std::vector<std::string> muxers) {
  crypto::X25519KeyPair key_pair = crypto.draw_x25519();
  const auto signature = crypto.sign(identity, signed_text(key_pair.public_key()));
  base::Bytes payload = encode_payload(identity.public_key().encode(), signature, muxers);
  GGEN_INVARIANT(payload.size() <= kMaxOwnPayload);
  return {std::move(key_pair), std::move(muxers), std::move(payload)};
}

StaticKey::StaticKey(crypto::X25519KeyPair key_pair, std::vector<std::string> muxers,
                     base::Bytes payload)
    : key_pair_(std::move(key_pair)), muxers_(std::move(muxers)), payload_(std::move(payload)) {}

}  // namespace ggen::p2p::noise
