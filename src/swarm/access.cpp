#include "access.hpp"

#include <algorithm>

namespace ggen::p2p::swarm {

Access judge(const AccessLists& lists, const IpAddress& address) {
  const auto covers = [&](const IpPrefix& prefix) { return prefix.contains(address); };
  if (std::ranges::any_of(lists.deny_addresses, covers)) return Access::kDenied;
  if (lists.allow_addresses.empty() || std::ranges::any_of(lists.allow_addresses, covers)) {
    return Access::kAdmitted;
  }
  return Access::kNotAllowed;
}

Access judge(const AccessLists& lists, const multiformats::PeerId& peer) {
  if (lists.deny_peers.contains(peer)) return Access::kDenied;
  if (lists.allow_peers.empty() || lists.allow_peers.contains(peer)) return Access::kAdmitted;
  return Access::kNotAllowed;
}

}  // namespace ggen::p2p::swarm
