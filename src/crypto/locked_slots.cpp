#include "locked_slots.hpp"

#include <algorithm>
#include <bit>
#include <iterator>

#include <sodium.h>

#include <ggen/p2p/base/assert.hpp>

#include "sodium.hpp"

namespace ggen::p2p::crypto {
namespace {

constexpr std::uint64_t kFull = (std::uint64_t{1} << LockedSlots::kSlotsPerBlock) - 1;

}  // namespace

std::uint8_t* LockedSlots::writable_block() {
  if (!roomy_.empty()) {
    sodium_mprotect_readwrite(*roomy_.begin());
    return *roomy_.begin();
  }
  start_sodium();
  auto* const block = static_cast<std::uint8_t*>(sodium_malloc(kSlotsPerBlock * slot_size_));
  GGEN_INVARIANT(block != nullptr);
  blocks_.emplace(block, 0);
  roomy_.insert(block);
  return block;
}

std::uint8_t* LockedSlots::put(base::BytesView secret) {
  GGEN_INVARIANT(secret.size() == slot_size_);
  const std::lock_guard guard{mutex_};
  std::uint8_t* const block = writable_block();
  std::uint64_t& used = blocks_.at(block);
  const auto index = static_cast<std::size_t>(std::countr_one(used));
  used |= std::uint64_t{1} << index;
  if (used == kFull) roomy_.erase(block);
  std::uint8_t* const slot = block + index * slot_size_;
  std::ranges::copy(secret, slot);
  sodium_mprotect_readonly(block);
  return slot;
}

void LockedSlots::free(std::uint8_t* slot) noexcept {
  const std::lock_guard guard{mutex_};
  const auto found = std::prev(blocks_.upper_bound(slot));
  auto& [block, used] = *found;
  used &= ~(std::uint64_t{1} << (static_cast<std::size_t>(slot - block) / slot_size_));
  if (used == 0) {
    roomy_.erase(block);
    sodium_free(block);
    blocks_.erase(found);
    return;
  }
  roomy_.insert(block);
  sodium_mprotect_readwrite(block);
  sodium_memzero(slot, slot_size_);
  sodium_mprotect_readonly(block);
}

std::size_t LockedSlots::blocks() const {
  const std::lock_guard guard{mutex_};
  return blocks_.size();
}

}  // namespace ggen::p2p::crypto
