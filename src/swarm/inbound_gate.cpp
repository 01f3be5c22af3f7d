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

std::optional<RefuseReason> InboundGate::admit(const IpAddress& remote, std::size_t in_use,
                                               base::Instant now) {
  const bool by_address = limited(remote);
  const IpAddress group = limit_group(remote);
  if (by_address) {
    if (too_fast(group, now)) return RefuseReason::kTooFast;
    const std::size_t* open = open_.find(group);
    if (open != nullptr && *open >= limits_.max_inbound_per_address) {
      return RefuseReason::kTooManyFromAddress;
    }
  }
  if (in_use >= limits_.max_connections) return RefuseReason::kTooManyConnections;
  if (inbound_ >= limits_.max_inbound) return RefuseReason::kTooManyInbound;
  if (half_open_ >= limits_.max_inbound_half_open) return RefuseReason::kTooManyHalfOpen;
  ++inbound_;
  ++half_open_;
  if (by_address) {
    ++open_[group];
    ++recent_[group];
  }
  return std::nullopt;
}

void InboundGate::closed(const IpAddress& remote, bool was_secured) {
  --inbound_;
  if (!was_secured) --half_open_;
  if (!limited(remote)) return;
  const IpAddress group = limit_group(remote);
  std::size_t* const open = open_.find(group);
  if (open != nullptr && --*open == 0) open_.erase(group);
}

}  // namespace ggen::p2p::swarm
