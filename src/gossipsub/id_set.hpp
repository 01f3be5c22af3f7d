#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/crypto/crypto.hpp>

namespace ggen::p2p::gossipsub {

/// Stands for a message id of any length in tables.
struct IdHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const IdHash&) const = default;
};

/// 128 bits of SHA-256 over a secret of this node and the id: no peer can choose ids that collide
/// here, or that crowd one part of a table.
class IdHasher {
 public:
  explicit IdHasher(crypto::Crypto& crypto) { crypto.random(key_); }
  [[nodiscard]] IdHash operator()(base::BytesView id) const;

 private:
  std::array<std::uint8_t, 16> key_{};
};

/// A set of hashes in one block of memory: 16 bytes a slot, at most three of four taken.
class IdSet {
 public:
  /// False when it was there.
  bool insert(IdHash id);
  [[nodiscard]] bool contains(IdHash id) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  [[nodiscard]] std::size_t slot_of(IdHash id) const;
  void grow();

  std::vector<IdHash> slots_;  // all zero: free
  std::size_t size_ = 0;
};

/// A set whose elements leave it in the order of their age, a generation at a time.
class AgingIdSet {
 public:
  /// An element stays for `generations` calls of age(); for fewer when there are more than
  /// `capacity` elements.
  AgingIdSet(std::size_t generations, std::size_t capacity)
      : generations_(generations), per_generation_(capacity / (generations + 1) + 1), sets_(1) {}

  bool insert(IdHash id);
  [[nodiscard]] bool contains(IdHash id) const;
  void age();
  [[nodiscard]] std::size_t size() const;

 private:
  std::size_t generations_;
  std::size_t per_generation_;
  std::vector<IdSet> sets_;  // the youngest last
};

}  // namespace ggen::p2p::gossipsub

template <>
struct std::hash<ggen::p2p::gossipsub::IdHash> {
  std::size_t operator()(const ggen::p2p::gossipsub::IdHash& id) const noexcept { return id.low; }
};
