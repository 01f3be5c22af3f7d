#include "swarm/dial_ranker.hpp"

#include <string>
#include <vector>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::swarm;
using namespace ggen::p2p::swarm::test;

namespace {

Candidate at(std::string_view address) {
  return {{ip(address), 4001}, std::nullopt, false, std::nullopt, std::nullopt};
}

std::vector<std::pair<std::string, Duration>> order(std::vector<Candidate> candidates) {
  std::vector<std::pair<std::string, Duration>> result;
  for (const auto& ranked : rank(std::move(candidates), Config::Dialing{})) {
    result.emplace_back(ranked.candidate.endpoint.address.to_string(), ranked.offset);
  }
  return result;
}

using Order = std::vector<std::pair<std::string, Duration>>;

}  // namespace

TEST_CASE("families alternate, IPv6 first, a quarter of a second apart") {
  CHECK(order({at("192.0.2.1"), at("192.0.2.2"), at("2001:db8::1"), at("192.0.2.3"),
               at("2001:db8::2")}) == Order{{"2001:db8::1", 0ms},
                                            {"192.0.2.1", 250ms},
                                            {"2001:db8::2", 500ms},
                                            {"192.0.2.2", 750ms},
                                            {"192.0.2.3", 1000ms}});
  CHECK(order({}).empty());
}

TEST_CASE("private addresses run beside public ones") {
  CHECK(order({at("192.0.2.1"), at("192.0.2.2"), at("10.0.0.1"), at("127.0.0.1"), at("::1")}) ==
        Order{{"::1", 0ms},
              {"192.0.2.1", 0ms},
              {"10.0.0.1", 30ms},
              {"127.0.0.1", 60ms},
              {"192.0.2.2", 250ms}});
}

TEST_CASE("what worked last comes first, what failed last comes last") {
  Candidate proven = at("192.0.2.1");
  proven.last_success = kStart + 1min;
  proven.last_failure = kStart;
  Candidate latest = at("192.0.2.2");
  latest.last_success = kStart + 2min;
  Candidate failed = at("2001:db8::3");
  failed.last_failure = kStart + 3min;
  failed.last_success = kStart + 1min;
  Candidate failed_long_ago = at("2001:db8::4");
  failed_long_ago.last_failure = kStart + 2min;
  Candidate certified = at("192.0.2.5");
  certified.certified = true;
  const Candidate fresh6 = at("2001:db8::6");
  const Candidate fresh4 = at("192.0.2.7");
  CHECK(order({failed, fresh4, fresh6, failed_long_ago, certified, proven, latest}) ==
        Order{{"192.0.2.2", 0ms},
              {"192.0.2.1", 250ms},
              {"192.0.2.5", 500ms},    // certified before merely heard of
              {"2001:db8::6", 750ms},  // then the other family
              {"192.0.2.7", 1000ms},
              {"2001:db8::4", 1250ms},
              {"2001:db8::3", 1500ms}});
}
