#pragma once

namespace ggen::p2p::crypto {

/// Starts libsodium: needed before its secret memory, its entropy and its fast code paths. Cheap
/// when repeated, callable from any thread. Aborts if the library cannot start.
void start_sodium() noexcept;

}  // namespace ggen::p2p::crypto
