#include <cstdio>
#include <cstdlib>

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::base {

void invariant_broken(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ggen::p2p::base
