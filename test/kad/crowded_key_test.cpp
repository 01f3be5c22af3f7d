// Peers that settle around a key, to be all that others find there.

#include <cmath>

#include <ggen/p2p/kad/network_size.hpp>

#include "../../src/kad/region.hpp"
#include "network.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;

namespace {

const base::Bytes kKey = text("/test/head");

/// Ids that share at least `bits` with the key.
std::vector<multiformats::PeerId> settlers(const kad::Key& key, std::size_t count, unsigned bits) {
  std::vector<multiformats::PeerId> ids;
  for (std::size_t number = 100000; ids.size() < count; ++number) {
    const auto id = numbered_peer(number);
    if (kad::Key::of(id).common_prefix(key) >= bits) ids.push_back(id);
  }
  return ids;
}

/// An honest network, at whose key others have settled: they name each other, and keep nothing.
class CrowdedNetwork : public Network {
 public:
  CrowdedNetwork(std::size_t honest_in, std::size_t crowd)
      : Network(honest_in, without_maintenance()), honest(honest_in) {
    settle(kad::Key::of(kKey), crowd, 12);
    introduce_all();
  }

  void settle(const kad::Key& key, std::size_t crowd, unsigned bits) {
    std::vector<kad::PeerRecord> gang;
    const std::size_t first = size();
    for (const auto& id : settlers(key, crowd, bits)) {
      const std::size_t settler = add(without_maintenance(), id);
      gang.push_back({id, {node(settler).address}});
    }
    for (std::size_t i = first; i < size(); ++i) {
      node(i).liar = [gang](const kad::Message& request) {
        kad::Message answer{.type = request.type, .key = request.key, .closer = gang};
        if (request.type == kad::MessageType::kPutValue) answer.record = request.record;
        return kad::encode_message(answer);
      };
    }
  }

  kad::QueryDone put(std::size_t i) {
    return query(i, [&](kad::Engine& engine) {
      return engine.put_value(kKey, text("1 one"), now()).value();
    });
  }
  kad::QueryDone get(std::size_t i) {
    return query(i, [&](kad::Engine& engine) { return engine.get_value(kKey, 0, now()).value(); });
  }
  std::size_t honest_holders() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < honest; ++i) {
      count += node(i).engine.values().find(kKey, now()) != nullptr ? 1 : 0;
    }
    return count;
  }

  std::size_t honest;
};

}  // namespace

TEST_CASE("a value is kept and found although all who are nearest to its key keep nothing") {
  CrowdedNetwork network{300, 25};
  const kad::QueryDone put = network.put(3);
  CHECK(put.stats.crowded);
  CHECK(network.honest_holders() >= 12);
  for (std::size_t asker = 10; asker < 300; asker += 10) {
    CAPTURE(asker);
    if (network.node(asker).engine.values().find(kKey, network.now()) != nullptr) continue;
    const kad::QueryDone got = network.get(asker);
    CHECK(std::get<kad::result::FoundValue>(got.result).value == text("1 one"));
    CHECK(got.stats.crowded);
  }
}

TEST_CASE("a value is kept also where settlers elsewhere make the network look larger") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    CrowdedNetwork network{50, 20};
    base::Prng prng{seed};
    for (int i = 0; i < 8; ++i) {
      std::array<std::uint8_t, 32> bytes{};
      prng.fill(bytes);
      network.settle(kad::Key::at(bytes), 20, 9);
    }
    network.introduce_all();
    const kad::QueryDone put = network.put(3);
    CHECK(put.stats.crowded);
    CHECK(network.honest_holders() >= 4);  // the owner is one
  }
}

TEST_CASE("a provider is found although all who are nearest to its key keep nothing") {
  CrowdedNetwork network{300, 25};
  const auto provided = network.query(
      3, [&](kad::Engine& engine) { return engine.provide(kKey, network.now()).value(); });
  CHECK(provided.stats.crowded);
  for (std::size_t asker = 10; asker < 300; asker += 30) {
    const kad::QueryDone found = network.query(asker, [&](kad::Engine& engine) {
      return engine.find_providers(kKey, 0, network.now()).value();
    });
    CHECK(std::get<kad::result::FoundProviders>(found.result).providers.size() == 1);
  }
}

TEST_CASE("where nobody has settled, exactly the k nearest are asked to keep a value") {
  CrowdedNetwork network{300, 0};
  const kad::QueryDone put = network.put(3);
  CHECK_FALSE(put.stats.crowded);
  CHECK(network.honest_holders() == 21);  // the owner is one
  CHECK_FALSE(network.get(120).stats.crowded);
}

TEST_CASE("the size of a network follows from lookups of random keys") {
  base::Prng prng{7};
  const auto key = [&] {
    std::array<std::uint8_t, 32> bytes{};
    prng.fill(bytes);
    return kad::Key::at(bytes);
  };
  const base::Instant now{};
  for (const std::size_t peers : {100U, 1000U, 20000U}) {
    CAPTURE(peers);
    std::vector<kad::Key> keys;
    while (keys.size() < peers) keys.push_back(key());
    kad::NetworkSize size;
    CHECK_FALSE(size.estimate(now));
    for (std::size_t i = 0; i < kad::NetworkSize::kMaxLookups; ++i) {
      const kad::Key target = key();
      std::vector<kad::Distance> distances;
      for (const kad::Key& k : keys) distances.push_back(k.distance(target));
      std::ranges::sort(distances);
      size.add(20, distances[19], false, now);
      CHECK(size.fresh(now) == (i >= 2));
    }
    const double error = *size.estimate(now) / static_cast<double>(peers) - 1;
    CHECK(std::abs(error) < 0.2);
    CHECK_FALSE(size.fresh(now + std::chrono::minutes{2}));
    CHECK_FALSE(size.estimate(now + std::chrono::hours{1}));
  }

  kad::NetworkSize small;
  small.add(7, kad::Distance::of_share(0.9), true, now);
  CHECK(small.estimate(now) == 7.0);
  CHECK_FALSE(small.estimate(now + std::chrono::hours{1}));
}

TEST_CASE("the keys looked up around a crowded one lie in all quarters of its region") {
  base::Prng prng{3};
  for (const double share : {0.7, 0.3, 0.01, 0.0005}) {
    CAPTURE(share);
    const kad::Key key = kad::Key::of(kKey);
    const kad::Distance radius = kad::Distance::of_share(share);
    unsigned bits = 0;
    while (std::ldexp(1.0, -static_cast<int>(bits) - 1) >= share) ++bits;
    const auto ids = kad::ids_around(key, radius, prng);
    REQUIRE(ids.size() == 4);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const kad::Key at = kad::Key::of(ids[i]);
      CHECK(at.common_prefix(key) >= bits);
      for (std::size_t j = 0; j < i; ++j) {
        CHECK(at.common_prefix(kad::Key::of(ids[j])) < bits + 2);
      }
    }
  }
}

TEST_CASE("the latest lookups show how healthy a node's view of the network is") {
  kad::LookupHealth health;
  for (std::size_t i = 0; i < 150; ++i) {
    health.add({.end = i < 75 ? kad::QueryEnd::kTimeout : kad::QueryEnd::kConverged,
                .asked = 10,
                .answered = i < 75 ? 4U : 9U});
  }
  CHECK(health.sum().lookups == 100);
  CHECK(health.sum().good == 75);
  CHECK(health.sum().asked == 1000);
  CHECK(health.sum().answered == 25 * 4 + 75 * 9);
  // Where there are fewer than k, all are asked.
  health.add({.end = kad::QueryEnd::kExhausted, .asked = 4, .answered = 3});
  CHECK(health.sum().good == 76);
  health.add({.end = kad::QueryEnd::kExhausted, .asked = 4, .answered = 1});
  CHECK(health.sum().good == 76);
}
