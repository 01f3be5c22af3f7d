#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/kad/key.hpp>

namespace ggen::p2p::kad {

double Distance::share() const noexcept {
  return std::ldexp(static_cast<double>(words[0]), -64) +
         std::ldexp(static_cast<double>(words[1]), -128);
}

Distance Distance::of_share(double share) noexcept {
  constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
  if (share >= 1) return {{kAll, kAll, kAll, kAll}};
  return {{static_cast<std::uint64_t>(std::ldexp(std::max(share, 0.0), 64)), 0, 0, 0}};
}

Key Key::of(base::BytesView bytes) {
  return at(crypto::sha256(bytes));
}

Key Key::at(const std::array<std::uint8_t, 32>& bytes) noexcept {
  Key key;
  for (std::size_t i = 0; i < key.words_.size(); ++i) {
    key.words_[i] = base::load_big_endian<std::uint64_t>(bytes.data() + 8 * i);
  }
  return key;
}

Distance Key::distance(const Key& other) const noexcept {
  Distance distance;
  for (std::size_t i = 0; i < words_.size(); ++i) distance.words[i] = words_[i] ^ other.words_[i];
  return distance;
}

unsigned Key::common_prefix(const Key& other) const noexcept {
  unsigned bits = 0;
  for (const std::uint64_t word : distance(other).words) {
    if (word != 0) return bits + static_cast<unsigned>(std::countl_zero(word));
    bits += 64;
  }
  return bits;
}

}  // namespace ggen::p2p::kad
