#include "locked_slots.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <doctest/doctest.h>

using namespace ggen::p2p;
using crypto::LockedSlots;

namespace {

constexpr std::size_t kSize = 64;

std::array<std::uint8_t, kSize> secret(std::size_t n) {
  std::array<std::uint8_t, kSize> bytes{};
  bytes.fill(static_cast<std::uint8_t>(n));
  return bytes;
}

bool holds(const std::uint8_t* slot, std::size_t n) {
  return std::ranges::equal(std::span{slot, kSize}, secret(n));
}

}  // namespace

TEST_CASE("locked slots: many secrets share a block, and none touches another") {
  LockedSlots slots{kSize};
  const std::size_t count = 3 * LockedSlots::kSlotsPerBlock;
  std::vector<std::uint8_t*> held;
  for (std::size_t i = 0; i < count; ++i) held.push_back(slots.put(secret(i)));
  CHECK(slots.blocks() == 3);
  for (std::size_t i = 0; i < count; i += 2) slots.free(held[i]);
  for (std::size_t i = 1; i < count; i += 2) CHECK(holds(held[i], i));
  // What was freed is used again before another block is taken.
  for (std::size_t i = 0; i < count; i += 2) held[i] = slots.put(secret(i));
  CHECK(slots.blocks() == 3);
  for (std::size_t i = 0; i < count; ++i) CHECK(holds(held[i], i));
  for (std::uint8_t* const slot : held) slots.free(slot);
  CHECK(slots.blocks() == 0);
}

TEST_CASE("locked slots: a freed slot is wiped while others share its block") {
  LockedSlots slots{kSize};
  std::uint8_t* const stays = slots.put(secret(1));
  std::uint8_t* const goes = slots.put(secret(2));
  slots.free(goes);
  CHECK(holds(goes, 0));
  CHECK(holds(stays, 1));
  slots.free(stays);
}
