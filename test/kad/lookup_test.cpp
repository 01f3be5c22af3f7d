#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/kad/lookup.hpp>
#include <ggen/p2p/multiformats/multihash.hpp>

using namespace ggen::p2p;
using namespace ggen::p2p::kad;

namespace {

PeerRecord peer(std::uint8_t number) {
  const std::array<std::uint8_t, 1> bytes{number};
  return {*multiformats::PeerId::decode(multiformats::Multihash::sha2_256(bytes).encode()), {}};
}

const PeerRecord kLocal = peer(0);
const Key kTarget = Key::of(kLocal.peer);

/// Peers 1 to `count`, the nearest to the target first.
std::vector<PeerRecord> by_distance(std::uint8_t count) {
  std::vector<PeerRecord> peers;
  for (std::uint8_t i = 1; i <= count; ++i) peers.push_back(peer(i));
  std::ranges::sort(peers, {},
                    [](const PeerRecord& one) { return Key::of(one.peer).distance(kTarget); });
  return peers;
}

/// Asks whom it wants to ask now.
std::vector<PeerRecord> ask(Lookup& lookup) {
  std::vector<PeerRecord> asked;
  while (auto next = lookup.next()) asked.push_back(*std::move(next));
  return asked;
}

}  // namespace

TEST_CASE("lookup: alpha at first, then all of the k nearest once one of these has answered") {
  const auto peers = by_distance(60);
  Lookup lookup({}, kTarget, kLocal.peer);
  lookup.hear(peers);
  CHECK(ask(lookup).size() == 10);
  lookup.answered(peers[4].peer, {});
  CHECK(ask(lookup).size() == 10);
  CHECK(ask(lookup).empty());
  lookup.failed(peers[0].peer);  // the next one takes its place among the nearest
  CHECK(ask(lookup).size() == 1);
  for (std::size_t i = 1; i < 21; ++i) lookup.answered(peers[i].peer, {});
  CHECK(lookup.converged());
  CHECK(lookup.asked_count() == 21);
}

TEST_CASE("lookup: who was left behind holds up nobody, and all that is under way is bounded") {
  const auto peers = by_distance(120);
  const std::span all{peers};
  Lookup lookup({}, kTarget, kLocal.peer);
  lookup.hear(all.subspan(100));
  REQUIRE(ask(lookup).size() == 10);
  lookup.answered(peers[100].peer, all.subspan(60, 20));
  CHECK(ask(lookup).size() == 10);  // none of the nearest has answered yet
  lookup.answered(peers[60].peer, all.subspan(20, 20));
  const auto third = ask(lookup);
  CHECK(third.size() == 10);
  CHECK(third.front().peer == peers[20].peer);
  lookup.answered(peers[20].peer, {});
  CHECK(ask(lookup).size() == 3);  // 9, 9 and 12 are under way: alpha and k
  lookup.slow(peers[101].peer);
  CHECK(ask(lookup).size() == 1);
}

TEST_CASE("lookup: what a liar names is on its own path, and the others go on") {
  const auto peers = by_distance(120);
  const std::span all{peers};
  LookupConfig config;
  config.paths = 2;
  Lookup lookup(config, kTarget, kLocal.peer);
  lookup.hear(all.subspan(100, 2));  // one starts each path
  REQUIRE(ask(lookup).size() == 2);
  // The first names twenty that are nearest and all in league with it.
  lookup.answered(peers[100].peer, all.first(20));
  for (auto gang = ask(lookup); !gang.empty(); gang = ask(lookup)) {
    for (const PeerRecord& peer : gang) lookup.answered(peer.peer, {});
  }
  CHECK_FALSE(lookup.finished());
  // The other path alone hears of somebody honest: ten of these must answer.
  lookup.answered(peers[101].peer, all.subspan(40, 20));
  const auto honest = ask(lookup);
  CHECK(honest.size() == 10);
  for (const PeerRecord& peer : honest) lookup.answered(peer.peer, {});
  CHECK(lookup.converged());
  CHECK(lookup.closest().size() == 20);
  CHECK(lookup.closest().back().peer == peers[19].peer);
}

TEST_CASE("lookup: what nobody waits for changes nothing") {
  const auto peers = by_distance(30);
  Lookup lookup({}, kTarget, kLocal.peer);
  lookup.hear(peers);
  lookup.failed(peers[0].peer);
  lookup.answered(peers[0].peer, {});
  CHECK(lookup.answered_count() == 0);
  REQUIRE(ask(lookup).size() == 10);
  lookup.answered(peers[0].peer, {});
  lookup.failed(peers[0].peer);
  CHECK(lookup.closest().size() == 1);
  lookup.give_up_waiting();
  CHECK(lookup.failed_count() == 9);
  lookup.answered(peers[1].peer, {});
  CHECK(lookup.answered_count() == 1);
}
