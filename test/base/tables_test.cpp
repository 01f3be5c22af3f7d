#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/timer_heap.hpp>

using namespace ggen::p2p::base;
using std::chrono::milliseconds;

namespace {
Instant at(int ms) {
  return Instant{milliseconds{ms}};
}
}  // namespace

TEST_CASE("hash map: walked in key order") {
  HashMap<int, std::string> map;
  for (const int key : {5, 1, 9, 3}) map[key] = std::to_string(key);
  map.erase(9);
  std::string walked;
  for (const auto* entry : map.sorted()) walked += entry->second;
  CHECK(walked == "135");
  CHECK(map.find(9) == nullptr);
}

TEST_CASE("slot map: a stale id finds nothing after its slot was used again") {
  SlotMap<std::string> map;
  const auto first = map.emplace("first");
  CHECK(map.erase(first));
  CHECK_FALSE(map.erase(first));
  const auto second = map.emplace("second");
  CHECK(second.index == first.index);
  CHECK(map.find(first) == nullptr);
  CHECK(*map.find(second) == "second");
  CHECK_FALSE(map.find({}));
  CHECK(map.size() == 1);
}

TEST_CASE("timer heap: equal deadlines come out in the order they were set") {
  TimerHeap<int> heap;
  for (const int key : {4, 2, 7}) heap.set(key, at(10));
  heap.set(1, at(5));
  heap.set(4, at(10));  // unchanged: keeps its place
  CHECK(heap.earliest() == at(5));
  CHECK_FALSE(heap.pop_due(at(4)));
  std::vector<int> order;
  while (const auto key = heap.pop_due(at(10))) order.push_back(*key);
  CHECK(order == std::vector<int>{1, 4, 2, 7});
}

TEST_CASE("timer heap: agrees with a sorted map under random use") {
  Prng prng{5};
  TimerHeap<std::uint64_t> heap;
  std::map<std::uint64_t, Instant> model;
  for (int round = 0; round < 5000; ++round) {
    const std::uint64_t key = prng.below(100);
    if (prng.chance(0.3)) {
      heap.set(key, std::nullopt);
      model.erase(key);
    } else {
      const Instant deadline = at(static_cast<int>(prng.below(1000)));
      heap.set(key, deadline);
      model[key] = deadline;
    }
    CHECK(heap.size() == model.size());
    std::optional<Instant> earliest;
    for (const auto& [_, deadline] : model) earliest = earlier(earliest, deadline);
    CHECK(heap.earliest() == earliest);
  }
}
