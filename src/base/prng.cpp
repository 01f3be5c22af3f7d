#include <bit>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/prng.hpp>

namespace ggen::p2p::base {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Prng::Prng(std::uint64_t seed) noexcept : seed_(seed), state_{} {
  std::uint64_t mixer = seed;
  for (std::uint64_t& word : state_) word = splitmix64(mixer);
}

Prng Prng::child(std::string_view label) const noexcept {
  std::uint64_t mixer = seed_;
  std::uint64_t seed = splitmix64(mixer);
  for (const char c : label) {
    mixer ^= static_cast<std::uint8_t>(c);
    seed ^= splitmix64(mixer);
  }
  return Prng{seed};
}

std::uint64_t Prng::next() noexcept {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Prng::below(std::uint64_t bound) noexcept {
  GGEN_INVARIANT(bound != 0);
  // Values below the remainder would make some results likelier than others: draw again.
  const std::uint64_t remainder = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= remainder) return value % bound;
  }
}

double Prng::unit() noexcept {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

void Prng::fill(MutableBytes out) noexcept {
  for (std::size_t i = 0; i < out.size();) {
    std::uint64_t word = next();
    for (int k = 0; k < 8 && i < out.size(); ++k, word >>= 8) {
      out[i++] = static_cast<std::uint8_t>(word);
    }
  }
}

}  // namespace ggen::p2p::base
