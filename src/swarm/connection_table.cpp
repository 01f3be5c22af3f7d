#include "connection_table.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::swarm {

using connection::ConnectionId;
using multiformats::PeerId;

ConnectionId ConnectionTable::add(ConnectionRecord record) {
  const base::Instant now = record.opened_at;
  ++open_.all;
  if (record.direction == connection::Direction::kInbound) ++open_.inbound;
  const ConnectionId id = entries_.emplace(Entry{std::move(record), now});
  entries_.find(id)->record.id = id;
  return id;
}

const ConnectionRecord* ConnectionTable::find(ConnectionId id) const {
  const Entry* const entry = entries_.find(id);
  return entry == nullptr ? nullptr : &entry->record;
}

bool ConnectionTable::secure(ConnectionId id, const PeerId& peer, base::Instant now) {
  Entry& entry = *entries_.find(id);
  entry.record.peer = peer;
  entry.record.secured_at = now;
  entry.last_used = now;
  ++in_service_;
  std::vector<ConnectionId>& connections = by_peer_[peer];
  connections.push_back(id);
  return connections.size() == 1;
}

bool ConnectionTable::mark_closing(ConnectionId id, LocalClose reason) {
  Entry* const entry = entries_.find(id);
  if (entry == nullptr || entry->record.cause) return false;
  no_longer_open(entry->record);
  entry->record.cause = reason;
  return true;
}

void ConnectionTable::no_longer_open(const ConnectionRecord& record) {
  --open_.all;
  if (record.direction == connection::Direction::kInbound) --open_.inbound;
  if (record.secured_at) --in_service_;
}

void ConnectionTable::close(ConnectionId id, LocalClose reason) {
  if (mark_closing(id, reason)) outbox_.push(output::Close{id, reason});
}

std::optional<ConnectionTable::Removed> ConnectionTable::remove(ConnectionId id,
                                                                connection::CloseReason reason,
                                                                base::Instant now) {
  Entry* const entry = entries_.find(id);
  if (entry == nullptr) return std::nullopt;
  Removed removed{std::move(entry->record), false};
  entries_.erase(id);
  removed.record.closed_at = now;
  if (!removed.record.cause) {
    no_longer_open(removed.record);
    removed.record.cause = reason;
  }
  if (!removed.record.secured_at) return removed;
  std::vector<ConnectionId>& connections = *by_peer_.find(*removed.record.peer);
  std::erase(connections, id);
  removed.last_of_peer = connections.empty();
  if (removed.last_of_peer) by_peer_.erase(*removed.record.peer);
  return removed;
}

void ConnectionTable::used(ConnectionId id, base::Instant now) {
  if (Entry* const entry = entries_.find(id)) entry->last_used = now;
}

void ConnectionTable::set_idle(ConnectionId id, bool idle) {
  if (Entry* const entry = entries_.find(id)) entry->idle = idle;
}

std::vector<ConnectionId> ConnectionTable::to(const PeerId& peer) const {
  std::vector<ConnectionId> result;
  if (const auto* const connections = by_peer_.find(peer)) {
    for (const ConnectionId id : *connections) {
      if (!find(id)->cause) result.push_back(id);
    }
  }
  return result;
}

bool ConnectionTable::reaches(const PeerId& peer) const {
  const auto* const connections = by_peer_.find(peer);
  return connections != nullptr &&
         std::ranges::any_of(*connections, [this](ConnectionId id) { return !find(id)->cause; });
}

std::vector<PeerId> ConnectionTable::peers() const {
  std::vector<PeerId> result;
  for (const auto* const entry : by_peer_.sorted()) result.push_back(entry->first);
  return result;
}

}  // namespace ggen::p2p::swarm
