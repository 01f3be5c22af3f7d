#include "sodium.hpp"

#include <sodium.h>

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::crypto {

void start_sodium() noexcept {
  static const bool started = sodium_init() >= 0;
  GGEN_INVARIANT(started);
}

}  // namespace ggen::p2p::crypto
