#pragma once

#include <algorithm>
#include <functional>
#include <optional>

#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/swarm/config.hpp>

namespace ggen::p2p::swarm {

/// Remembers what failed lately and until when it rests: exponentially longer with each failure in
/// a row, with jitter, so that a crowd that lost the same peer does not come back as one.
template <class Key, class Hash = std::hash<Key>>
class Backoff {
 public:
  Backoff(const Config::Dialing& config, base::Prng prng) : config_(config), prng_(prng) {}

  void failed(const Key& key, base::Instant now) {
    forget_old(now);
    State& state = states_[key];
    const base::Duration full = length(state.failures++);
    const auto half = full / 2;
    const double part = prng_.unit();
    state.until = now + half +
                  base::Duration{static_cast<base::Duration::rep>(
                      static_cast<double>((full - half).count()) * part)};
    // Failures in a row are remembered for as long again, or the next rest would be short again.
    expiries_.set(key, state.until + full);
  }
  void succeeded(const Key& key) {
    if (states_.erase(key)) expiries_.set(key, std::nullopt);
  }
  /// When it may be tried again; nothing when it may be now.
  [[nodiscard]] std::optional<base::Instant> resting(const Key& key, base::Instant now) const {
    const State* const state = states_.find(key);
    if (state == nullptr || state->until <= now) return std::nullopt;
    return state->until;
  }
  [[nodiscard]] std::size_t size() const { return states_.size(); }

 private:
  struct State {
    unsigned failures = 0;
    base::Instant until;
  };

  [[nodiscard]] base::Duration length(unsigned failures_before) const {
    base::Duration length = config_.backoff_base;
    for (unsigned i = 0; i < failures_before && length < config_.backoff_max; ++i) length *= 2;
    return std::min(length, config_.backoff_max);
  }
  /// Done as entries come, without a timer of its own: what is old does no harm until then.
  void forget_old(base::Instant now) {
    while (const auto key = expiries_.pop_due(now)) states_.erase(*key);
    while (states_.size() >= config_.max_backoffs) {
      states_.erase(*expiries_.pop_due(base::Instant::max()));
    }
  }

  const Config::Dialing& config_;
  base::Prng prng_;
  base::HashMap<Key, State, Hash> states_;
  base::TimerHeap<Key, Hash> expiries_;
};

}  // namespace ggen::p2p::swarm
