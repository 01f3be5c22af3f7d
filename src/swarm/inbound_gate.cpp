#include "inbound_gate.hpp"

namespace ggen::p2p::swarm {

IpAddress limit_group(const IpAddress& address) {
  return address.is_v4() ? address : address.masked(64);
}

bool InboundGate::limited(const IpAddress& remote) const {
  return limits_.limit_private_addresses || scope_of(remote) == IpScope::kPublic;
}

bool InboundGate::too_fast(const IpAddress& group, base::Instant now) {
  if (now >= window_ends_) {
    recent_.clear();
    window_ends_ = now + limits_.rate_window;
  }
  if (const std::size_t* count = recent_.find(group)) return *count >= limits_.max_inbound_rate;
  return recent_.size() >= limits_.max_rate_addresses;
}

std::optional<RefuseReason> InboundGate::objection(const IpAddress& remote, base::Instant now) {
  if (limited(remote)) {
    const IpAddress group = limit_group(remote);
    if (too_fast(group, now)) return RefuseReason::kTooFast;
    const std::size_t* open = open_.find(group);
    if (open != nullptr && *open >= limits_.max_inbound_per_address) {
      return RefuseReason::kTooManyFromAddress;
    }
  }
  if (half_open_ >= limits_.max_inbound_half_open) return RefuseReason::kTooManyHalfOpen;
  return std::nullopt;
}

void InboundGate::admitted(const IpAddress& remote) {
  ++half_open_;
  if (!limited(remote)) return;
  ++open_[limit_group(remote)];
  ++recent_[limit_group(remote)];
}

void InboundGate::closed(const IpAddress& remote, bool was_secured) {
  if (!was_secured) --half_open_;
  if (!limited(remote)) return;
  const IpAddress group = limit_group(remote);
  std::size_t* const open = open_.find(group);
  if (open != nullptr && --*open == 0) open_.erase(group);
}

}  // namespace ggen::p2p::swarm
