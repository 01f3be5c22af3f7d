// What it takes to keep many keys provided: the engines of a large network in virtual time.

#include <string>
#include <vector>

#include <fmt/format.h>

#define DOCTEST_CONFIG_DISABLE
#include "../test/kad/network.hpp"
#include "measure.hpp"

namespace bench {
namespace {

using namespace ggen::p2p;
using test::Network;

constexpr std::size_t kNodes = 10'000;
constexpr std::size_t kKeys = 100'000;
constexpr std::size_t kSample = 100;  // of the keys
constexpr std::size_t kProvider = 0;

base::Bytes key(std::size_t number) {
  return test::text(fmt::format("file {}", number));
}

/// Streams that a lookup of one key and telling its k nearest take, on average.
double streams_of_one(Network& network) {
  auto& streams = network.node(kProvider).asked_streams;
  const std::size_t before = streams;
  for (std::size_t i = 0; i < kSample; ++i) {
    network.call(kProvider, [&](kad::Engine& engine) {
      [[maybe_unused]] const auto id = engine.provide(key(kKeys + i), network.now());
    });
    network.run_for(std::chrono::seconds{2});
    network.call(kProvider, [&](kad::Engine& engine) { engine.stop_providing(key(kKeys + i)); });
  }
  return static_cast<double>(streams - before) / kSample;
}

/// The part of the k nearest of some keys that know of them.
double held(Network& network) {
  base::Prng draw{1};
  std::size_t holders = 0;
  for (std::size_t i = 0; i < kKeys; i += kKeys / kSample) {
    for (std::size_t other = 1; other < network.size(); ++other) {
      const auto& store = network.node(other).engine.providers();
      holders += store.find(kad::Key::of(key(i)), 64, draw, network.now()).size();
    }
  }
  return static_cast<double>(holders) / (20 * kSample);
}

}  // namespace

void reprovide_rows(Table& table) {
  const auto start = Clock::now();
  Network network{0};
  network.add(kad::Config{});
  while (network.size() < kNodes) network.add(test::without_maintenance());
  network.introduce_some();
  network.run_for(std::chrono::minutes{2});
  const double one = streams_of_one(network);

  network.call(kProvider, [&](kad::Engine& engine) {
    for (std::size_t i = 0; i < kKeys; ++i) {
      [[maybe_unused]] const auto resumed = engine.resume_providing(key(i), network.now());
    }
  });
  const std::size_t streams = network.node(kProvider).asked_streams;
  const base::Instant since = network.now();
  kad::ProvideStats stats;
  do {
    network.run_for(std::chrono::seconds{10});
    stats = network.node(kProvider).engine.provide_stats(network.now());
  } while (stats.overdue > 0 && network.now() - since < std::chrono::hours{10});

  const std::string how = fmt::format(
      "{} nodes in virtual time, {} keys, {} regions in {} s; one run of {:.0f} s", kNodes, kKeys,
      stats.swept, std::chrono::duration_cast<std::chrono::seconds>(network.now() - since).count(),
      seconds_since(start));
  const auto share = [](double part, double whole) {
    return fmt::format("{:.2f} %", 100 * part / whole);
  };
  const auto used = static_cast<double>(network.node(kProvider).asked_streams - streams);
  table.push_back({"DHT, reproviding by sweep: lookups, of one for each key",
                   share(static_cast<double>(stats.lookups), kKeys), how});
  table.push_back({"DHT, reproviding by sweep: streams opened, of those for each key",
                   share(used, one * kKeys),
                   fmt::format("each key alone takes {:.1f} streams", one)});
  table.push_back({"DHT, reproviding by sweep: records taken, of k for each key",
                   share(static_cast<double>(stats.records_taken) - 20.0 * kSample, 20.0 * kKeys),
                   "the same run"});
  table.push_back({"DHT, reproviding by sweep: holders, of k for each key", share(held(network), 1),
                   fmt::format("{} of the keys", kSample)});
}

}  // namespace bench
