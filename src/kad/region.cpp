#include "region.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <optional>

namespace ggen::p2p::kad {
namespace {

constexpr std::size_t kParts = 4;
// About 50 ms of hashing.
constexpr unsigned kMostDrawsLog2 = 17;

// Bits `at` and `at + 1` of the key, as a number. Regions of so few peers that both are not within
// the first word do not occur.
std::size_t part_of(const Key& key, unsigned at) {
  return static_cast<std::size_t>(key.words()[0] >> (62 - std::min(at, 62U)) & (kParts - 1));
}

}  // namespace

std::vector<RandomId> ids_around(const Key& key, const Distance& radius, base::Prng& prng) {
  const auto prefix = static_cast<unsigned>(std::countl_zero(radius.words[0]));
  std::array<std::optional<RandomId>, kParts> ids;
  std::size_t missing = kParts;
  // Sixteen draws for each quarter that there is: hardly ever too few.
  std::size_t draws = std::size_t{1} << std::min(prefix + 6, kMostDrawsLog2);
  for (; draws > 0 && missing > 0; --draws) {
    const RandomId id = random_id(prng);
    const Key at = Key::of(id);
    if (at.common_prefix(key) < prefix) continue;
    auto& place = ids[part_of(at, prefix)];
    if (!place) --missing;
    place = id;
  }
  std::vector<RandomId> found;
  for (const auto& id : ids) {
    if (id) found.push_back(*id);
  }
  return found;
}

std::optional<RandomId> random_id_in(const Prefix& part, base::Prng& prng) {
  if (part.bits > kMostDrawsLog2) return std::nullopt;
  for (std::size_t draws = std::size_t{1} << kMostDrawsLog2; draws > 0; --draws) {
    const RandomId id = random_id(prng);
    if (part.contains(place_of(Key::of(id)))) return id;
  }
  return std::nullopt;
}

}  // namespace ggen::p2p::kad
