#include "stream_table.hpp"

#include <set>

#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>

#include "stream_ids.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;

TEST_CASE("stream table: finds what is in it and nothing else, through growth and shrinking") {
  base::Prng prng{5};
  StreamTable table;
  std::set<std::uint32_t> model;
  for (int round = 0; round < 20'000; ++round) {
    // Grows to some hundreds, shrinks to few, and again.
    const bool growing = (round / 2000) % 2 == 0;
    const auto id = static_cast<std::uint32_t>(prng.below(1500) + 1);
    if (model.contains(id)) {
      if (prng.chance(growing ? 0.2 : 1)) {
        table.erase(*table.find({id}));
        model.erase(id);
      }
    } else if (prng.chance(growing ? 1 : 0.1)) {
      CHECK(table.emplace({id}, true, {}).id.value == id);
      model.insert(id);
    }
    REQUIRE(table.size() == model.size());
    const auto probe = static_cast<std::uint32_t>(prng.below(1500) + 1);
    REQUIRE((table.find({probe}) != nullptr) == model.contains(probe));
  }
  const std::vector<Stream*> sorted = table.sorted();
  REQUIRE(sorted.size() == model.size());
  auto expected = model.begin();
  for (const Stream* stream : sorted) CHECK(stream->id.value == *expected++);
  table.clear();
  CHECK(table.size() == 0);
  CHECK(table.find({1}) == nullptr);
}

TEST_CASE("stream table: streams stay where they are in memory") {
  StreamTable table;
  const Stream* first = &table.emplace({1}, true, {});
  for (std::uint32_t id = 3; id < 2000; id += 2) table.emplace({id}, true, {});
  CHECK(table.find({1}) == first);
}

TEST_CASE("stream ids: each of this side's is used once, and they end") {
  LocalIds ids{{0xfffffffb}};
  CHECK(ids.take()->value == 0xfffffffb);
  CHECK(ids.take()->value == 0xfffffffd);
  CHECK(ids.take()->value == 0xffffffff);
  CHECK_FALSE(ids.take());
  CHECK_FALSE(ids.take());
}

TEST_CASE("stream ids: the remote's may come out of order, but not twice") {
  base::Prng prng{9};
  RemoteIds ids;
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < 5000; ++i) order.push_back(2 * i + 1);
  for (std::size_t i = 0; i + 300 < order.size(); i += 300) {
    std::span part{order.data() + i, 300};
    prng.shuffle(part);
  }
  for (const std::uint32_t id : order) REQUIRE(ids.use({id}));
  for (const std::uint32_t id : order) REQUIRE_FALSE(ids.use({id}));
}

TEST_CASE("stream ids: leaps forget what is far behind, and nothing wraps") {
  RemoteIds ids;
  CHECK(ids.use({0xfffffffe}));
  CHECK_FALSE(ids.use({0xfffffffe}));
  CHECK(ids.use({0xfffffffe - 2 * 900}));
  CHECK_FALSE(ids.use({2}));
  RemoteIds odd;
  CHECK(odd.use({1}));
  CHECK(odd.use({2 * 64 * 16 + 1}));  // the same word of the window, one lap later
  CHECK_FALSE(odd.use({1}));
  CHECK(odd.use({0xffffffff}));
}
