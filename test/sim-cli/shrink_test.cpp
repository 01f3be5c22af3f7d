#include "shrink.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace ggen::p2p::sim_cli;

namespace {

using Faults = std::vector<std::size_t>;
using Fails = std::function<bool(const Trial&)>;

constexpr std::size_t kPlanned = 40;

Outcome failing(const char* how = "it holds") {
  Outcome outcome;
  outcome.failure = how;
  return outcome;
}

Shrinking by(const Fails& fails, std::vector<Trial>* tried = nullptr) {
  Shrinking shrinking;
  shrinking.least_nodes = 3;
  shrinking.most_runs = 10'000;
  shrinking.planned = [](const Trial&) { return kPlanned; };
  shrinking.run = [=](const Trial& trial) -> std::optional<Outcome> {
    if (tried != nullptr) tried->push_back(trial);
    return fails(trial) ? failing() : Outcome{};
  };
  return shrinking;
}

bool plays(const Trial& trial, std::size_t fault) {
  return !trial.keep_faults || std::ranges::count(*trial.keep_faults, fault) != 0;
}

Trial without(Trial trial, std::size_t fault) {
  std::erase(*trial.keep_faults, fault);
  return trial;
}

}  // namespace

TEST_CASE("shrink: finds the one node number and the faults that matter") {
  rc::check([] {
    const auto nodes = *rc::gen::inRange<std::uint32_t>(3, 200);
    const auto least = *rc::gen::inRange<std::uint32_t>(3, nodes + 1);
    const auto matter =
        *rc::gen::container<std::set<std::size_t>>(rc::gen::inRange<std::size_t>(0, kPlanned));
    std::vector<Trial> tried;
    const auto shrinking = by(
        [&](const Trial& trial) {
          return trial.nodes >= least &&
                 std::ranges::all_of(matter, [&](auto fault) { return plays(trial, fault); });
        },
        &tried);
    const Shrunk shrunk = shrink({1, nodes}, failing(), shrinking);
    RC_ASSERT(shrunk.whole);
    RC_ASSERT(shrunk.runs == tried.size());
    RC_ASSERT(shrunk.trial.nodes == least);
    if (matter.size() < kPlanned) {
      RC_ASSERT(shrunk.trial.keep_faults == Faults(matter.begin(), matter.end()));
    }
    // No run is run twice.
    RC_ASSERT(std::set<Trial>(tried.begin(), tried.end()).size() == tried.size());
  });
}

TEST_CASE("shrink: whatever fails, the smallest fails, and not with one node or fault less") {
  rc::check([](std::uint64_t salt) {
    const auto fails = [salt](const Trial& trial) {
      if (!trial.keep_faults) return true;
      // As good as any: which combinations fail is left to chance.
      std::uint64_t hash = salt + trial.nodes;
      for (const std::size_t fault : *trial.keep_faults) hash = (hash + fault) * 0x9E3779B97F4A7C15;
      return (hash >> 60) < 11;
    };
    const Shrinking shrinking = by(fails);
    const Shrunk shrunk = shrink({1, 30}, failing(), shrinking);
    RC_ASSERT(shrunk.whole);
    RC_ASSERT(fails(shrunk.trial));
    if (shrunk.trial.nodes > shrinking.least_nodes) {
      Trial fewer = shrunk.trial;
      --fewer.nodes;
      RC_ASSERT_FALSE(fails(fewer));
    }
    RC_ASSERT(shrunk.trial.keep_faults);
    for (const std::size_t fault : *shrunk.trial.keep_faults) {
      RC_ASSERT_FALSE(fails(without(shrunk.trial, fault)));
    }
    RC_ASSERT(shrink({1, 30}, failing(), shrinking).trial == shrunk.trial);
  });
}

TEST_CASE("shrink: the number of runs is limited") {
  rc::check([] {
    std::vector<Trial> tried;
    Shrinking shrinking = by([](const Trial& trial) { return plays(trial, 7); }, &tried);
    shrinking.most_runs = *rc::gen::inRange<std::size_t>(0, 30);
    const Shrunk shrunk = shrink({1, 100}, failing(), shrinking);
    RC_ASSERT(tried.size() <= shrinking.most_runs);
    RC_ASSERT(shrunk.runs == tried.size());
    RC_ASSERT(plays(shrunk.trial, 7));
    RC_ASSERT(shrunk.whole == (shrunk.trial == Trial{1, 3, Faults{7}} && shrunk.whole));
  });
}

TEST_CASE("shrink: another failure is not the same") {
  Shrinking shrinking = by({});
  shrinking.run = [](const Trial& trial) -> std::optional<Outcome> {
    return trial.nodes >= 10 ? failing() : failing("something else");
  };
  const Shrunk shrunk = shrink({1, 80}, failing(), shrinking);
  CHECK(shrunk.trial == Trial{1, 10, Faults{}});
  CHECK(shrunk.outcome.failure == "it holds");
}

TEST_CASE("shrink: what cannot be smaller is left as it is, and when it is enough the best stays") {
  Shrinking shrinking = by([](const Trial&) { return false; });
  shrinking.planned = [](const Trial&) { return std::size_t{0}; };
  Shrunk shrunk = shrink({5, 3}, failing(), shrinking);
  CHECK(shrunk.runs == 0);
  CHECK(shrunk.trial == Trial{5, 3});
  CHECK(shrunk.whole);

  std::size_t runs = 0;
  shrinking.run = [&](const Trial&) {
    return ++runs == 1 ? std::optional{failing()} : std::nullopt;
  };
  shrunk = shrink({5, 80}, failing(), shrinking);
  CHECK(runs == 2);
  CHECK(shrunk.trial == Trial{5, 40});
  CHECK_FALSE(shrunk.whole);
}
