#include "receive_window.hpp"

#include <algorithm>
#include <chrono>

#include <ggen/p2p/base/assert.hpp>

namespace ggen::p2p::yamux {
namespace {

// Half of a window used up within two round trips: at the rate of more than a quarter window a
// round trip, so the window is less than four times the bandwidth-delay product. QUIC
// implementations and rust-yamux use the same rule.
constexpr int kRoundTrips = 2;

// On one machine or a LAN, what a window has to cover is the two event loops rather than the wire.
constexpr base::Duration kShortestRoundTrip = std::chrono::milliseconds{1};

}  // namespace

bool ReceiveWindow::charge(std::uint32_t length) noexcept {
  if (length > credit_) return false;
  credit_ -= length;
  charged_ += length;
  return true;
}

bool ReceiveWindow::consume(std::size_t length, base::Instant now,
                            std::optional<base::Duration> rtt, GrowthBudget& budget) noexcept {
  GGEN_INVARIANT(length <= charged_);
  charged_ -= static_cast<std::uint32_t>(length);
  if (due_) return true;
  if (owed() < size_ / 2) return false;
  due_ = true;
  if (rtt && now - epoch_ < kRoundTrips * std::max(*rtt, kShortestRoundTrip)) grow(budget);
  epoch_ = now;
  return true;
}

std::uint32_t ReceiveWindow::grant() noexcept {
  const std::uint32_t delta = owed();
  credit_ += delta;
  due_ = false;
  return delta;
}

void ReceiveWindow::release(GrowthBudget& budget) noexcept {
  budget.left += size_ - kInitialWindow;
  size_ = kInitialWindow;
}

void ReceiveWindow::grow(GrowthBudget& budget) noexcept {
  const std::size_t doubled = std::size_t{size_} * 2;
  const std::size_t wanted = std::min<std::size_t>(doubled, budget.max_window) - size_;
  const std::size_t growth = std::min(wanted, budget.left);
  budget.left -= growth;
  size_ += static_cast<std::uint32_t>(growth);
}

}  // namespace ggen::p2p::yamux
