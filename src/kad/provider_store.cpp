#include <algorithm>
#include <iterator>
#include <utility>

#include <ggen/p2p/kad/provider_store.hpp>

namespace ggen::p2p::kad {

using multiformats::Multiaddr;
using multiformats::PeerId;

namespace {

// Cells are many: they grow by a little.
constexpr std::size_t kGrowth = 16;
constexpr std::size_t kMaxPacked = 65535;

}  // namespace

ProviderStore::Result ProviderStore::add(const Key& key, const PeerId& peer,
                                         std::span<const Multiaddr> addresses, base::Instant now) {
  const Distance distance = key.distance(local_);
  const std::uint32_t expires = seconds(now + config_.lifetime);
  const auto known = find_peer(peer);
  const Place place = place_of(distance);
  const auto there = records_at(place);
  if (known) {
    const auto record = std::ranges::find(there, *known, &ProviderRecord::peer);
    if (record != there.end()) {
      record->expires = expires;
      set_addresses(providers_[*known], addresses, now);
      return Result::kRenewed;
    }
  }
  if (known && providers_[*known].keys >= config_.max_per_peer) return Result::kTooManyKeys;
  if (place.count > 0 && place.count >= config_.max_per_key) {
    // Whoever has not renewed its record longest is the likeliest to be gone.
    const auto oldest = std::ranges::min_element(there, {}, &ProviderRecord::expires);
    drop(place.cell, place.first + static_cast<std::size_t>(oldest - there.begin()));
  } else if (!make_room(distance)) {
    return Result::kFull;
  }
  const std::uint32_t slot = provider_slot(peer);
  Provider& provider = providers_[slot];
  ++provider.keys;
  set_addresses(provider, addresses, now);
  insert({distance, slot, expires});
  return Result::kAdded;
}

void ProviderStore::remove(const Key& key, const PeerId& peer) {
  const auto slot = find_peer(peer);
  if (!slot) return;
  const Place place = place_of(key.distance(local_));
  const auto there = records_at(place);
  const auto record = std::ranges::find(there, *slot, &ProviderRecord::peer);
  if (record == there.end()) return;
  drop(place.cell, place.first + static_cast<std::size_t>(record - there.begin()));
}

std::vector<PeerRecord> ProviderStore::find(const Key& key, std::size_t count, base::Prng& prng,
                                            base::Instant now) const {
  std::vector<PeerRecord> found;
  if (count == 0) return found;
  const std::uint32_t second = seconds(now);
  std::vector<std::uint32_t> slots;
  for (const ProviderRecord& record : records_at(place_of(key.distance(local_)))) {
    if (record.expires > second) slots.push_back(record.peer);
  }
  if (slots.size() > count) prng.shuffle(slots);
  slots.resize(std::min(slots.size(), count));
  for (const std::uint32_t slot : slots) {
    const Provider& provider = providers_[slot];
    PeerRecord record{*PeerId::decode(provider.id()), {}, Connectedness::kNotConnected};
    if (provider.addresses_expire > second) record.addresses = provider.addresses();
    found.push_back(std::move(record));
  }
  return found;
}

void ProviderStore::expire(base::Instant now) {
  const std::uint32_t second = seconds(now);
  for (std::size_t cell = cells_.size(); cell-- > 0;) {
    for (std::size_t i = cells_[cell].size(); i-- > 0;) {
      if (cells_[cell][i].expires > second) continue;
      const bool last = cells_[cell].size() == 1;
      drop(cell, i);
      if (last) break;  // the cell is gone
    }
  }
}

std::uint32_t ProviderStore::seconds(base::Instant at) noexcept {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count());
}

// Records.

/// Where the records of the key are, or would be.
ProviderStore::Place ProviderStore::place_of(const Distance& key) const {
  const auto first_key = [](const Cell& cell) { return cell.front().key; };
  const auto after = std::ranges::upper_bound(cells_, key, {}, first_key);
  if (after == cells_.begin()) return {};
  const auto cell = std::prev(after);
  const auto records = std::ranges::equal_range(*cell, key, {}, &ProviderRecord::key);
  return {static_cast<std::size_t>(cell - cells_.begin()),
          static_cast<std::size_t>(records.begin() - cell->begin()), records.size()};
}

std::span<ProviderStore::ProviderRecord> ProviderStore::records_at(const Place& place) {
  if (place.count == 0) return {};
  return std::span{cells_[place.cell]}.subspan(place.first, place.count);
}

std::span<const ProviderStore::ProviderRecord> ProviderStore::records_at(const Place& place) const {
  if (place.count == 0) return {};
  return std::span{cells_[place.cell]}.subspan(place.first, place.count);
}

void ProviderStore::insert(const ProviderRecord& record) {
  if (cells_.empty()) cells_.emplace_back();
  const Place place = cells_.front().empty() ? Place{} : place_of(record.key);
  Cell& cell = cells_[place.cell];
  if (cell.size() == cell.capacity()) cell.reserve(cell.size() + kGrowth);
  cell.insert(cell.begin() + static_cast<std::ptrdiff_t>(place.first + place.count), record);
  ++records_;
  keys_ += place.count == 0 ? 1 : 0;
  if (cell.size() > kMaxCell) split(place.cell);
}

/// In the middle, between two keys.
void ProviderStore::split(std::size_t at) {
  Cell& cell = cells_[at];
  auto middle = std::ranges::lower_bound(cell, cell[cell.size() / 2].key, {}, &ProviderRecord::key);
  if (middle == cell.begin()) {
    middle = std::ranges::upper_bound(cell, cell.front().key, {}, &ProviderRecord::key);
    if (middle == cell.end()) return;
  }
  Cell far{middle, cell.end()};
  cell.erase(middle, cell.end());
  cell.shrink_to_fit();
  cells_.insert(cells_.begin() + static_cast<std::ptrdiff_t>(at + 1), std::move(far));
}

void ProviderStore::drop(std::size_t at, std::size_t index) {
  Cell& cell = cells_[at];
  const ProviderRecord record = cell[index];
  cell.erase(cell.begin() + static_cast<std::ptrdiff_t>(index));
  if (cell.empty()) cells_.erase(cells_.begin() + static_cast<std::ptrdiff_t>(at));
  --records_;
  keys_ -= place_of(record.key).count == 0 ? 1 : 0;
  release(record.peer);
}

/// Drops records of the farthest keys, as far as needed.
bool ProviderStore::make_room(const Distance& distance) {
  while (records_ >= config_.max_records) {
    if (cells_.empty() || !(distance < cells_.back().back().key)) return false;
    drop(cells_.size() - 1, cells_.back().size() - 1);
  }
  return true;
}

// Peers.

/// Where the peer is in by_id_, or would be.
std::size_t ProviderStore::index_of(base::BytesView id) const {
  const auto at = std::ranges::lower_bound(
      by_id_, id,
      [](base::BytesView a, base::BytesView b) {
        return std::ranges::lexicographical_compare(a, b);
      },
      [&](std::uint32_t slot) { return providers_[slot].id(); });
  return static_cast<std::size_t>(at - by_id_.begin());
}

std::optional<std::uint32_t> ProviderStore::find_peer(const PeerId& peer) const {
  const std::size_t at = index_of(peer.bytes());
  if (at == by_id_.size() || !base::equal(providers_[by_id_[at]].id(), peer.bytes())) {
    return std::nullopt;
  }
  return by_id_[at];
}

std::uint32_t ProviderStore::provider_slot(const PeerId& peer) {
  if (const auto slot = find_peer(peer)) return *slot;
  std::uint32_t slot = static_cast<std::uint32_t>(providers_.size());
  if (free_.empty()) {
    providers_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  providers_[slot].pack(peer.bytes(), {});
  by_id_.insert(by_id_.begin() + static_cast<std::ptrdiff_t>(index_of(peer.bytes())), slot);
  return slot;
}

void ProviderStore::set_addresses(Provider& provider, std::span<const Multiaddr> addresses,
                                  base::Instant now) {
  if (addresses.empty()) return;
  provider.addresses_expire = seconds(now + config_.address_lifetime);
  base::Bytes packed;
  std::size_t size = 0;
  for (const Multiaddr& address :
       addresses.first(std::min(addresses.size(), config_.max_addresses))) {
    const base::BytesView bytes = address.bytes();
    size += bytes.size();
    if (size > config_.max_address_size) break;
    if (provider.id_size + packed.size() + 2 + bytes.size() > kMaxPacked) break;
    packed.push_back(static_cast<std::uint8_t>(bytes.size() >> 8));
    packed.push_back(static_cast<std::uint8_t>(bytes.size()));
    base::append(packed, bytes);
  }
  provider.pack(base::to_bytes(provider.id()), packed);
}

void ProviderStore::Provider::pack(base::BytesView id, base::BytesView addresses) {
  auto packed = std::make_unique<std::uint8_t[]>(id.size() + addresses.size());
  std::ranges::copy(addresses, std::ranges::copy(id, packed.get()).out);
  bytes = std::move(packed);
  id_size = static_cast<std::uint16_t>(id.size());
  size = static_cast<std::uint16_t>(id.size() + addresses.size());
}

std::vector<Multiaddr> ProviderStore::Provider::addresses() const {
  std::vector<Multiaddr> found;
  base::BytesView rest{bytes.get() + id_size, bytes.get() + size};
  while (!rest.empty()) {
    const auto length = base::load_big_endian<std::uint16_t>(rest.data());
    if (auto address = Multiaddr::decode(rest.subspan(2, length))) {
      found.push_back(std::move(*address));
    }
    rest = rest.subspan(2 + std::size_t{length});
  }
  return found;
}

void ProviderStore::release(std::uint32_t slot) {
  Provider& provider = providers_[slot];
  if (--provider.keys > 0) return;
  by_id_.erase(by_id_.begin() + static_cast<std::ptrdiff_t>(index_of(provider.id())));
  provider = {};
  free_.push_back(slot);
}

}  // namespace ggen::p2p::kad
