#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/yamux/frame.hpp>

namespace ggen::p2p::yamux {

/// What the windows of one session may still grow by, in bytes, and how far a single one may.
struct GrowthBudget {
  std::uint32_t max_window = kInitialWindow;
  std::size_t left = 0;
};

/// How much the remote may send on one stream. At any time
///   size = credit (the remote may send it) + charged (sent, not consumed) + owed (to be returned).
class ReceiveWindow {
 public:
  explicit ReceiveWindow(base::Instant now) noexcept : epoch_(now) {}

  /// Charges a frame of `length` bytes; false when the remote had no credit for it.
  [[nodiscard]] bool charge(std::uint32_t length) noexcept;

  /// The owner has dealt with `length` charged bytes. True when enough is owed now to be worth a
  /// frame: half of the window. (js-libp2p stalls on crumbs, and each update costs the remote a
  /// frame to handle.) In that case the window may have grown, see grow().
  [[nodiscard]] bool consume(std::size_t length, base::Instant now,
                             std::optional<base::Duration> rtt, GrowthBudget& budget) noexcept;

  /// Returns everything owed: the delta of the WINDOW_UPDATE that must be sent now.
  [[nodiscard]] std::uint32_t grant() noexcept;

  /// Gives what the window has grown by back to the budget.
  void release(GrowthBudget& budget) noexcept;

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint32_t credit() const noexcept { return credit_; }

 private:
  [[nodiscard]] std::uint32_t owed() const noexcept { return size_ - credit_ - charged_; }
  void grow(GrowthBudget& budget) noexcept;

  std::uint32_t size_ = kInitialWindow;
  std::uint32_t credit_ = kInitialWindow;
  std::uint32_t charged_ = 0;
  bool due_ = false;  // owed() reached half, and grant() has not been called since
  base::Instant epoch_;
};

}  // namespace ggen::p2p::yamux
