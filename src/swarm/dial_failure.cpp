#include "dial_failure.hpp"

#include <algorithm>

namespace ggen::p2p::swarm {

using connection::CloseReason;

bool is_wrong_peer(const AddressFailureReason& reason) {
  return reason == AddressFailureReason(CloseReason::kWrongPeer) ||
         reason == AddressFailureReason(LocalClose::kWrongPeer);
}

bool blames_address(const AddressFailureReason& reason) {
  if (const auto* const error = std::get_if<DialError>(&reason)) {
    return *error != DialError::kUnsupported && *error != DialError::kOutOfResources;
  }
  const auto* const closed = std::get_if<CloseReason>(&reason);
  return closed != nullptr && *closed != CloseReason::kLocal && !is_wrong_peer(reason);
}

DialFailureKind kind_of(const std::vector<AddressFailure>& failures) {
  const auto any = [&](auto&& holds) {
    return std::ranges::any_of(failures, holds, &AddressFailure::reason);
  };
  if (any(is_wrong_peer)) return DialFailureKind::kWrongPeer;
  if (any([](const auto& reason) { return !std::holds_alternative<NotTried>(reason); })) {
    return DialFailureKind::kAllFailed;
  }
  if (any([](const auto& reason) { return std::get<NotTried>(reason) == NotTried::kBackoff; })) {
    return DialFailureKind::kBackoff;
  }
  return DialFailureKind::kNoAddresses;
}

}  // namespace ggen::p2p::swarm
