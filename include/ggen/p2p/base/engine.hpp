#pragma once

#include <concepts>
#include <optional>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/base/time.hpp>

namespace ggen::p2p::base {

/// An engine does no I/O: bytes and events go in with the time as an argument, outputs are polled,
/// and it says when it next wants to be called. It never calls back into its owner.
template <class E>
concept Engine = requires(E& engine, const E& constant, Instant now) {
  engine.handle_timeout(now);
  { engine.poll().has_value() } -> std::convertible_to<bool>;
  { constant.next_deadline() } -> std::convertible_to<std::optional<Instant>>;
};

/// Deadlines that may come due one after the other at the same instant.
inline constexpr int kMaxRoundsAtOnce = 1000;

/// The drain rule, written once: mutate, drain poll() until it is empty, then sleep until
/// next_deadline(). `mutate(engine)` may call any of the engine's inputs; `sink(output)` receives
/// each output and must not touch the engine. Returns the deadline to sleep until. Deadlines that
/// have been reached are handled here, never returned.
template <Engine E, class Mutate, class Sink>
std::optional<Instant> step(E& engine, Instant now, Mutate&& mutate, Sink&& sink) {
  std::forward<Mutate>(mutate)(engine);
  while (auto output = engine.poll()) sink(std::move(*output));
  for (int round = 0;; ++round) {
    const std::optional<Instant> deadline = engine.next_deadline();
    if (!deadline || *deadline > now) return deadline;
    // One deadline may bring about another at once; a deadline that stays in the past would spin
    // for ever.
    GGEN_INVARIANT(round < kMaxRoundsAtOnce);
    engine.handle_timeout(now);
    while (auto output = engine.poll()) sink(std::move(*output));
  }
}

}  // namespace ggen::p2p::base
