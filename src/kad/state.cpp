#include "state.hpp"

#include "rfc3339.hpp"

namespace ggen::p2p::kad {

using multiformats::PeerId;

PeerRecord State::record_of(const TableEntry& entry) const {
  const bool here = connected.contains(entry.peer);
  return {entry.peer, entry.addresses,
          here ? Connectedness::kConnected : Connectedness::kCanConnect};
}

std::optional<PeerRecord> State::find_peer(const PeerId& peer) const {
  if (peer == local) return own_record();
  if (const TableEntry* entry = table.find(peer)) return record_of(*entry);
  if (const ConnectedPeer* known = connected.find(peer)) {
    return PeerRecord{peer, known->addresses, Connectedness::kConnected};
  }
  return std::nullopt;
}

std::vector<PeerRecord> State::nearest(const Key& key, std::size_t count,
                                       RoutingTable::Which which) const {
  std::vector<PeerRecord> records;
  for (const TableEntry* entry : table.nearest(key, count, which))
    records.push_back(record_of(*entry));
  return records;
}

std::vector<PeerRecord> State::connected_servers() const {
  std::vector<PeerRecord> records;
  for (const auto* entry : connected.sorted()) {
    if (!entry->second.serves) continue;
    records.push_back({entry->first, entry->second.addresses, Connectedness::kConnected});
  }
  return records;
}

std::optional<base::Bytes> State::find_value(base::BytesView key, base::Instant now) const {
  const ValueStore::Value* held = values.find(key, now);
  const auto own = own_values.find(base::to_bytes(key));
  if (own == own_values.end()) return held ? std::optional{held->value} : std::nullopt;
  const Validator* validator = validators.find(key);
  const bool newer = held != nullptr && validator->better(key, held->value, own->second);
  return newer ? held->value : own->second;
}

Record State::make_record(base::BytesView key, base::BytesView value,
                          base::Instant received) const {
  return {base::to_bytes(key), base::to_bytes(value),
          to_rfc3339(wall_at_zero + received.time_since_epoch())};
}

}  // namespace ggen::p2p::kad
