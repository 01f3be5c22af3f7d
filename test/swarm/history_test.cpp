#include "support.hpp"
#include "swarm/history_log.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

namespace {

const auto kHere = "/ip4/203.0.113.1/tcp/4001";

Multiaddr from(unsigned host, unsigned port) {
  return addr("/ip4/192.0.2." + std::to_string(host) + "/tcp/" + std::to_string(port));
}

}  // namespace

TEST_CASE("the past is bounded and the latest of it kept") {
  Config::HistoryLimits limits;
  limits.max_closed = 3;
  limits.max_failed_dials = 2;
  HistoryLog log(limits);
  for (int i = 0; i < 5; ++i) {
    ConnectionRecord record;
    record.opened_at = kStart + 1s * i;
    log.closed(record);
    log.dial_failed({peer(1), Purpose::kUser, kStart, kStart + 1s * i, {}});
  }
  REQUIRE(log.history().closed.size() == 3);
  CHECK(log.history().closed.front().opened_at == kStart + 2s);
  CHECK(log.history().closed.back().opened_at == kStart + 4s);
  REQUIRE(log.history().failed_dials.size() == 2);
  CHECK(log.history().failed_dials.back().failed_at == kStart + 4s);
}

TEST_CASE("a flood of refusals from one place takes one place") {
  Config::HistoryLimits limits;
  limits.max_refused = 4;
  HistoryLog log(limits);
  log.refused(addr(kHere), from(1, 1), RefuseReason::kAddressDenied, kStart);
  for (unsigned i = 0; i < 1000; ++i) {
    log.refused(addr(kHere), from(2, 1000 + i), RefuseReason::kTooFast, kStart + 1s * i);
  }
  log.refused(addr(kHere), from(2, 1), RefuseReason::kTooManyHalfOpen, kStart);
  const auto& refused = log.history().refused;
  REQUIRE(refused.size() == 3);
  CHECK(refused[0].count == 1);
  CHECK(refused[1].count == 1000);
  CHECK(refused[1].first_at == kStart);
  CHECK(refused[1].last_at == kStart + 999s);
  CHECK(refused[1].remote == from(2, 1999));
  for (unsigned i = 0; i < 100; ++i) {
    log.refused(addr(kHere), from(i, 1), RefuseReason::kTooManyInbound, kStart);
  }
  CHECK(refused.size() == 4);
}
