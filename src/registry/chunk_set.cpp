#include <bit>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/registry/fetch.hpp>

namespace ggen::p2p::registry {
namespace {

std::uint8_t bit_of(std::uint64_t index) {
  return static_cast<std::uint8_t>(0x80U >> index % 8);
}

}  // namespace

ChunkSet::ChunkSet(std::uint64_t count)
    : count_(count), bits_(static_cast<std::size_t>((count + 7) / 8)) {}

std::optional<ChunkSet> ChunkSet::decode(std::uint64_t count, base::BytesView bits) {
  ChunkSet set(count);
  if (bits.size() != set.bits_.size()) return std::nullopt;
  set.bits_ = base::to_bytes(bits);
  for (const std::uint8_t byte : bits) set.held_ += static_cast<std::uint64_t>(std::popcount(byte));
  for (std::uint64_t index = count; index < bits.size() * 8; ++index) {
    if (bits[static_cast<std::size_t>(index / 8)] & bit_of(index)) return std::nullopt;
  }
  return set;
}

bool ChunkSet::has(std::uint64_t index) const noexcept {
  return index < count_ && (bits_[static_cast<std::size_t>(index / 8)] & bit_of(index)) != 0;
}

void ChunkSet::insert(std::uint64_t index) {
  GGEN_INVARIANT(index < count_);
  if (has(index)) return;
  bits_[static_cast<std::size_t>(index / 8)] |= bit_of(index);
  ++held_;
}

}  // namespace ggen::p2p::registry
