#include "own_addresses.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::swarm {

using multiformats::Multiaddr;

ListenId OwnAddresses::listen(const Multiaddr& address) {
  if (stopping_) return refuse(address, ListenError::kStopping);
  if (!endpoint_of(address)) return refuse(address, ListenError::kUnsupported);
  if (listeners_.size() >= config_.max_listeners) {
    return refuse(address, ListenError::kOutOfResources);
  }
  const Multiaddr bare = address.without_peer_id();
  const ListenId id = listeners_.emplace(Listener{bare, {}});
  outbox_.push(output::Listen{id, bare});
  return id;
}

ListenId OwnAddresses::refuse(const Multiaddr& address, ListenError error) {
  const ListenId id = listeners_.emplace(Listener{});
  listeners_.erase(id);
  outbox_.push(event::ListenFailed{id, address, error});
  return id;
}

void OwnAddresses::stop_listening(ListenId id) {
  if (!listeners_.erase(id)) return;
  outbox_.push(output::StopListening{id});
  changed();
}

void OwnAddresses::listening(ListenId id,
                             std::expected<std::vector<Multiaddr>, ListenError> result) {
  Listener* const listener = listeners_.find(id);
  if (listener == nullptr) return;
  if (result) {
    listener->bound = *result;
    outbox_.push(event::Listening{id, std::move(*result)});
  } else {
    outbox_.push(event::ListenFailed{id, listener->asked, result.error()});
    listeners_.erase(id);
  }
  changed();
}

void OwnAddresses::observed(const Multiaddr& address, const ConnectionRecord& connection,
                            base::Instant now) {
  const auto seen = endpoint_of(address);
  const auto local = endpoint_of(connection.local);
  const auto remote = endpoint_of(connection.remote);
  if (!seen || !local || !remote || scope_of(seen->address) == IpScope::kUnusable) return;
  // The port of an outbound connection leads nowhere, unless it was made from a listener's.
  const bool inbound = connection.direction == connection::Direction::kInbound;
  if (!inbound && !contains(*local)) return;
  const bool bound = contains(*seen) && !std::ranges::count(observed_.confirmed(), *seen);
  if (bound) return;
  if (observed_.vote(*seen, *connection.peer, remote->address, *local, now)) changed();
}

std::vector<Multiaddr> OwnAddresses::all() const {
  std::vector<Multiaddr> result;
  const auto add = [&](const Multiaddr& address) {
    if (std::ranges::find(result, address) == result.end()) result.push_back(address);
  };
  listeners_.for_each([&](ListenId, const Listener& listener) {
    for (const Multiaddr& address : listener.bound) add(address);
  });
  for (const IpEndpoint& endpoint : observed_.confirmed()) add(endpoint.to_multiaddr());
  return result;
}

void OwnAddresses::changed() {
  std::vector<Multiaddr> addresses = all();
  std::set<IpEndpoint> own;
  for (const Multiaddr& address : addresses) {
    if (const auto endpoint = endpoint_of(address)) own.insert(*endpoint);
  }
  if (own == own_) return;
  own_ = std::move(own);
  outbox_.push(event::ListenAddressesChanged{std::move(addresses)});
}

void OwnAddresses::stop() {
  stopping_ = true;
  std::vector<ListenId> ids;
  listeners_.for_each([&](ListenId id, const Listener&) { ids.push_back(id); });
  for (const ListenId id : ids) stop_listening(id);
}

void OwnAddresses::handle_timeout(base::Instant now) {
  if (observed_.handle_timeout(now)) changed();
}

}  // namespace ggen::p2p::swarm
