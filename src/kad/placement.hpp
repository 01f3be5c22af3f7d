#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/kad/output.hpp>

namespace ggen::p2p::kad {

/// Gives one record to several peers, a few at a time.
class Placement {
 public:
  Placement(std::vector<PeerRecord> targets, std::size_t at_once)
      : targets_(std::move(targets)), at_once_(at_once) {}

  [[nodiscard]] std::optional<PeerRecord> next() {
    if (next_ >= targets_.size() || next_ - placed_.stored - placed_.failed >= at_once_) {
      return std::nullopt;
    }
    return targets_[next_++];
  }
  void done(bool stored) { ++(stored ? placed_.stored : placed_.failed); }
  [[nodiscard]] bool finished() const { return placed_.stored + placed_.failed == targets_.size(); }
  [[nodiscard]] const result::Placed& result() const noexcept { return placed_; }

 private:
  std::vector<PeerRecord> targets_;
  std::size_t at_once_;
  std::size_t next_ = 0;
  result::Placed placed_;
};

}  // namespace ggen::p2p::kad
