#include "shrink.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace ggen::p2p::sim_cli {
namespace {

using Faults = std::vector<std::size_t>;

class Search {
 public:
  Search(const Trial& trial, const Outcome& outcome, const Shrinking& shrinking)
      : shrinking_(shrinking), best_{trial, outcome} {
    tried_.insert(trial);
  }

  Shrunk go() {
    Trial before;
    do {
      before = best_.trial;
      fewer_nodes();
      fewer_faults();
    } while (best_.trial != before);
    return std::move(best_);
  }

 private:
  // Half as many; where that is too few, a step of half the size, down to one.
  void fewer_nodes() {
    for (std::uint32_t step = best_.trial.nodes / 2; step > 0;) {
      Trial trial = best_.trial;
      trial.nodes -= std::min(step, trial.nodes - shrinking_.least_nodes);
      if (!accept(trial)) step /= 2;
      step = std::min(step, best_.trial.nodes - shrinking_.least_nodes);
    }
  }

  // Without all; then without each half, each quarter, down to each single one, until none can be
  // missed.
  void fewer_faults() {
    for (std::size_t size = faults().size(); size > 0;) {
      const bool fewer = drop_pieces(size);
      if (size > 1) {
        size /= 2;
      } else if (!fewer) {
        return;
      }
    }
  }

  bool drop_pieces(std::size_t size) {
    bool fewer = false;
    for (std::size_t at = 0; at < faults().size();) {
      Faults rest = faults();
      const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(at);
      rest.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, rest.size() - at)));
      Trial trial = best_.trial;
      trial.keep_faults = std::move(rest);
      if (accept(trial)) {
        fewer = true;
      } else {
        at += size;
      }
    }
    return fewer;
  }

  [[nodiscard]] Faults faults() const {
    if (best_.trial.keep_faults) return *best_.trial.keep_faults;
    Faults all(shrinking_.planned(best_.trial));
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }

  // Whether it fails in the same way: then it is the best. What was tried before was not.
  bool accept(const Trial& trial) {
    if (!best_.whole || tried_.contains(trial)) return false;
    if (best_.runs == shrinking_.most_runs) {
      best_.whole = false;
      return false;
    }
    const auto outcome = shrinking_.run(trial);
    if (!outcome) {
      best_.whole = false;
      return false;
    }
    ++best_.runs;
    tried_.insert(trial);
    if (outcome->failure != best_.outcome.failure) return false;
    best_.trial = trial;
    best_.outcome = *outcome;
    return true;
  }

  const Shrinking& shrinking_;
  Shrunk best_;
  std::set<Trial> tried_;
};

}  // namespace

Shrunk shrink(const Trial& trial, const Outcome& outcome, const Shrinking& shrinking) {
  return Search{trial, outcome, shrinking}.go();
}

}  // namespace ggen::p2p::sim_cli
