#include <algorithm>
#include <iterator>
#include <utility>

#include <ggen/p2p/kad/provider_store.hpp>

namespace ggen::p2p::kad {

using multiformats::Multiaddr;
using multiformats::PeerId;

ProviderStore::Result ProviderStore::add(const Key& key, const PeerId& peer,
                                         std::span<const Multiaddr> addresses, base::Instant now) {
  const Distance distance = key.distance(local_);
  const std::uint32_t expires = seconds(now + config_.lifetime);
  const std::uint32_t* known = peers_.find(peer);
  const auto at = keys_.find(distance);
  if (known != nullptr && at != keys_.end()) {
    const auto record = std::ranges::find(at->second, *known, &ProviderRecord::peer);
    if (record != at->second.end()) {
      record->expires = expires;
      set_addresses(*providers_[*known], addresses, now);
      return Result::kRenewed;
    }
  }
  if (known != nullptr && providers_[*known]->keys >= config_.max_per_peer) {
    return Result::kTooManyKeys;
  }
  if (at != keys_.end() && at->second.size() >= config_.max_per_key) {
    // Whoever has not renewed its record longest is the likeliest to be gone.
    const auto oldest = std::ranges::min_element(at->second, {}, &ProviderRecord::expires);
    drop(at, static_cast<std::size_t>(oldest - at->second.begin()));
  } else if (!make_room(distance)) {
    return Result::kFull;
  }
  const std::uint32_t slot = provider_slot(peer);
  Provider& provider = *providers_[slot];
  ++provider.keys;
  ++records_;
  set_addresses(provider, addresses, now);
  keys_[distance].push_back({slot, expires});
  return Result::kAdded;
}

void ProviderStore::remove(const Key& key, const PeerId& peer) {
  const std::uint32_t* slot = peers_.find(peer);
  const auto at = keys_.find(key.distance(local_));
  if (slot == nullptr || at == keys_.end()) return;
  const auto record = std::ranges::find(at->second, *slot, &ProviderRecord::peer);
  if (record != at->second.end()) drop(at, static_cast<std::size_t>(record - at->second.begin()));
}

std::vector<PeerRecord> ProviderStore::find(const Key& key, std::size_t count, base::Prng& prng,
                                            base::Instant now) const {
  std::vector<PeerRecord> found;
  const auto at = keys_.find(key.distance(local_));
  if (at == keys_.end() || count == 0) return found;
  const std::uint32_t second = seconds(now);
  std::vector<std::uint32_t> slots;
  for (const ProviderRecord& record : at->second) {
    if (record.expires > second) slots.push_back(record.peer);
  }
  if (slots.size() > count) prng.shuffle(slots);
  slots.resize(std::min(slots.size(), count));
  for (const std::uint32_t slot : slots) {
    const Provider& provider = *providers_[slot];
    PeerRecord record{provider.peer, {}, Connectedness::kNotConnected};
    if (provider.addresses_expire > now) record.addresses = provider.addresses;
    found.push_back(std::move(record));
  }
  return found;
}

void ProviderStore::expire(base::Instant now) {
  const std::uint32_t second = seconds(now);
  for (auto at = keys_.begin(); at != keys_.end();) {
    const auto next = std::next(at);
    for (std::size_t i = at->second.size(); i-- > 0;) {
      if (at->second[i].expires > second) continue;
      const bool last = at->second.size() == 1;
      drop(at, i);
      if (last) break;  // the key is gone
    }
    at = next;
  }
}

std::uint32_t ProviderStore::seconds(base::Instant at) noexcept {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

std::uint32_t ProviderStore::provider_slot(const PeerId& peer) {
  if (const std::uint32_t* slot = peers_.find(peer)) return *slot;
  std::uint32_t slot = static_cast<std::uint32_t>(providers_.size());
  if (free_.empty()) {
    providers_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  providers_[slot].emplace(Provider{peer, {}, {}, 0});
  peers_.try_emplace(peer, slot);
  return slot;
}

void ProviderStore::set_addresses(Provider& provider, std::span<const Multiaddr> addresses,
                                  base::Instant now) {
  if (addresses.empty()) return;
  provider.addresses.clear();
  provider.addresses_expire = now + config_.address_lifetime;
  std::size_t size = 0;
  for (const Multiaddr& address :
       addresses.first(std::min(addresses.size(), config_.max_addresses))) {
    size += address.bytes().size();
    if (size > config_.max_address_size) break;
    provider.addresses.push_back(address);
  }
}

void ProviderStore::drop(Keys::iterator key, std::size_t index) {
  const std::uint32_t slot = key->second[index].peer;
  key->second.erase(key->second.begin() + static_cast<std::ptrdiff_t>(index));
  if (key->second.empty()) keys_.erase(key);
  --records_;
  release(slot);
}

void ProviderStore::release(std::uint32_t slot) {
  if (--providers_[slot]->keys > 0) return;
  peers_.erase(providers_[slot]->peer);
  providers_[slot].reset();
  free_.push_back(slot);
}

/// Drops records of the farthest keys, as far as needed.
bool ProviderStore::make_room(const Distance& distance) {
  while (records_ >= config_.max_records) {
    if (keys_.empty()) return false;
    const auto farthest = std::prev(keys_.end());
    if (!(distance < farthest->first)) return false;
    drop(farthest, farthest->second.size() - 1);
  }
  return true;
}

}  // namespace ggen::p2p::kad
