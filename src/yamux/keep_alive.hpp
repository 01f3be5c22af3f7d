#pragma once

#include <cstdint>
#include <optional>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/yamux/config.hpp>

namespace ggen::p2p::yamux {

/// Pings the remote from time to time, one ping at once, to see that it is there and how far away.
class KeepAlive {
 public:
  KeepAlive(const Config& config, base::Instant now) noexcept
      : interval_(config.keep_alive_interval), timeout_(config.keep_alive_timeout) {
    make_due(now);
  }

  /// Whether a ping waits to be sent.
  [[nodiscard]] bool due() const noexcept { return state_ == State::kDue; }
  /// The value of the ping that is sent now.
  [[nodiscard]] std::uint32_t send(base::Instant now) noexcept;

  /// The remote shows that it is there. Any sign will do: the answer may be stuck behind bulk.
  void sign_of_life(base::Instant now) noexcept { heard_ = now; }
  /// An answer came in. One that does not match the ping under way is ignored, as go-yamux does: it
  /// proves nothing, and it costs nothing.
  void pong(std::uint32_t value, base::Instant now) noexcept;

  [[nodiscard]] base::Instant deadline() const noexcept { return deadline_; }
  /// False when the remote must be given up.
  [[nodiscard]] bool handle_timeout(base::Instant now) noexcept;

  [[nodiscard]] std::optional<base::Duration> rtt() const noexcept { return rtt_; }

 private:
  enum class State : std::uint8_t { kResting, kDue, kSent };

  void make_due(base::Instant now) noexcept;
  void measured(base::Duration sample) noexcept;

  base::Duration interval_;
  base::Duration timeout_;
  base::Instant deadline_;
  base::Instant heard_;  // the last sign of life, or when the ping became due
  base::Instant sent_;
  std::optional<base::Duration> rtt_;
  std::uint32_t value_ = 0;
  State state_ = State::kResting;
};

}  // namespace ggen::p2p::yamux
