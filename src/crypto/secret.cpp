#include <sodium.h>

#include <ggen/p2p/crypto/secret.hpp>

namespace ggen::p2p::crypto {

void wipe(base::MutableBytes bytes) noexcept {
  sodium_memzero(bytes.data(), bytes.size());
}

}  // namespace ggen::p2p::crypto
