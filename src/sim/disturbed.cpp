#include "disturbed.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "work.hpp"

namespace ggen::p2p::sim {
namespace {

using namespace std::chrono_literals;

// What TCP, the absent peers' back-off and a round of sync with each peer take.
constexpr base::Duration kHealing = 10min;
constexpr base::Duration kLongestOperation = 3min;
constexpr std::size_t kSampled = 8;

double seconds(base::Duration time) {
  return std::chrono::duration<double>(time).count();
}

void check_ended(World& world, Work& work) {
  const bool ended = work.settle(kLongestOperation);
  constexpr std::array<std::pair<Work::Kind, std::string_view>, Work::kKinds> kNames{
      {{Work::Kind::kPublish, "publishes"},
       {Work::Kind::kFetch, "fetches"},
       {Work::Kind::kSearch, "searches"},
       {Work::Kind::kPut, "puts"},
       {Work::Kind::kGet, "gets"}}};
  std::string seen;
  for (const auto& [kind, name] : kNames) {
    const Work::Account& account = work.account(kind);
    if (account.begun == 0) continue;
    seen += fmt::format("{}{} of {} {} succeeded", seen.empty() ? "" : "; ", account.good,
                        account.begun, name);
    if (account.cut_short > 0) seen += fmt::format(" and {} were cut short", account.cut_short);
  }
  world.check("every publish, fetch, search and lookup has ended", ended,
              ended ? seen : fmt::format("{} have not; {}", work.under_way(), seen));
}

void check_spread(World& world, const Work& work) {
  std::size_t missing = 0;
  const auto everywhere = [&] {
    missing = 0;
    for (const NodeIndex node : world.up()) {
      for (const Work::Release& release : work.releases()) {
        missing += world.knows(node, release.entry) ? 0 : 1;
      }
    }
    return missing == 0;
  };
  const base::Instant healed = world.now();
  const bool spread = world.wait(everywhere, kHealing);
  world.check("every release has reached every node", spread,
              spread ? fmt::format("{} releases, {:.1f} s after the network was healed",
                                   work.releases().size(), seconds(world.now() - healed))
                     : fmt::format("{} are missing somewhere", missing));
}

// Of archives that somebody has who is up, on nodes that have them not.
void check_fetches(World& world, const Work& work) {
  std::size_t tried = 0;
  std::size_t good = 0;
  std::string failures;
  for (std::size_t i = 0; i < work.releases().size() && tried < kSampled; ++i) {
    const Work::Release& release = work.releases()[world.prng().below(work.releases().size())];
    auto holding = work.holders(release.package);
    std::vector<NodeIndex> others = work.ready();
    std::erase_if(others, [&](NodeIndex node) { return std::ranges::count(holding, node) > 0; });
    // One behind a NAT may be out of reach for good reasons.
    std::erase_if(holding,
                  [&](NodeIndex node) { return !world.simulation().network().dialable(node); });
    if (holding.empty() || others.empty()) continue;
    ++tried;
    const NodeIndex node = others[world.prng().below(others.size())];
    const auto done = world.fetch(node, release.package);
    if (done && done->result) {
      ++good;
    } else {
      failures += fmt::format("; {} on node {}: {}", release.package.metadata.name.text(), node,
                              done ? to_string(done->result.error()) : "no end");
    }
  }
  world.check("archives that somebody holds are fetched", good == tried,
              fmt::format("{} of {}{}", good, tried, failures));
}

}  // namespace

void disturbed(World& world, const std::function<NodeSpec(std::size_t)>& spec,
               const Workload& workload) {
  world.populate(world.nodes(), spec);
  Work work{world, workload};
  world.step("work and faults");
  world.play_faults();
  work.go_on(world.duration());
  world.step("the network heals");
  const bool healed =
      world.wait([&] { return world.healed() && work.ready().size() == world.nodes(); }, kHealing);
  world.check("every node is up again", healed, fmt::format("{} nodes", work.ready().size()));
  check_ended(world, work);
  check_spread(world, work);
  world.settled(kHealing);
  world.step("fetch what is held");
  check_fetches(world, work);
}

}  // namespace ggen::p2p::sim
