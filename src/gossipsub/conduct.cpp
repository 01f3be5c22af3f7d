#include <algorithm>

#include <ggen/p2p/gossipsub/conduct.hpp>

namespace ggen::p2p::gossipsub {
namespace {

// A penalty does not grow above this, so that a peer which has mended its ways is heard again
// within minutes.
constexpr double kMaxPenalty = 1000;
// What has faded to less is nothing.
constexpr double kForgotten = 0.01;

// Early grafts and broken promises happen to honest peers whose clock or memory differs from ours:
// one or two of them have no consequence. The others do not happen by accident.
double weight(Offence offence) {
  switch (offence) {
    case Offence::kEarlyGraft:
    case Offence::kBrokenPromise:
      return 1;
    case Offence::kInvalidMessage:
    case Offence::kRejectedMessage:
      return 3;
    case Offence::kMalformedFrame:
    case Offence::kFrameTooLarge:
    case Offence::kTooManyEntries:
      return 5;
  }
  return 0;
}

}  // namespace

std::string_view to_string(Offence offence) noexcept {
  switch (offence) {
    case Offence::kMalformedFrame:
      return "sent a malformed frame";
    case Offence::kFrameTooLarge:
      return "sent a frame that is too large";
    case Offence::kTooManyEntries:
      return "sent a frame with too many entries";
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
      ++bad_frames;
      break;
  }
  penalty_ = std::min(kMaxPenalty, penalty_ + weight(offence));
}

void Conduct::fade(const PenaltyParameters& parameters) {
  penalty_ *= parameters.decay;
  if (penalty_ < kForgotten) penalty_ = 0;
}

}  // namespace ggen::p2p::gossipsub
