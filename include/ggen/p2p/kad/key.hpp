#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::kad {

/// How far two keys are apart: their exclusive or, as a number of 256 bits.
struct Distance {
  std::array<std::uint64_t, 4> words{};  ///< most significant first
  auto operator<=>(const Distance&) const = default;

  /// The part of the key space that is not farther than this, from 0 to 1.
  [[nodiscard]] double share() const noexcept;
  /// The distance up to which lies this part of the key space, to 64 bits.
  [[nodiscard]] static Distance of_share(double share) noexcept;
};

/// A point of the key space (libp2p/specs kad-dht, "Distance"): the SHA-256 of a record's key, or
/// of a peer id's multihash. A small value, ordered as a number.
class Key {
 public:
  static constexpr unsigned kBits = 256;

  /// Hashes `bytes`.
  [[nodiscard]] static Key of(base::BytesView bytes);
  [[nodiscard]] static Key of(const multiformats::PeerId& peer) { return of(peer.bytes()); }
  /// The point whose 32 bytes these are, unhashed.
  [[nodiscard]] static Key at(const std::array<std::uint8_t, 32>& bytes) noexcept;

  [[nodiscard]] Distance distance(const Key& other) const noexcept;
  /// Leading bits that both share: kBits for equal keys.
  [[nodiscard]] unsigned common_prefix(const Key& other) const noexcept;
  [[nodiscard]] const std::array<std::uint64_t, 4>& words() const noexcept { return words_; }

  auto operator<=>(const Key&) const = default;

 private:
  std::array<std::uint64_t, 4> words_{};  // most significant first
};

}  // namespace ggen::p2p::kad

template <>
struct std::hash<ggen::p2p::kad::Key> {
  std::size_t operator()(const ggen::p2p::kad::Key& key) const noexcept {
    return static_cast<std::size_t>(key.words()[3]);  // the output of a hash function already
  }
};
