#pragma once

namespace ggen::p2p::base {

/// Prints the broken invariant and aborts.
[[noreturn]] void invariant_broken(const char* condition, const char* file, int line) noexcept;

}  // namespace ggen::p2p::base

/// Checks what the program itself guarantees, in release builds too: carrying on from a broken
/// invariant loses data. Never use it on anything a remote peer or a user can bring about.
#define GGEN_INVARIANT(condition) \
  (static_cast<bool>(condition)   \
       ? static_cast<void>(0)     \
       : ::ggen::p2p::base::invariant_broken(#condition, __FILE__, __LINE__))
