#include "keep_alive.hpp"

#include <doctest/doctest.h>

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace std::chrono_literals;
using base::Instant;

namespace {

constexpr Instant kStart{};

}  // namespace

TEST_CASE("keep-alive: the first ping is due at once, the next an interval after the answer") {
  KeepAlive alive{Config{}, kStart};
  CHECK(alive.due());
  const std::uint32_t value = alive.send(kStart);
  CHECK_FALSE(alive.due());
  alive.sign_of_life(kStart + 50ms);
  alive.pong(value, kStart + 50ms);
  CHECK(alive.rtt() == 50ms);
  CHECK(alive.deadline() == kStart + 50ms + 30s);
  CHECK(alive.handle_timeout(kStart + 30s));
  CHECK_FALSE(alive.due());
  CHECK(alive.handle_timeout(kStart + 50ms + 30s));
  CHECK(alive.due());
  CHECK(alive.send(kStart + 31s) != value);
}

TEST_CASE("keep-alive: silence after a ping ends it, whether the ping could be sent or not") {
  for (const bool sent : {true, false}) {
    KeepAlive alive{Config{}, kStart};
    if (sent) static_cast<void>(alive.send(kStart + 1s));
    CHECK(alive.handle_timeout(kStart + 10s - 1ns));
    CHECK_FALSE(alive.handle_timeout(kStart + 10s));
  }
}

TEST_CASE("keep-alive: any sign of life will do") {
  KeepAlive alive{Config{}, kStart};
  const std::uint32_t value = alive.send(kStart);
  alive.sign_of_life(kStart + 7s);
  CHECK(alive.deadline() == kStart + 10s);
  CHECK(alive.handle_timeout(kStart + 10s));
  CHECK(alive.deadline() == kStart + 17s);
  alive.sign_of_life(kStart + 16s);
  alive.pong(value, kStart + 16s);
  CHECK(alive.handle_timeout(kStart + 17s));
  CHECK_FALSE(alive.due());
}

TEST_CASE("keep-alive: answers to nothing, of other values and twice are not measured") {
  KeepAlive alive{Config{}, kStart};
  alive.pong(0, kStart);
  alive.pong(1, kStart);
  const std::uint32_t value = alive.send(kStart);
  alive.pong(value + 1, kStart + 1ms);
  CHECK_FALSE(alive.rtt());
  alive.pong(value, kStart + 2ms);
  alive.pong(value, kStart + 1s);
  CHECK(alive.rtt() == 2ms);
  CHECK(alive.deadline() == kStart + 2ms + 30s);
}

TEST_CASE("keep-alive: the round trip follows faster samples at once and slower ones slowly") {
  KeepAlive alive{Config{}, kStart};
  Instant now = kStart;
  const auto sample = [&](base::Duration time) {
    const std::uint32_t value = alive.send(now);
    now += time;
    alive.pong(value, now);
    now = alive.deadline();
    CHECK(alive.handle_timeout(now));
    return *alive.rtt();
  };
  CHECK(sample(80ms) == 80ms);
  CHECK(sample(160ms) == 90ms);
  CHECK(sample(20ms) == 20ms);
}
