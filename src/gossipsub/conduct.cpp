#include <ggen/p2p/gossipsub/conduct.hpp>

namespace ggen::p2p::gossipsub {

std::string_view to_string(Offence offence) noexcept {
  switch (offence) {
    case Offence::kMalformedFrame:
      return "sent a malformed frame";
    case Offence::kFrameTooLarge:
      return "sent a frame that is too large";
    case Offence::kTooManyEntries:
      return "sent a frame with too many entries";
    case Offence::kRepeatedExtensions:
      return "sent its extensions again";
    case Offence::kInvalidMessage:
      return "sent a message without a valid signature";
    case Offence::kRejectedMessage:
      return "sent a message that was rejected";
    case Offence::kEarlyGraft:
      return "grafted before its backoff was over";
    case Offence::kBrokenPromise:
      return "advertised a message and did not send it";
  }
  return "unknown offence";
}

void Conduct::note(Offence offence) {
  switch (offence) {
    case Offence::kEarlyGraft:
      ++early_grafts;
      break;
    case Offence::kBrokenPromise:
      ++broken_promises;
      break;
    case Offence::kInvalidMessage:
    case Offence::kRejectedMessage:
      ++invalid_messages;
      break;
    case Offence::kMalformedFrame:
    case Offence::kFrameTooLarge:
    case Offence::kTooManyEntries:
    case Offence::kRepeatedExtensions:
      ++bad_frames;
      break;
  }
}

}  // namespace ggen::p2p::gossipsub
