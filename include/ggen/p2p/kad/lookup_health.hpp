#pragma once

#include <cstddef>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/kad/output.hpp>

namespace ggen::p2p::kad {

/// How the latest lookups of a node went, its own and those of maintenance: whether it knows the
/// right peers, and can reach them.
class LookupHealth {
 public:
  static constexpr std::size_t kRemembered = 100;

  void add(const QueryStats& stats) {
    if (latest_.size() >= kRemembered) {
      const Lookup first = *latest_.pop();
      sum_.lookups -= 1;
      sum_.good -= first.good ? 1 : 0;
      sum_.asked -= first.asked;
      sum_.answered -= first.answered;
    }
    const bool good = stats.end == QueryEnd::kConverged || stats.end == QueryEnd::kEnough ||
                      // In a network of fewer than k peers all that there are is asked.
                      (stats.end == QueryEnd::kExhausted && 2 * stats.answered >= stats.asked);
    latest_.push({good, stats.asked, stats.answered});
    sum_.lookups += 1;
    sum_.good += good ? 1 : 0;
    sum_.asked += stats.asked;
    sum_.answered += stats.answered;
  }

  struct Sum {
    std::size_t lookups = 0;  ///< at most kRemembered
    /// Those that converged, found what they were for, or asked everybody and had an answer of
    /// most.
    std::size_t good = 0;
    std::size_t asked = 0;     ///< peers
    std::size_t answered = 0;  ///< of these
  };
  [[nodiscard]] const Sum& sum() const noexcept { return sum_; }

 private:
  struct Lookup {
    bool good = false;
    std::size_t asked = 0;
    std::size_t answered = 0;
  };

  base::Fifo<Lookup> latest_;
  Sum sum_;
};

}  // namespace ggen::p2p::kad
