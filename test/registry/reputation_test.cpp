#include "../../src/registry/reputation.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "../support/peers.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;
using namespace std::chrono_literals;
using test::peer_id;

TEST_CASE("reputation: somebody unknown stands in the middle") {
  const Reputation reputation{{}};
  const auto standing = reputation.standing(peer_id(1), base::Instant{});
  CHECK(standing.success == 0.5);
  CHECK(standing.latency == 0s);
  CHECK(reputation.score(peer_id(1), base::Instant{}) == 0.5);
}

TEST_CASE("reputation: good ones rise, bad ones fall, and fast ones come first") {
  Reputation reputation{{}};
  const base::Instant now{};
  for (int i = 0; i < 10; ++i) {
    reputation.success(peer_id(1), 10ms, now);
    reputation.success(peer_id(2), 3s, now);
    reputation.failure(peer_id(3), now);
  }
  CHECK(reputation.standing(peer_id(1), now).success > 0.9);
  CHECK(reputation.standing(peer_id(1), now).latency == 10ms);
  CHECK(reputation.standing(peer_id(1), now).successes == 10);
  CHECK(reputation.standing(peer_id(3), now).failures == 10);
  CHECK(reputation.score(peer_id(1), now) > reputation.score(peer_id(2), now));
  CHECK(reputation.score(peer_id(1), now) > reputation.score(peer_id(9), now));
  CHECK(reputation.score(peer_id(3), now) < 0.1);
}

TEST_CASE("reputation: one lie outweighs any number of good chunks") {
  Reputation reputation{{}};
  const base::Instant now{};
  for (int i = 0; i < 10'000; ++i) reputation.success(peer_id(1), 1ms, now);
  CHECK(reputation.standing(peer_id(1), now).success > 0.95);
  reputation.blame(peer_id(1), now);
  CHECK(reputation.standing(peer_id(1), now).success <= 0.5);
  reputation.blame(peer_id(2), now);
  reputation.failure(peer_id(3), now);
  CHECK(reputation.score(peer_id(2), now) < 0.1);
  CHECK(reputation.score(peer_id(3), now) > 0.3);
}

TEST_CASE("reputation: a peer that turns bad is noticed soon") {
  Reputation reputation{{}};
  const base::Instant now{};
  for (int i = 0; i < 10'000; ++i) reputation.success(peer_id(1), 1ms, now);
  for (int i = 0; i < 100; ++i) reputation.failure(peer_id(1), now);
  CHECK(reputation.standing(peer_id(1), now).success < 0.5);
}

TEST_CASE("reputation: what a peer did fades") {
  Reputation reputation{{.half_life = 10min}};
  const base::Instant start{};
  for (int i = 0; i < 6; ++i) reputation.success(peer_id(1), 1ms, start);
  for (int i = 0; i < 6; ++i) reputation.failure(peer_id(2), start);
  // Six count as three after one half-life: (3 + 1) / (3 + 2).
  CHECK(reputation.standing(peer_id(1), start + 10min).success == doctest::Approx(0.8));
  double before = reputation.standing(peer_id(1), start).success;
  for (int minute = 1; minute < 60; ++minute) {
    const double success = reputation.standing(peer_id(1), start + minute * 1min).success;
    CHECK(success < before);
    before = success;
  }
  CHECK(reputation.standing(peer_id(1), start + 24h * 365).success == doctest::Approx(0.5));
  CHECK(reputation.standing(peer_id(2), start + 24h).success == doctest::Approx(0.5));
  CHECK(reputation.standing(peer_id(1), start + 24h).successes == 6);
}

TEST_CASE("reputation: knows a bounded number, and forgets who was silent longest") {
  Reputation reputation{{.max_peers = 3}};
  const base::Instant now{};
  for (std::uint8_t i = 1; i <= 3; ++i) reputation.success(peer_id(i), 1ms, now);
  reputation.failure(peer_id(1), now);
  reputation.success(peer_id(4), 1ms, now);
  CHECK(reputation.size() == 3);
  CHECK(reputation.standing(peer_id(2), now).successes == 0);
  CHECK(reputation.standing(peer_id(1), now).successes == 1);
  for (std::uint8_t i = 5; i < 200; ++i) reputation.blame(peer_id(i), now);
  CHECK(reputation.size() == 3);
}
