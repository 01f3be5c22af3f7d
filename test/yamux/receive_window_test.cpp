#include "receive_window.hpp"

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace std::chrono_literals;
using base::Instant;

namespace {

constexpr std::uint32_t kKi = 1024;

GrowthBudget budget_of(std::size_t left, std::uint32_t max = 16 * 1024 * kKi) {
  return {max, left};
}

}  // namespace

TEST_CASE("receive window: credit is exact") {
  GrowthBudget budget = budget_of(0);
  ReceiveWindow window{Instant{}};
  CHECK(window.charge(256 * kKi));
  CHECK_FALSE(window.charge(1));
  CHECK_FALSE(window.consume(128 * kKi - 1, Instant{}, std::nullopt, budget));
  CHECK(window.consume(1, Instant{}, std::nullopt, budget));
  CHECK(window.consume(5, Instant{}, std::nullopt, budget));  // gathered until it is sent
  CHECK(window.grant() == 128 * kKi + 5);
  CHECK(window.credit() == 128 * kKi + 5);
  CHECK_FALSE(window.charge(128 * kKi + 6));
  CHECK(window.charge(128 * kKi + 5));
}

TEST_CASE("receive window: never grows before the round trip is known") {
  GrowthBudget budget = budget_of(64 * 1024 * kKi);
  ReceiveWindow window{Instant{}};
  CHECK(window.charge(200 * kKi));
  CHECK(window.consume(200 * kKi, Instant{}, std::nullopt, budget));
  CHECK(window.size() == kInitialWindow);
}

TEST_CASE("receive window: grows when half of it goes within two round trips, else not") {
  GrowthBudget budget = budget_of(64 * 1024 * kKi);
  for (const auto& [after, grows] : {std::pair{199ms, true}, std::pair{200ms, false}}) {
    ReceiveWindow window{Instant{}};
    CHECK(window.charge(128 * kKi));
    CHECK(window.consume(128 * kKi, Instant{} + after, 100ms, budget));
    CHECK(window.size() == (grows ? 512 : 256) * kKi);
    CHECK(window.grant() == (grows ? 384 : 128) * kKi);
    window.release(budget);
  }
  CHECK(budget.left == 64 * 1024 * kKi);
}

TEST_CASE("receive window: the growth is bounded for a stream and for all together") {
  GrowthBudget budget = budget_of(1000 * kKi, 1024 * kKi);
  ReceiveWindow one{Instant{}};
  ReceiveWindow two{Instant{}};
  for (int i = 0; i < 10; ++i) {
    CHECK(one.charge(one.size()));
    CHECK(one.consume(one.size(), Instant{}, 100ms, budget));
    CHECK(one.grant() > 0);
  }
  CHECK(one.size() == 1024 * kKi);
  CHECK(budget.left == (1000 - 768) * kKi);
  for (int i = 0; i < 10; ++i) {
    CHECK(two.charge(two.size()));
    CHECK(two.consume(two.size(), Instant{}, 100ms, budget));
    CHECK(two.grant() > 0);
  }
  CHECK(two.size() == (256 + 232) * kKi);
  CHECK(budget.left == 0);
  one.release(budget);
  two.release(budget);
  CHECK(budget.left == 1000 * kKi);
}

TEST_CASE("receive window: credit, charges and debts always add up to the window") {
  base::Prng prng{3};
  for (int run = 0; run < 50; ++run) {
    GrowthBudget budget = budget_of(3000 * kKi, 2000 * kKi);
    ReceiveWindow window{Instant{}};
    Instant now{};
    std::size_t credit = kInitialWindow;  // what the remote knows
    std::size_t charged = 0;
    bool due = false;
    for (int step = 0; step < 500; ++step) {
      now += std::chrono::milliseconds{prng.below(20)};
      switch (prng.below(3)) {
        case 0: {
          const auto length = static_cast<std::uint32_t>(prng.below(credit + credit / 8 + 1));
          REQUIRE(window.charge(length) == (length <= credit));
          if (length > credit) break;
          credit -= length;
          charged += length;
          break;
        }
        case 1: {
          const std::size_t length = prng.below(charged + 1);
          const std::size_t before = window.size();
          charged -= length;
          due = window.consume(length, now, 10ms, budget);
          const std::size_t owed = window.size() - credit - charged;
          REQUIRE(due == (owed >= before / 2));
          break;
        }
        default:
          if (!due) break;
          credit += window.grant();
          due = false;
          REQUIRE(credit + charged == window.size());
      }
      REQUIRE(window.credit() == credit);
      REQUIRE(window.size() <= 2000 * kKi);
      REQUIRE(budget.left + window.size() == 3000 * kKi + kInitialWindow);
    }
  }
}
