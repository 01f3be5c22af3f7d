#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
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

namespace {
// Few hashes, so that entries stand in each other's way, also around the end of the table.
struct FewHashes {
  std::size_t operator()(int key) const { return static_cast<std::size_t>(key % 5); }
};
}  // namespace

TEST_CASE("hash map: agrees with a sorted one, whatever is added and erased") {
  Prng prng{7};
  for (int round = 0; round < 50; ++round) {
    HashMap<int, int, FewHashes> map;
    std::map<int, int> model;
    for (int step = 0; step < 400; ++step) {
      const int key = static_cast<int>(prng.below(60));
      if (prng.chance(0.5)) {
        CHECK(map.try_emplace(key, step).second == model.try_emplace(key, step).second);
      } else {
        CHECK(map.erase(key) == (model.erase(key) > 0));
      }
      REQUIRE(map.size() == model.size());
      for (int other = 0; other < 60; ++other) {
        const int* const found = map.find(other);
        const auto known = model.find(other);
        REQUIRE((found != nullptr) == (known != model.end()));
        if (found != nullptr) REQUIRE(*found == known->second);
      }
    }
    std::map<int, int> walked;
    int last = -1;
    for (const auto* entry : map.sorted()) {
      CHECK(entry->first > std::exchange(last, entry->first));
      walked.insert(*entry);
    }
    CHECK(walked == model);
    const auto moved = std::move(map);
    CHECK(moved.size() == model.size());
    CHECK(map.empty());  // NOLINT: empty, not undefined
    CHECK(map.try_emplace(1, 1).second);
  }
}

TEST_CASE("hash map: the key to erase may be the one in the table") {
  HashMap<std::string, int> map;
  const std::string key = "longer than what a string keeps within itself";
  map[key] = 1;
  CHECK(map.erase(map.sorted().front()->first));
  CHECK(map.empty());
  map[key] = 2;
  map.clear();
  CHECK(map.empty());
  CHECK(map.find(key) == nullptr);
}

TEST_CASE("hash map: a value stays where it is while others come and go") {
  HashMap<int, int> map;
  const int* const value = &map.try_emplace(0, 7).first;
  for (int key = 1; key < 1000; ++key) map[key] = key;
  for (int key = 1; key < 1000; key += 2) map.erase(key);
  CHECK(map.find(0) == value);
  CHECK(*value == 7);
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

TEST_CASE("slot map: large objects follow the same rules, and may not be movable") {
  struct Large {
    explicit Large(int n) : number(n) {}
    Large(const Large&) = delete;
    int number;
    std::array<std::uint8_t, 200> rest{};
  };
  SlotMap<Large> map;
  const auto first = map.emplace(1);
  const auto second = map.emplace(2);
  const Large* const lies = map.find(second);
  CHECK(map.erase(first));
  CHECK(map.find(first) == nullptr);
  for (int i = 0; i < 100; ++i) map.emplace(i);
  CHECK(map.find(second) == lies);
  CHECK(lies->number == 2);
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
