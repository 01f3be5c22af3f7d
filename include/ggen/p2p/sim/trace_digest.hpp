#pragma once

#include <cstdint>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::sim {

/// What happened to a node.
enum class TraceKind : std::uint8_t {
  kBytes = 1,   ///< payload: bytes of a peer
  kDialed = 2,  ///< payload: how an attempt ended
  kAccepted = 3,
  kEnded = 4,   ///< the transport of a connection ended
  kStored = 5,  ///< an operation of its store was answered; payload: which, and whether it failed
  kTimer = 6,
  kStarted = 7,
  kStopped = 8,  ///< in good order, or by a crash
};

/// One SHA-256 over every event that any node was given: its time, node, kind and payload. Two runs
/// with the same digest did the same.
class TraceDigest {
 public:
  void add(base::Instant when, std::uint32_t node, TraceKind kind, base::BytesView payload);

  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  /// Of all events; the object then starts anew.
  [[nodiscard]] crypto::Sha256Digest finish() {
    events_ = 0;
    return hash_.finish();
  }

 private:
  crypto::Sha256 hash_;
  std::uint64_t events_ = 0;
};

}  // namespace ggen::p2p::sim
