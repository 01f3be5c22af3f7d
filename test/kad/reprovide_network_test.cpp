// Reproviding many keys by sweeping the key space.

#include "network.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;

namespace {

constexpr std::size_t kProvider = 0;
constexpr auto kInterval = kad::MaintenanceConfig{}.republish_interval;

/// Ids that share at least 12 bits with the key.
std::vector<multiformats::PeerId> settlers(const base::Bytes& key, std::size_t count) {
  std::vector<multiformats::PeerId> ids;
  for (std::size_t number = 100000; ids.size() < count; ++number) {
    const auto id = numbered_peer(number);
    if (kad::Key::of(id).common_prefix(kad::Key::of(key)) >= 12) ids.push_back(id);
  }
  return ids;
}

/// A network of which one node provides much, and does what it does unasked.
class Providing : public Network {
 public:
  explicit Providing(std::size_t nodes) : Network(0) {
    kad::Config config;  // which looks often enough to know how large the network is
    config.maintenance.refresh_interval = std::chrono::minutes{25};
    config.maintenance.max_refreshed_buckets = 2;
    add(config);
    while (size() < nodes) add(without_maintenance());
    introduce_all();
    run_for(std::chrono::minutes{1});  // it has seen how large the network is
  }

  void resume(std::size_t count) {
    call(kProvider, [&](kad::Engine& engine) {
      for (std::size_t i = 0; i < count; ++i) {
        keys.push_back(text("file " + std::to_string(keys.size())));
        CHECK(engine.resume_providing(keys.back(), now()));
      }
    });
  }
  kad::ProvideStats stats() { return node(kProvider).engine.provide_stats(now()); }

  /// Of the k nearest that live, those who know that the key is provided.
  std::size_t holders(const base::Bytes& key) {
    base::Prng draw{1};
    std::size_t count = 0;
    for (const auto& id : oracle(kProvider, key)) {
      const auto& held = node(index_of(id)).engine.providers();
      count += held.find(kad::Key::of(key), 64, draw, now()).size();
    }
    return count;
  }
  /// Keys of which fewer than `count` of the k nearest know.
  std::size_t with_fewer_than(std::size_t count) {
    return static_cast<std::size_t>(
        std::ranges::count_if(keys, [&](const base::Bytes& key) { return holders(key) < count; }));
  }
  std::size_t index_of(const multiformats::PeerId& id) {
    std::size_t index = 0;
    while (node(index).id != id) ++index;
    return index;
  }

  std::vector<base::Bytes> keys;
};

}  // namespace

TEST_CASE("many keys are provided again by few lookups, each by its k nearest") {
  Providing network{240};
  network.resume(2000);
  network.run_for(std::chrono::minutes{5});
  const kad::ProvideStats first = network.stats();
  CHECK(first.records == 2000);
  CHECK(first.overdue == 0);
  CHECK(first.regions == 0);
  CHECK(first.swept == 4);
  CHECK(first.lookups <= 60);  // 3 % of one for each key
  CHECK(first.records_taken == 40000);
  CHECK(first.records_failed == 0);
  CHECK(network.with_fewer_than(20) == 0);

  // Every region has its time: each quarter of the interval does a quarter of the work.
  std::uint64_t taken = first.records_taken;
  for (int quarter = 0; quarter < 4; ++quarter) {
    network.run_for(kInterval / 4);
    const kad::ProvideStats stats = network.stats();
    CHECK(stats.swept == 5U + static_cast<unsigned>(quarter));
    CHECK(stats.records_taken - taken > 7000);
    taken = stats.records_taken;
  }
  CHECK(taken == 80000);
  CHECK(network.stats().lookups <= 2 * first.lookups + 10);
}

TEST_CASE("a sweep reaches those who have come, and does without those who have gone") {
  Providing network{240};
  network.resume(1000);
  network.run_for(std::chrono::minutes{5});
  for (std::size_t i = 1; i < 240; i += 5) network.kill(i);
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t came = network.add(without_maintenance());
    for (std::size_t other = 2; other < 240; other += 3) {
      if (network.node(other).alive) network.connect(came, other);
    }
  }
  network.run_for(std::chrono::minutes{1});
  CHECK(network.with_fewer_than(19) > 400);
  network.run_for(kInterval);
  CHECK(network.with_fewer_than(19) == 0);
  CHECK(network.stats().overdue == 0);
}

TEST_CASE("a key around which peers have settled is looked after by itself") {
  const base::Bytes crowded = text("file 0");
  Providing network{200};
  std::vector<kad::PeerRecord> gang;
  for (const auto& id : settlers(crowded, 25)) {
    const std::size_t settler = network.add(without_maintenance(), id);
    gang.push_back({id, {network.node(settler).address}});
  }
  for (std::size_t i = 200; i < network.size(); ++i) {
    network.node(i).liar = [gang](const kad::Message& request) -> std::optional<base::Bytes> {
      if (request.type == kad::MessageType::kAddProvider) return std::nullopt;
      return kad::encode_message({.type = request.type, .key = request.key, .closer = gang});
    };
  }
  network.introduce_all();
  network.resume(400);
  network.run_for(std::chrono::minutes{10});
  CHECK(network.stats().swept > 0);
  CHECK(network.stats().lookups < 60);
  std::size_t honest = 0;
  base::Prng draw{1};
  for (std::size_t i = 1; i < 200; ++i) {
    const auto& held = network.node(i).engine.providers();
    honest += held.find(kad::Key::of(crowded), 64, draw, network.now()).size();
  }
  CHECK(honest >= 12);
}

TEST_CASE("what is due waits while there is nobody to tell") {
  Providing network{1};
  network.resume(300);
  network.run_for(std::chrono::hours{2});
  CHECK(network.stats().lookups == 0);
  CHECK(network.stats().overdue == 300);
  for (std::size_t i = 1; i < 30; ++i) network.add(without_maintenance());
  network.introduce_all();
  network.run_for(std::chrono::minutes{30});
  CHECK(network.stats().overdue == 0);
  CHECK(network.with_fewer_than(20) == 0);
}

TEST_CASE("few keys are provided again each for itself") {
  Providing network{240};
  network.resume(6);
  network.run_for(std::chrono::minutes{5});
  CHECK(network.stats().swept == 0);
  CHECK(network.stats().lookups == 6);
  CHECK(network.with_fewer_than(20) == 0);
}

TEST_CASE("keys that are provided one by one join the sweep") {
  Providing network{60};
  for (std::size_t i = 0; i < 40; ++i) {
    network.keys.push_back(text("file " + std::to_string(i)));
    const kad::QueryDone done = network.query(kProvider, [&](kad::Engine& engine) {
      return engine.provide(network.keys.back(), network.now()).value();
    });
    CHECK(std::get<kad::result::Placed>(done.result).stored >= 15);
  }
  CHECK(network.stats().lookups == 0);
  network.run_for(kInterval + kInterval / 2);
  CHECK(network.stats().swept >= 1);
  CHECK(network.stats().lookups < 30);
  CHECK(network.stats().overdue == 0);
  // Nobody forgets them, and what is provided no longer is forgotten.
  network.call(kProvider, [&](kad::Engine& engine) { engine.stop_providing(network.keys[7]); });
  network.run_for(std::chrono::hours{49});
  CHECK(network.holders(network.keys[7]) == 0);
  CHECK(network.with_fewer_than(20) == 1);
}

TEST_CASE("whoever falls behind says so once, and catches up") {
  Providing network{60};
  network.resume(200);
  network.run_for(std::chrono::minutes{5});
  for (int time = 0; time < 2; ++time) {
    CAPTURE(time);
    network.take_events<kad::ReprovideBehind>(kProvider);
    for (std::size_t i = 1; i < 60; ++i) network.kill(i);
    network.run_for(2 * kInterval);
    const auto behind = network.take_events<kad::ReprovideBehind>(kProvider);
    REQUIRE(behind.size() == 1);
    CHECK(behind[0].by >= kad::MaintenanceConfig{}.reprovide_slack);
    CHECK(behind[0].by < kad::MaintenanceConfig{}.reprovide_slack + std::chrono::minutes{1});
    CHECK(behind[0].records > 0);
    CHECK(network.stats().behind);
    CHECK(network.stats().overdue == 200);
    CHECK(network.stats().oldest > std::chrono::hours{20});
    for (std::size_t i = 1; i < 60; ++i) {
      network.revive(i);
      network.connect(kProvider, i);
    }
    network.run_for(std::chrono::minutes{60});
    CHECK_FALSE(network.stats().behind);
    CHECK(network.stats().overdue == 0);
    CHECK(network.with_fewer_than(20) == 0);
    CHECK(network.take_events<kad::ReprovideBehind>(kProvider).empty());
  }
}
