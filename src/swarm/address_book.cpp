#include "address_book.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "dial_target.hpp"

namespace ggen::p2p::swarm {
namespace {

using multiformats::Multiaddr;
using multiformats::PeerId;

/// The form in which an address of `peer` is kept, if it can be dialled and is the peer's.
std::optional<Multiaddr> storable(const Multiaddr& address, const PeerId& peer,
                                  std::size_t max_bytes) {
  const auto owner = address.peer_id();
  if (owner && *owner != peer) return std::nullopt;
  Multiaddr bare = address.without_peer_id();
  if (bare.bytes().size() > max_bytes) return std::nullopt;
  const auto target = target_of(bare);
  if (!target) return std::nullopt;
  const auto* const endpoint = std::get_if<IpEndpoint>(&*target);
  if (endpoint != nullptr && !usable(*endpoint)) return std::nullopt;
  return bare;
}

/// How much an address is worth keeping: larger is better.
auto worth(const BookAddress& address) {
  const bool said_by_user = address.source == AddressSource::kUser;
  const bool proven = address.last_success.has_value();
  return std::tuple(said_by_user, proven, -static_cast<int>(address.source), address.expires);
}

/// Null when it is not among them.
template <class Addresses>
auto* entry_of(Addresses& addresses, const Multiaddr& address) {
  const auto it = std::ranges::find(addresses, address, &BookAddress::address);
  return it == addresses.end() ? nullptr : &*it;
}

bool reached_or_chosen(const BookAddress& address) {
  return address.last_success || address.source == AddressSource::kUser;
}

}  // namespace

AddressBook::Peer* AddressBook::entry(const PeerId& peer) {
  if (Peer* const known = peers_.find(peer)) return known;
  if (peers_.size() >= config_.max_peers && !make_room()) return nullptr;
  return &peers_[peer];
}

bool AddressBook::make_room() {
  auto victim = strangers_.pop_due(base::Instant::max());
  if (!victim) victim = known_.pop_due(base::Instant::max());
  return victim && peers_.erase(*victim);
}

bool AddressBook::insert(Peer& entry, BookAddress address, base::Instant now) {
  if (BookAddress* const known = entry_of(entry.addresses, address.address)) {
    known->source = std::min(known->source, address.source);
    known->expires = std::max(known->expires, address.expires);
    if (address.last_success) known->last_success = address.last_success;
    return false;
  }
  if (!entry.connected) {
    std::erase_if(entry.addresses, [&](const BookAddress& old) { return old.expires <= now; });
  }
  if (entry.addresses.size() >= config_.max_addresses_per_peer) {
    const auto worst = std::ranges::min_element(entry.addresses, {}, worth);
    if (worst == entry.addresses.end() || worth(address) < worth(*worst)) return false;
    entry.addresses.erase(worst);
  }
  entry.addresses.push_back(std::move(address));
  return true;
}

void AddressBook::settle(const PeerId& peer, Peer& entry) {
  if (entry.addresses.empty() && !entry.connected) {
    strangers_.set(peer, std::nullopt);
    known_.set(peer, std::nullopt);
    peers_.erase(peer);
    return;
  }
  std::optional<base::Instant> expires;
  if (!entry.connected) {
    expires = std::ranges::max(entry.addresses, {}, &BookAddress::expires).expires;
  }
  const bool known = std::ranges::any_of(entry.addresses, reached_or_chosen);
  strangers_.set(peer, known ? std::nullopt : expires);
  known_.set(peer, known ? expires : std::nullopt);
}

std::size_t AddressBook::add(const PeerId& peer, std::span<const Multiaddr> addresses,
                             AddressSource source, base::Duration ttl, base::Instant now) {
  if (ttl <= base::Duration::zero()) return 0;
  const base::Instant expires = now + std::min(ttl, config_.max_ttl);
  std::size_t added = 0;
  Peer* known = nullptr;
  for (const Multiaddr& address : addresses) {
    auto bare = storable(address, peer, config_.max_address_bytes);
    if (!bare) continue;
    if (known == nullptr) known = entry(peer);
    if (known == nullptr) return 0;
    added += insert(*known, {std::move(*bare), source, expires, {}, {}}, now) ? 1 : 0;
  }
  if (known != nullptr) settle(peer, *known);
  return added;
}

std::expected<void, RecordError> AddressBook::add_record(const PeerRecord& record,
                                                         base::BytesView envelope,
                                                         base::Instant now) {
  Peer* const known = entry(record.peer);
  if (known == nullptr) return std::unexpected(RecordError::kBookFull);
  if (known->sequence && record.sequence <= *known->sequence) {
    return std::unexpected(RecordError::kStale);
  }
  known->sequence = record.sequence;
  known->record = base::to_bytes(envelope);
  std::vector<Multiaddr> certified;
  for (const Multiaddr& address : record.addresses) {
    auto bare = storable(address, record.peer, config_.max_address_bytes);
    if (bare) certified.push_back(std::move(*bare));
  }
  // What the peer no longer vouches for is gone; what else was heard of it stays.
  std::erase_if(known->addresses, [&](const BookAddress& address) {
    return address.source == AddressSource::kRecord &&
           std::ranges::find(certified, address.address) == certified.end();
  });
  if (!known->connected) {
    std::erase_if(known->addresses, [&](const BookAddress& old) { return old.expires <= now; });
  }
  const base::Instant expires = now + std::min(config_.record_ttl, config_.max_ttl);
  for (Multiaddr& address : certified) {
    insert(*known, {std::move(address), AddressSource::kRecord, expires, {}, {}}, now);
  }
  settle(record.peer, *known);
  return {};
}

std::optional<std::uint64_t> AddressBook::sequence(const PeerId& peer) const {
  const Peer* const known = peers_.find(peer);
  return known == nullptr ? std::nullopt : known->sequence;
}

void AddressBook::connected(const PeerId& peer) {
  // Made also when all others are connected: there are no more such entries than connections.
  Peer* const room = entry(peer);
  Peer& known = room == nullptr ? peers_[peer] : *room;
  known.connected = true;
  settle(peer, known);
}

void AddressBook::disconnected(const PeerId& peer, base::Instant now) {
  Peer* const known = peers_.find(peer);
  if (known == nullptr) return;
  known->connected = false;
  for (BookAddress& address : known->addresses) {
    address.expires = std::max(address.expires, now + config_.disconnected_ttl);
  }
  settle(peer, *known);
  while (peers_.size() > config_.max_peers && make_room()) {
  }
}

void AddressBook::succeeded(const PeerId& peer, const Multiaddr& address, base::Instant now) {
  Peer* const known = entry(peer);
  if (known == nullptr) return;
  const base::Instant expires = now + std::min(config_.disconnected_ttl, config_.max_ttl);
  insert(*known, {address, AddressSource::kDialed, expires, now, {}}, now);
  settle(peer, *known);
}

void AddressBook::failed(const PeerId& peer, const Multiaddr& address, base::Instant now) {
  Peer* const known = peers_.find(peer);
  if (known == nullptr) return;
  if (BookAddress* const tried = entry_of(known->addresses, address)) tried->last_failure = now;
}

void AddressBook::disproved(const PeerId& peer, const Multiaddr& address, base::Instant now) {
  failed(peer, address, now);
  Peer* const known = peers_.find(peer);
  if (known == nullptr) return;
  std::erase_if(known->addresses, [&](const BookAddress& other) {
    const bool expired = !known->connected && other.expires <= now;
    return expired || (other.address == address && other.source != AddressSource::kUser);
  });
  settle(peer, *known);
}

std::vector<BookAddress> AddressBook::addresses(const PeerId& peer, base::Instant now) const {
  const Peer* const known = peers_.find(peer);
  if (known == nullptr) return {};
  std::vector<BookAddress> result;
  for (const BookAddress& address : known->addresses) {
    if (known->connected || address.expires > now) result.push_back(address);
  }
  return result;
}

const BookAddress* AddressBook::find(const PeerId& peer, const Multiaddr& address) const {
  const Peer* const known = peers_.find(peer);
  return known == nullptr ? nullptr : entry_of(known->addresses, address);
}

base::BytesView AddressBook::record(const PeerId& peer) const {
  const Peer* const known = peers_.find(peer);
  return known == nullptr ? base::BytesView{} : base::BytesView{known->record};
}

void AddressBook::handle_timeout(base::Instant now) {
  // A heap holds the expiry of a peer's last address: when it is due, nothing is left of the peer.
  while (const auto peer = strangers_.pop_due(now)) peers_.erase(*peer);
  while (const auto peer = known_.pop_due(now)) peers_.erase(*peer);
}

std::optional<base::Instant> AddressBook::next_deadline() const {
  return base::earlier(strangers_.earliest(), known_.earliest());
}

}  // namespace ggen::p2p::swarm
