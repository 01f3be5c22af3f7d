#pragma once

#include <cstdint>
#include <string_view>

namespace ggen::p2p::gossipsub {

/// What a peer did wrong.
enum class Offence : std::uint8_t {
  kMalformedFrame,      ///< not a frame, or not an RPC message in it
  kFrameTooLarge,       ///< above Limits::max_frame
  kTooManyEntries,      ///< above RpcLimits
  kRepeatedExtensions,  ///< 1.3's extensions message elsewhere than first on its stream
  kInvalidMessage,      ///< not signed as the signature policy has it
  kRejectedMessage,     ///< the owner's verdict
  kEarlyGraft,          ///< GRAFT while it was told to keep away
  kBrokenPromise,       ///< advertised a message and did not send it
};
[[nodiscard]] std::string_view to_string(Offence offence) noexcept;

/// What one peer was seen to do since it connected. What follows from it is its score (score.hpp).
struct Conduct {
  std::uint64_t first_deliveries = 0;  ///< accepted messages that it was the first to bring
  std::uint64_t duplicates = 0;
  std::uint64_t invalid_messages = 0;  ///< wrongly signed or rejected
  std::uint64_t broken_promises = 0;
  std::uint64_t early_grafts = 0;
  std::uint64_t bad_frames = 0;

  void note(Offence offence);
};

}  // namespace ggen::p2p::gossipsub
