#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "../../src/gossipsub/backoff.hpp"
#include "../../src/gossipsub/id_chunks.hpp"
#include "../../src/gossipsub/id_set.hpp"
#include "../../src/gossipsub/message_cache.hpp"
#include "../../src/gossipsub/promises.hpp"
#include "../../src/gossipsub/send_queue.hpp"
#include "../support/peers.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::gossipsub;
using namespace std::chrono_literals;

namespace {

constexpr base::Instant kStart{};

CachedMessage cached(std::string topic, std::uint8_t id, std::size_t size = 10) {
  return {std::move(topic), {id}, base::Buffer::allocate(size), {}};
}

}  // namespace

TEST_CASE("gossipsub id set: holds what was put into it") {
  base::Prng prng{1};
  IdSet set;
  CHECK_FALSE(set.contains({1, 2}));
  std::vector<IdHash> ids;
  for (int i = 0; i < 10'000; ++i) {
    // Many share their slot: all are found nevertheless.
    const std::uint64_t high = prng.next() & 0xff;
    const IdHash id{high, prng.next()};
    ids.push_back(id);
    CHECK(set.insert(id));
    CHECK_FALSE(set.insert(id));
  }
  CHECK(set.size() == ids.size());
  for (const IdHash& id : ids) CHECK(set.contains(id));
  CHECK_FALSE(set.contains({3, 3}));
}

TEST_CASE("gossipsub id set: elements go by age, sooner when there are too many") {
  AgingIdSet set{3, 400};
  set.insert({1, 1});
  for (int i = 0; i < 3; ++i) {
    CHECK(set.contains({1, 1}));
    set.age();
  }
  CHECK(set.contains({1, 1}));
  set.age();
  CHECK_FALSE(set.contains({1, 1}));
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    set.insert({i, i});
    REQUIRE(set.size() <= 404);
  }
  CHECK(set.contains({100'000, 100'000}));
  CHECK(set.contains({99'700, 99'700}));
}

TEST_CASE("gossipsub id set: hashes depend on the node's secret") {
  test::SeededCrypto first{1};
  test::SeededCrypto second{2};
  const IdHasher a{first};
  const IdHasher b{second};
  const base::Bytes id = {1, 2, 3};
  CHECK(a(id) == a(id));
  CHECK(a(id) != b(id));
  CHECK(a(id) != a({}));
}

TEST_CASE("gossipsub backoff: no number of seconds overflows") {
  CHECK(clamp_backoff(0, 1h) == 0s);
  CHECK(clamp_backoff(60, 1h) == 60s);
  CHECK(clamp_backoff(3599, 1h) == 3599s);
  CHECK(clamp_backoff(3600, 1h) == 1h);
  CHECK(clamp_backoff(UINT64_MAX, 1h) == 1h);
  CHECK(clamp_backoff(UINT64_MAX, base::Duration::max()) == base::Duration::max());
}

TEST_CASE("gossipsub backoff: is never shortened, and ends") {
  Backoffs backoffs;
  backoffs.add(test::peer_id(1), kStart + 60s, 10);
  backoffs.add(test::peer_id(1), kStart + 10s, 10);
  CHECK(backoffs.active(test::peer_id(1), kStart + 59s));
  CHECK_FALSE(backoffs.active(test::peer_id(1), kStart + 60s));
  CHECK(backoffs.active(test::peer_id(1), kStart + 60s, 1s));
  CHECK_FALSE(backoffs.active(test::peer_id(2), kStart));
  backoffs.sweep(kStart + 60s, 1s);
  CHECK(backoffs.size() == 1);
  backoffs.sweep(kStart + 61s, 1s);
  CHECK(backoffs.size() == 0);
}

TEST_CASE("gossipsub cache: messages are advertised for some windows, and kept for more") {
  MessageCache cache{5, 3, 1 << 20};
  cache.put({1, 1}, cached("a", 1));
  cache.put({1, 1}, cached("a", 9));  // there already
  cache.put({2, 2}, cached("b", 2));
  for (int window = 0; window < 3; ++window) {
    CHECK(cache.advertised().at("a") == std::vector<MessageId>{{1}});
    CHECK(cache.advertised().size() == 2);
    cache.shift();
  }
  CHECK(cache.advertised().empty());
  cache.shift();
  REQUIRE(cache.find({1, 1}) != nullptr);
  CHECK(cache.find({1, 1})->topic == "a");
  cache.shift();
  CHECK(cache.find({1, 1}) == nullptr);
  CHECK(cache.bytes() == 0);
}

TEST_CASE("gossipsub cache: its bytes are bounded") {
  MessageCache cache{5, 3, 100'000};
  for (std::uint64_t i = 1; i < 100; ++i) {
    cache.put({i, i}, cached("a", static_cast<std::uint8_t>(i), 5000));
    CHECK(cache.bytes() <= 100'000);
    CHECK(cache.find({i, i}) != nullptr);
  }
  CHECK(cache.find({1, 1}) == nullptr);
}

TEST_CASE("gossipsub promises: broken when nobody has sent the message in time") {
  Promises promises;
  const PeerKey first{1, 1};
  const PeerKey second{2, 1};
  promises.add({1, 1}, first, kStart + 3s);
  promises.add({1, 1}, first, kStart + 9s);  // the first deadline counts
  promises.add({1, 1}, second, kStart + 4s);
  promises.add({2, 2}, second, kStart + 3s);
  promises.fulfilled({2, 2});
  CHECK(promises.take_broken(kStart + 2s).empty());
  CHECK(promises.take_broken(kStart + 3s) == std::vector<PeerKey>{first});
  CHECK(promises.take_broken(kStart + 9s) == std::vector<PeerKey>{second});
  CHECK(promises.take_broken(kStart + 99s).empty());
}

TEST_CASE("gossipsub chunks: cover all ids, in order, within the size") {
  std::vector<MessageId> ids;
  base::Prng prng{3};
  for (int i = 0; i < 200; ++i) ids.emplace_back(1 + prng.below(200), std::uint8_t(i));
  std::vector<MessageId> seen;
  for_each_chunk(ids, 300, [&](std::span<const MessageId> part) {
    std::size_t bytes = 0;
    for (const MessageId& id : part) {
      bytes += id.size() + (id.size() < 128 ? 2 : 3);
      seen.push_back(id);
    }
    CHECK(bytes <= 300);
  });
  CHECK(seen == ids);
}

TEST_CASE("gossipsub batches: frames stay below their size, whatever goes in") {
  ControlBatcher batcher{100, 1000};
  std::size_t added = 0;
  while (batcher.add_control(base::Bytes(30, 0x08))) ++added;
  CHECK(added == 33);
  std::size_t bytes = 0;
  while (const auto frame = batcher.pop()) {
    CHECK(frame->size() <= 100 + 4);
    bytes += frame->size();
  }
  CHECK(bytes > 33 * 30);
  CHECK(batcher.bytes() == 0);
  CHECK(batcher.add_subscription(base::Bytes(30, 0x08)));
  CHECK(batcher.pop());
  CHECK_FALSE(batcher.pop());
}
