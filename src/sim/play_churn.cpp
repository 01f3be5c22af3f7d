#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "scenarios.hpp"
#include "work.hpp"

namespace ggen::p2p::sim::play {

using namespace std::chrono_literals;

namespace {

// Nodes that are known to all stay: whoever runs these keeps them up.
constexpr std::uint32_t kMostSteady = 10;
// Of those that leave; the others come back as who they were.
constexpr double kReplaced = 0.5;
constexpr base::Duration kPause = 5min;
// Below 1: many leave soon, and some stay for very long.
constexpr double kShape = 0.7;
// A node that was up for so long has every release that is at least as old.
constexpr base::Duration kKnown = 1min;
// Of fetches and lookups whose node stayed up to their end.
constexpr double kGoodShare = 0.95;

// Whole milliseconds: the last digits of a library's logarithm must not show in the trace.
base::Duration weibull(base::Prng& prng, double shape, base::Duration mean) {
  const double scale =
      std::chrono::duration<double, std::milli>(mean).count() / std::tgamma(1 + 1 / shape);
  const double drawn = scale * std::pow(-std::log1p(-prng.unit()), 1 / shape);
  return std::chrono::milliseconds{std::llround(std::min(drawn, 1e12))};
}

/// Lets nodes leave, come back, and be replaced by others.
class Coming {
 public:
  /// So that half of the nodes are replaced in an hour.
  Coming(World& world, std::uint32_t steady)
      : world_(world), prng_(world.simulation().prng("churn")), steady_(steady) {
    const double changing = static_cast<double>(world.nodes() - steady) / world.nodes();
    const double cycle = 2 * kReplaced * changing * 3600;
    session_ = std::chrono::milliseconds{std::llround(cycle * 1000)} - kPause;
    for (const NodeIndex node : world.up()) came(node);
  }

  /// Up for at least so long.
  [[nodiscard]] std::vector<NodeIndex> settled(base::Duration time) const {
    std::vector<NodeIndex> nodes = world_.up();
    std::erase_if(nodes, [&](NodeIndex node) {
      return world_.simulation().is_stopping(node) || world_.now() - since_.at(node) < time;
    });
    return nodes;
  }
  [[nodiscard]] std::size_t replaced() const noexcept { return replaced_; }
  [[nodiscard]] std::size_t returned() const noexcept { return returned_; }

 private:
  void came(NodeIndex node) {
    since_[node] = world_.now();
    if (node < steady_) return;
    const base::Duration session = weibull(prng_, kShape, session_);
    world_.simulation().at(world_.now() + session, [this, node] { leave(node); });
  }

  void leave(NodeIndex node) {
    const double how = prng_.unit();
    if (how < 0.6) {
      world_.simulation().stop(node);
    } else {
      world_.simulation().crash(node,
                                how < 0.9 ? Network::Crash::kProcess : Network::Crash::kPower);
    }
    const bool for_good = prng_.chance(kReplaced);
    // One that stops is down by then.
    const base::Duration pause = weibull(prng_, 1, kPause) + 30s;
    world_.simulation().at(world_.now() + pause, [this, node, for_good] { come(node, for_good); });
  }

  void come(NodeIndex node, bool in_place_of) {
    if (in_place_of) {
      ++replaced_;
      std::set<NodeIndex> known;
      for (int i = 0; i < 3; ++i) known.insert(static_cast<NodeIndex>(prng_.below(steady_)));
      came(world_.start(World::member(), std::vector(known.begin(), known.end())));
    } else if (!world_.simulation().is_up(node)) {
      ++returned_;
      world_.restart(node);
      came(node);
    }
  }

  World& world_;
  base::Prng prng_;
  std::uint32_t steady_;
  base::Duration session_{};
  std::map<NodeIndex, base::Instant> since_;
  std::size_t replaced_ = 0;
  std::size_t returned_ = 0;
};

/// Whether those who should know the releases do.
struct Reach {
  std::size_t judged = 0;  // releases
  std::size_t expected = 0;
  std::size_t known = 0;

  void judge(const World& world, const Work& work, const Coming& coming) {
    const auto nodes = coming.settled(kKnown);
    for (; judged < work.releases().size(); ++judged) {
      const Work::Release& release = work.releases()[judged];
      if (world.now() - release.when < kKnown) return;
      expected += nodes.size();
      known += static_cast<std::size_t>(std::ranges::count_if(
          nodes, [&](NodeIndex node) { return world.knows(node, release.entry); }));
    }
  }
};

void check_share(World& world, const Work& work, Work::Kind kind, std::string_view what) {
  const Work::Account& account = work.account(kind);
  const std::size_t ended = account.good + account.failed;
  const double share =
      ended == 0 ? 1 : static_cast<double>(account.good) / static_cast<double>(ended);
  world.check(fmt::format("at least {:.0f} % of {} succeed", 100 * kGoodShare, what),
              share >= kGoodShare,
              fmt::format("{} of {}; {} were cut short", account.good, ended, account.cut_short));
}

}  // namespace

void churn(World& world) {
  world.populate(world.nodes());
  const Workload workload{.publishes = 1, .fetches = 6, .searches = 2, .puts = 1, .gets = 6};
  Work work{world, workload};
  Coming coming{world, std::min(kMostSteady, world.nodes() / 2)};
  Reach reach;
  world.step("nodes come and go");
  const base::Instant end = world.now() + world.duration();
  while (world.now() < end) {
    work.go_on(std::min<base::Duration>(10s, end - world.now()));
    reach.judge(world, work, coming);
  }
  world.step("what is under way ends");
  const bool ended = work.settle(3min);
  world.check("every publish, fetch, search and lookup has ended", ended,
              fmt::format("{} have not", work.under_way()));
  world.run_for(kKnown);
  reach.judge(world, work, coming);
  world.check(
      "after a minute every node that is up knows of a release", reach.known == reach.expected,
      fmt::format("{} releases; {} of {} nodes; {} nodes were replaced, {} came back", reach.judged,
                  reach.known, reach.expected, coming.replaced(), coming.returned()));
  std::size_t lacking = 0;
  for (const NodeIndex node : coming.settled(kKnown)) {
    for (const Work::Release& release : work.releases()) {
      lacking += world.knows(node, release.entry) ? 0 : 1;
    }
  }
  world.check("newcomers have the releases of before", lacking == 0,
              fmt::format("{} are missing", lacking));
  check_share(world, work, Work::Kind::kFetch, "fetches");
  check_share(world, work, Work::Kind::kGet, "lookups");
}

}  // namespace ggen::p2p::sim::play
