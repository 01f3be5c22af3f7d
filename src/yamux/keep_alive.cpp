#include "keep_alive.hpp"

namespace ggen::p2p::yamux {
namespace {

// A slower sample counts one eighth, as in TCP (RFC 6298); a faster one is believed at once.
constexpr int kSlowerShare = 8;

}  // namespace

std::uint32_t KeepAlive::send(base::Instant now) noexcept {
  state_ = State::kSent;
  sent_ = now;
  return ++value_;
}

void KeepAlive::pong(std::uint32_t value, base::Instant now) noexcept {
  if (state_ != State::kSent || value != value_) return;
  measured(now - sent_);
  state_ = State::kResting;
  deadline_ = now + interval_;
}

bool KeepAlive::handle_timeout(base::Instant now) noexcept {
  if (now < deadline_) return true;
  if (state_ == State::kResting) {
    make_due(now);
    return true;
  }
  // The deadline is moved here only, not with each frame that comes in: drivers need not arm their
  // timer again and again.
  deadline_ = heard_ + timeout_;
  return now < deadline_;
}

void KeepAlive::make_due(base::Instant now) noexcept {
  state_ = State::kDue;
  heard_ = now;
  deadline_ = now + timeout_;
}

void KeepAlive::measured(base::Duration sample) noexcept {
  if (!rtt_ || sample < *rtt_) {
    rtt_ = sample;
  } else {
    *rtt_ += (sample - *rtt_) / kSlowerShare;
  }
}

}  // namespace ggen::p2p::yamux
