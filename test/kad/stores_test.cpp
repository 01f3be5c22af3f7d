// The stores at their limits.

#include <doctest/doctest.h>

#include <ggen/p2p/kad/provider_store.hpp>
#include <ggen/p2p/kad/value_store.hpp>

#include "../support/peers.hpp"
#include "values.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using kad::Key;
using kad::ProviderStore;
using kad::Stored;
using kad::ValueStore;

namespace {

constexpr base::Instant kStart{};
const Key kLocal = Key::of(text("local"));

kad::Validators validators() {
  kad::Validators all;
  all.add("test", std::make_unique<CounterValidator>());
  all.add("pk", std::make_unique<kad::PublicKeyValidator>());
  return all;
}
base::Bytes key(std::size_t number) {
  return text("/test/" + std::to_string(number));
}

}  // namespace

TEST_CASE("values: only genuine ones enter, only better ones replace") {
  const auto all = validators();
  ValueStore store{{}, kLocal, all};
  CHECK(store.put(key(1), text("3"), kStart) == Stored::kStored);
  CHECK(store.put(key(1), text("3"), kStart) == Stored::kRenewed);
  CHECK(store.put(key(1), text("2"), kStart) == Stored::kOld);
  CHECK(store.put(key(1), text("3 other"), kStart) == Stored::kOld);
  CHECK(store.put(key(1), text("4"), kStart) == Stored::kStored);
  CHECK(store.put(key(1), text("x"), kStart) == Stored::kInvalid);
  CHECK(store.put(text("/other/1"), text("4"), kStart) == Stored::kNoValidator);
  CHECK(store.put(text("/test"), text("4"), kStart) == Stored::kNoValidator);
  CHECK(store.put(text("test/1"), text("4"), kStart) == Stored::kNoValidator);
  CHECK(store.put({}, text("4"), kStart) == Stored::kBadKey);
  CHECK(store.put(base::Bytes(65536, '/'), text("4"), kStart) == Stored::kBadKey);
  CHECK(store.put(key(2), base::Bytes(65536, '4'), kStart) == Stored::kTooLarge);
  CHECK(store.size() == 1);
  CHECK(store.find(key(1), kStart)->value == text("4"));
  CHECK(store.find(key(2), kStart) == nullptr);
}

TEST_CASE("values: an expired one is neither served nor in the way of a worse one") {
  const auto all = validators();
  ValueStore store{{}, kLocal, all};
  store.put(key(1), text("3"), kStart);
  const base::Instant later = kStart + std::chrono::hours{48};
  CHECK(store.find(key(1), later - base::Duration{1}) != nullptr);
  CHECK(store.find(key(1), later) == nullptr);
  CHECK(store.put(key(1), text("2"), later) == Stored::kStored);
  store.expire(later + std::chrono::hours{48});
  CHECK(store.size() == 0);
  CHECK(store.total_size() == 0);
}

TEST_CASE("values: a full store keeps what is nearest") {
  const auto all = validators();
  kad::ValueStoreConfig config;
  config.max_values = 50;
  config.max_total_size = 2'000;
  ValueStore store{config, kLocal, all};
  for (std::size_t i = 0; i < 1'000; ++i) {
    store.put(key(i), text("1" + std::string(i % 100, 'x')), kStart);
    CHECK(store.size() <= 50);
    CHECK(store.total_size() <= 2'000);
  }
  const auto by_distance = [](const base::Bytes& bytes) { return Key::of(bytes).distance(kLocal); };
  std::size_t nearest = 0;
  for (std::size_t i = 1; i < 1'000; ++i) {
    if (by_distance(key(i)) < by_distance(key(nearest))) nearest = i;
  }
  CHECK(store.find(key(nearest), kStart) != nullptr);
  CHECK(store.put(key(nearest), text("2" + std::string(5'000, 'x')), kStart) == Stored::kFull);
}

TEST_CASE("the public key under /pk must be the peer's") {
  const auto all = validators();
  ValueStore store{{}, kLocal, all};
  const auto own = key_pair(1).public_key().encode();
  base::Bytes name = text("/pk/");
  base::append(name, peer_id(1).bytes());
  CHECK(store.put(name, own, kStart) == Stored::kStored);
  CHECK(store.put(name, key_pair(2).public_key().encode(), kStart) == Stored::kInvalid);
  CHECK(store.put(text("/pk/"), own, kStart) == Stored::kInvalid);
  CHECK(store.put(text("/pk/junk"), own, kStart) == Stored::kInvalid);
}

TEST_CASE("providers: added, renewed, removed, expired") {
  ProviderStore store{{}, kLocal};
  base::Prng prng{1};
  const Key one = Key::of(text("one"));
  const auto record = numbered_record(1);
  CHECK(store.add(one, record.peer, record.addresses, kStart) == ProviderStore::Result::kAdded);
  CHECK(store.add(one, record.peer, {}, kStart + std::chrono::hours{20}) ==
        ProviderStore::Result::kRenewed);
  CHECK(store.records() == 1);
  CHECK(store.find(one, 20, prng, kStart)[0].addresses == record.addresses);
  // The record outlives its addresses, which nobody has confirmed.
  const auto later = store.find(one, 20, prng, kStart + std::chrono::hours{30});
  REQUIRE(later.size() == 1);
  CHECK(later[0].addresses.empty());
  CHECK(store.find(one, 20, prng, kStart + std::chrono::hours{68}).empty());
  store.expire(kStart + std::chrono::hours{68});
  CHECK(store.records() == 0);
  CHECK(store.peers() == 0);
  store.add(one, record.peer, record.addresses, kStart);
  store.remove(one, record.peer);
  CHECK(store.keys() == 0);
  CHECK(store.peers() == 0);
}

TEST_CASE("providers: floods meet limits per key, per peer and in all") {
  kad::ProviderStoreConfig config;
  config.max_records = 300;
  config.max_per_key = 10;
  config.max_per_peer = 100;
  ProviderStore store{config, kLocal};
  base::Prng prng{1};
  const Key one = Key::of(text("one"));
  for (std::size_t i = 0; i < 50; ++i) {
    const auto now = kStart + std::chrono::seconds{i};
    store.add(one, numbered_peer(i), std::vector(100, numbered_address(i)), now);
  }
  CHECK(store.records() == 10);
  CHECK(store.peers() == 10);
  const auto found = store.find(one, 100, prng, kStart);
  CHECK(found.size() == 10);
  for (const auto& record : found) CHECK(record.addresses.size() == config.max_addresses);
  CHECK(store.find(one, 3, prng, kStart).size() == 3);

  std::size_t refused = 0;
  for (std::size_t i = 0; i < 150; ++i) {
    const auto result = store.add(Key::of(key(i)), numbered_peer(100), {}, kStart);
    if (result == ProviderStore::Result::kTooManyKeys) ++refused;
  }
  CHECK(refused == 50);
  for (std::size_t i = 0; i < 2'000; ++i) {
    store.add(Key::of(key(i + 1'000)), numbered_peer(200 + i), {}, kStart);
    CHECK(store.records() <= 300);
    CHECK(store.peers() <= 300);
  }
}
