#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>

namespace ggen::p2p::multiformats {

Multihash Multihash::sha2_256(base::BytesView bytes) {
  return {kSha2_256, base::to_bytes(crypto::sha256(bytes))};
}

}  // namespace ggen::p2p::multiformats
