#include <algorithm>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/sim/event_queue.hpp>

using namespace ggen::p2p;
using sim::EventQueue;
using namespace std::chrono_literals;

TEST_CASE("event queue: events come by time, and at one time as they were scheduled") {
  EventQueue<int> queue;
  base::Prng prng{1};
  std::vector<std::pair<base::Instant, int>> expected;
  for (int i = 0; i < 5000; ++i) {
    const base::Instant when{std::chrono::milliseconds{prng.below(100)}};
    queue.push(when, i);
    expected.emplace_back(when, i);
  }
  std::ranges::stable_sort(expected, {}, &std::pair<base::Instant, int>::first);
  for (const auto& [when, event] : expected) {
    REQUIRE(queue.earliest() == when);
    const auto due = queue.pop();
    REQUIRE(due);
    CHECK(due->when == when);
    REQUIRE(due->event == event);
  }
  CHECK_FALSE(queue.pop());
}

TEST_CASE("event queue: events that are scheduled meanwhile find their place") {
  EventQueue<std::uint64_t> queue;
  base::Prng prng{2};
  base::Instant now;
  for (int i = 0; i < 100; ++i) queue.push(now + std::chrono::nanoseconds{prng.below(1000)}, 0);
  std::vector<base::Instant> seen;
  while (const auto due = queue.pop()) {
    seen.push_back(due->when);
    if (seen.size() < 5000) {
      queue.push(due->when + std::chrono::nanoseconds{prng.below(1000)}, seen.size());
    }
  }
  CHECK(seen.size() > 5000);
  CHECK(std::ranges::is_sorted(seen));
}
