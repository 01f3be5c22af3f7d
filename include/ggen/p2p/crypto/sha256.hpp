#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include <ggen/p2p/base/bytes.hpp>

namespace ggen::p2p::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256Digest sha256(base::BytesView bytes);

/// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  Sha256& update(base::BytesView bytes);
  /// The digest of everything given; the object then starts anew.
  [[nodiscard]] Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ggen::p2p::crypto
