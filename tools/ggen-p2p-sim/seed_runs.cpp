#include "seed_runs.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ggen::p2p::sim_cli {
namespace {

// How often somebody is asked whether to go on.
constexpr std::chrono::milliseconds kBetween{100};

}  // namespace

SeedRuns::SeedRuns(Setup setup) : setup_(std::move(setup)), passed_(setup_.seeds.size()) {}

std::expected<SeedResults, std::string> SeedRuns::run() {
  for (;;) {
    if (const auto started = start_some(); !started) return std::unexpected(started.error());
    if (running_.empty()) return results(true);
    wait();
    take_ended();
    cut_off();
    if (!setup_.go_on(tally())) return results(false);
  }
}

std::expected<void, std::string> SeedRuns::start_some() {
  while (started_ < setup_.seeds.size() && running_.size() < setup_.jobs) {
    const std::uint64_t seed = setup_.seeds.first + started_;
    auto child = ChildProcess::start(setup_.command(seed), setup_.limit);
    if (!child) return std::unexpected(child.error());
    running_.emplace(seed, std::move(*child));
    ++started_;
  }
  return {};
}

void SeedRuns::wait() {
  std::vector<const ChildProcess*> children;
  for (const auto& [seed, child] : running_) children.push_back(child.get());
  wait_for_any(children, kBetween);
}

void SeedRuns::take_ended() {
  for (auto at = running_.begin(); at != running_.end();) {
    const auto end = at->second->poll();
    if (!end) {
      ++at;
      continue;
    }
    Outcome outcome = outcome_of(*end);
    if (outcome.failed()) {
      failed_.emplace(at->first, std::move(outcome));
    } else {
      passed_[at->first - setup_.seeds.first] = true;
    }
    at = running_.erase(at);
  }
}

// What comes after the last failure that counts is dropped, also what was faster than an earlier
// seed: how many run at a time must not show.
void SeedRuns::cut_off() {
  if (!setup_.stop_after || failed_.size() < *setup_.stop_after) return;
  const auto last = std::next(failed_.begin(), static_cast<std::ptrdiff_t>(*setup_.stop_after - 1));
  setup_.seeds.last = last->first;
  failed_.erase(std::next(last), failed_.end());
  running_.erase(running_.upper_bound(setup_.seeds.last), running_.end());
  passed_.resize(setup_.seeds.size());
}

SeedTally SeedRuns::tally() const {
  return {started_ - running_.size(), failed_.size()};
}

SeedResults SeedRuns::results(bool whole) {
  SeedResults results;
  results.whole = whole;
  results.passed = static_cast<std::uint64_t>(std::ranges::count(passed_, true));
  for (auto& [seed, outcome] : failed_) results.failures.push_back({seed, std::move(outcome)});
  return results;
}

std::optional<ChildEnd> run_one(const Command& command, base::Duration limit,
                                const std::function<bool()>& go_on) {
  const auto child = ChildProcess::start(command, limit);
  while (child && go_on()) {
    if (auto end = (*child)->poll()) return end;
    const ChildProcess* const only = child->get();
    wait_for_any({&only, 1}, kBetween);
  }
  return std::nullopt;
}

}  // namespace ggen::p2p::sim_cli
