#include "swarm/backoff.hpp"

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

TEST_CASE("rests double up to the cap, with jitter, and end with success") {
  const Config::Dialing config;
  Backoff<int> backoff(config, base::Prng(1));
  Instant now = kStart;
  CHECK_FALSE(backoff.resting(1, now));
  Duration expected = config.backoff_base;
  for (int failure = 0; failure < 12; ++failure) {
    backoff.failed(1, now);
    const auto until = backoff.resting(1, now);
    REQUIRE(until);
    CHECK(*until - now >= expected / 2);
    CHECK(*until - now <= expected);
    CHECK_FALSE(backoff.resting(1, *until));
    CHECK_FALSE(backoff.resting(2, now));
    now = *until;
    expected = std::min(expected * 2, config.backoff_max);
  }
  CHECK(expected == 5min);
  backoff.failed(1, now);
  backoff.succeeded(1);
  CHECK_FALSE(backoff.resting(1, now));
  backoff.failed(1, now);
  CHECK(*backoff.resting(1, now) - now <= config.backoff_base);
}

TEST_CASE("a crowd does not come back at one moment") {
  const Config::Dialing config;
  std::set<Instant> moments;
  for (std::uint64_t node = 0; node < 20; ++node) {
    Backoff<int> backoff(config, base::Prng(node));
    backoff.failed(1, kStart);
    moments.insert(*backoff.resting(1, kStart));
  }
  CHECK(moments.size() == 20);
}

TEST_CASE("old failures are forgotten, and memory is bounded") {
  Config::Dialing config;
  config.max_backoffs = 8;
  Backoff<int> backoff(config, base::Prng(1));
  for (int key = 0; key < 100; ++key) backoff.failed(key, kStart);
  CHECK(backoff.size() == 8);
  backoff.failed(1000, kStart + 1h);
  CHECK(backoff.size() == 1);
}
