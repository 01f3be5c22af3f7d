#pragma once

#include <cstdint>
#include <string_view>

#include <ggen/p2p/gossipsub/config.hpp>

namespace ggen::p2p::gossipsub {

/// What a peer did wrong.
enum class Offence : std::uint8_t {
  kMalformedFrame,   ///< not a frame, or not an RPC message in it
  kFrameTooLarge,    ///< above Limits::max_frame
  kTooManyEntries,   ///< above RpcLimits
  kInvalidMessage,   ///< unsigned, or wrongly
  kRejectedMessage,  ///< the owner's verdict
  kEarlyGraft,       ///< GRAFT while it was told to keep away
  kBrokenPromise,    ///< advertised a message and did not send it
};
[[nodiscard]] std::string_view to_string(Offence offence) noexcept;

/// How one peer has behaved: what is counted of it, and what follows.
class Conduct {
 public:
  // Since the peer came, or was last forgotten.
  std::uint64_t first_deliveries = 0;  ///< accepted messages that it was the first to bring
  std::uint64_t duplicates = 0;
  std::uint64_t invalid_messages = 0;  ///< wrongly signed or rejected
  std::uint64_t broken_promises = 0;
  std::uint64_t early_grafts = 0;
  std::uint64_t bad_frames = 0;

  void note(Offence offence);
  void fade(const PenaltyParameters& parameters);

  [[nodiscard]] double penalty() const noexcept { return penalty_; }
  /// Out of every mesh, and no gossip.
  [[nodiscard]] bool shunned(const PenaltyParameters& parameters) const noexcept {
    return penalty_ >= parameters.to_prune;
  }
  /// Nothing it sends is read.
  [[nodiscard]] bool ignored(const PenaltyParameters& parameters) const noexcept {
    return penalty_ >= parameters.to_ignore;
  }

 private:
  double penalty_ = 0;
};

}  // namespace ggen::p2p::gossipsub
