// Giving a provider record to peers before the lookup of its key is over.

#include "../../src/kad/early_placement.hpp"

#include <map>

#include "network.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;

namespace {

constexpr std::size_t kPeers = 200;
constexpr std::size_t kK = 20;

std::vector<kad::PeerRecord> by_distance(const kad::Key& target) {
  std::map<kad::Distance, kad::PeerRecord> sorted;
  for (std::size_t i = 0; i < kPeers; ++i) {
    sorted.emplace(kad::Key::of(numbered_peer(i)).distance(target), numbered_record(i));
  }
  std::vector<kad::PeerRecord> peers;
  for (const auto& [distance, peer] : sorted) peers.push_back(peer);
  return peers;
}

kad::QueryDone provide(Network& network, std::size_t i, const base::Bytes& key) {
  return network.query(
      i, [&](kad::Engine& engine) { return engine.provide(key, network.now()).value(); });
}

}  // namespace

TEST_CASE("a record is given early to those alone that are likely among the k nearest") {
  std::size_t given = 0;
  std::size_t nearest = 0;
  for (std::size_t number = 0; number < 50; ++number) {
    const kad::Key target = kad::Key::of(text("key " + std::to_string(number)));
    const auto peers = by_distance(target);
    kad::EarlyPlacement early{target, peers[0].peer, kK, kPeers};
    early.hear(peers);
    while (const auto peer = early.next()) {
      CHECK(peer->peer != peers[0].peer);  // who asks
      CHECK(early.has(peer->peer));
      ++given;
      nearest += std::ranges::find(peers, *peer) - peers.begin() <= 20 ? 1 : 0;
      early.done(peer->peer, true);
      early.hear(peers);  // nobody is given it twice
    }
    CHECK(early.under_way() == 0);
  }
  CHECK(given > 50 * 14);
  CHECK(static_cast<double>(nearest) > 0.9 * static_cast<double>(given));
}

TEST_CASE("those who have settled around a key are not enough") {
  const kad::Key target = kad::Key::of(text("key"));
  const auto peers = by_distance(target);
  // As if the network were a hundred times smaller than it seems to be from where they lie.
  for (const double size : {200.0, 10.0}) {
    CAPTURE(size);
    kad::EarlyPlacement early{target, numbered_peer(5000), kK, size};
    early.hear(std::span{peers}.first(15));
    std::size_t taken = 0;
    while (const auto peer = early.next()) {
      CHECK_FALSE(early.enough());
      early.done(peer->peer, true);
      ++taken;
    }
    CHECK(taken == 15);
    CHECK(early.enough() == (size == 200.0));
  }
}

TEST_CASE("providing is done when enough have it, and the rest of the k nearest get it too") {
  Network network{0};
  network.add(kad::Config{});
  while (network.size() < 300) network.add(without_maintenance());
  network.introduce_all();
  // With one lookup of a random key, made as it joined, a node does not know the size of the
  // network.
  network.run_for(std::chrono::minutes{1});
  CHECK(provide(network, 0, text("first")).stats.end == kad::QueryEnd::kConverged);
  network.query(0, [&](kad::Engine& engine) { return engine.bootstrap(network.now()); });
  network.run_for(std::chrono::minutes{1});
  static_cast<void>(network.take_events<kad::QueryDone>(0));
  for (std::size_t i = 1; i < 300; i += 6) network.kill(i);  // and nobody knows it yet

  std::size_t early = 0;
  base::Duration longest{};
  std::vector<base::Bytes> keys;
  for (int i = 0; i < 20; ++i) {
    keys.push_back(text("file " + std::to_string(i)));
    const kad::QueryDone done = provide(network, 0, keys.back());
    const auto placed = std::get<kad::result::Placed>(done.result);
    CHECK(placed.stored >= 15);
    if (done.stats.end != kad::QueryEnd::kEnough) continue;
    ++early;
    longest = std::max(longest, done.stats.took);
    // The id is no longer the caller's: the rest goes on.
    network.call(0, [&](kad::Engine& engine) { engine.cancel(done.id); });
  }
  CHECK(early >= 8);
  CHECK(longest < std::chrono::seconds{3});  // a lookup meets peers that take that long to fail
  network.run_for(std::chrono::minutes{1});
  CHECK(network.take_events<kad::QueryDone>(0).size() == 20);  // and none for the rest
  std::size_t without = 0;
  for (const base::Bytes& key : keys) {
    base::Prng draw{1};
    const kad::QueryDone found = network.query(
        0, [&](kad::Engine& engine) { return engine.closest(key, network.now()).value(); });
    for (const auto& peer : std::get<kad::result::Closest>(found.result).peers) {
      std::size_t index = 0;
      while (network.node(index).id != peer.peer) ++index;
      const auto& held = network.node(index).engine.providers();
      without += held.find(kad::Key::of(key), 64, draw, network.now()).empty() ? 1 : 0;
    }
  }
  CHECK(without <= 20);  // of 400: who lives is better known by now than it was
}
