#include <algorithm>
#include <utility>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/kad/routing_table.hpp>

namespace ggen::p2p::kad {
namespace {

using multiformats::IpAddress;
using multiformats::Multiaddr;
using multiformats::PeerId;

void add_group(std::vector<IpAddress>& groups, const IpAddress& address) {
  if (address.is_loopback() || address.is_private() || address.is_unspecified()) return;
  const IpAddress group = address.unmapped().group();
  if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
}

template <class Entries>
auto find_in(Entries& entries, const PeerId& peer) {
  return std::ranges::find_if(entries, [&](const TableEntry& entry) { return entry.peer == peer; });
}

}  // namespace

Added RoutingTable::add(const PeerId& peer, std::span<const Multiaddr> addresses,
                        std::optional<IpAddress> remote, base::Instant now) {
  TableEntry entry{
      .peer = peer, .key = Key::of(peer), .addresses = {}, .groups = {}, .last_seen = now};
  if (entry.key == local_) return Added::kOwn;
  for (const Multiaddr& address :
       addresses.first(std::min(addresses.size(), config_.max_addresses))) {
    entry.addresses.push_back(address);
  }
  if (remote) {
    add_group(entry.groups, *remote);
  } else {
    for (const Multiaddr& address : entry.addresses) {
      if (const auto ip = address.ip()) add_group(entry.groups, *ip);
    }
  }

  const std::size_t prefix = entry.key.common_prefix(local_);
  if (prefix >= buckets_.size()) buckets_.resize(prefix + 1);
  Bucket& bucket = buckets_[prefix];
  if (const auto waiting = find_in(bucket.waiting, peer); waiting != bucket.waiting.end()) {
    bucket.waiting.erase(waiting);
  }
  bool known = false;
  if (const auto at = find_in(bucket.entries, peer); at != bucket.entries.end()) {
    // Counted anew: its addresses may have changed.
    known = true;
    entry.latency = take_out(bucket, at).latency;
  }

  Added result = known ? Added::kUpdated : Added::kAdded;
  if (crowded(bucket.entries, entry)) {
    result = Added::kCrowded;
    if (known) changes_.push({peer, false});
    promote(bucket);
  } else if (bucket.entries.size() >= config_.bucket_size) {
    result = Added::kWaiting;
    wait(bucket, std::move(entry));
  } else {
    if (!known) changes_.push({peer, true});
    insert(bucket, std::move(entry));
  }
  shrink();
  return result;
}

void RoutingTable::alive(const PeerId& peer, base::Duration latency, base::Instant now) {
  Bucket* bucket = bucket_for(Key::of(peer));
  if (bucket == nullptr) return;
  for (Entries* entries : {&bucket->entries, &bucket->waiting}) {
    const auto at = find_in(*entries, peer);
    if (at == entries->end()) continue;
    at->last_seen = now;
    at->failures = 0;
    at->latency = latency;
    std::rotate(at, at + 1, entries->end());
  }
}

void RoutingTable::failed(const PeerId& peer) {
  Bucket* bucket = bucket_for(Key::of(peer));
  if (bucket == nullptr) return;
  if (const auto at = find_in(bucket->waiting, peer); at != bucket->waiting.end()) {
    bucket->waiting.erase(at);
    shrink();
  } else if (const auto entry = find_in(bucket->entries, peer); entry != bucket->entries.end()) {
    ++entry->failures;
    if (entry->failures >= config_.max_failures || !bucket->waiting.empty()) remove(peer);
  }
}

void RoutingTable::remove(const PeerId& peer) {
  Bucket* bucket = bucket_for(Key::of(peer));
  if (bucket == nullptr) return;
  if (const auto at = find_in(bucket->waiting, peer); at != bucket->waiting.end()) {
    bucket->waiting.erase(at);
  }
  if (const auto at = find_in(bucket->entries, peer); at != bucket->entries.end()) {
    static_cast<void>(take_out(*bucket, at));
    changes_.push({peer, false});
    promote(*bucket);
  }
  shrink();
}

const TableEntry* RoutingTable::find(const PeerId& peer) const {
  const Bucket* bucket = bucket_for(Key::of(peer));
  if (bucket == nullptr) return nullptr;
  const auto at = find_in(bucket->entries, peer);
  return at == bucket->entries.end() ? nullptr : &*at;
}

const TableEntry* RoutingTable::longest_silent(const Key& key) const {
  const Bucket* bucket = bucket_for(key);
  return bucket == nullptr || bucket->entries.empty() ? nullptr : &bucket->entries.front();
}

std::span<const TableEntry> RoutingTable::bucket(std::size_t prefix) const noexcept {
  if (prefix >= buckets_.size()) return {};
  return buckets_[prefix].entries;
}

RoutingTable::Bucket* RoutingTable::bucket_for(const Key& key) noexcept {
  const std::size_t prefix = key.common_prefix(local_);
  return prefix < buckets_.size() ? &buckets_[prefix] : nullptr;
}

const RoutingTable::Bucket* RoutingTable::bucket_for(const Key& key) const noexcept {
  const std::size_t prefix = key.common_prefix(local_);
  return prefix < buckets_.size() ? &buckets_[prefix] : nullptr;
}

std::size_t RoutingTable::group_size(const IpAddress& group) const {
  const auto at = groups_.find(group);
  return at == groups_.end() ? 0 : at->second;
}

/// True when the table, or `among`, holds enough of one of the entry's origins.
bool RoutingTable::crowded(const Entries& among, const TableEntry& entry) const {
  return std::ranges::any_of(entry.groups, [&](const IpAddress& group) {
    if (group_size(group) >= config_.max_per_group) return true;
    const auto here = std::ranges::count_if(among, [&](const TableEntry& other) {
      return std::ranges::find(other.groups, group) != other.groups.end();
    });
    return static_cast<std::size_t>(here) >= config_.max_per_group_in_bucket;
  });
}

void RoutingTable::insert(Bucket& bucket, TableEntry entry) {
  for (const IpAddress& group : entry.groups) ++groups_[group];
  ++size_;
  // Who has waited was seen before others that are in already.
  const auto at =
      std::ranges::upper_bound(bucket.entries, entry.last_seen, {}, &TableEntry::last_seen);
  bucket.entries.insert(at, std::move(entry));
}

/// The latest seen wait, and no more of one origin than could enter.
void RoutingTable::wait(Bucket& bucket, TableEntry entry) {
  if (config_.replacements == 0 || crowded(bucket.waiting, entry)) return;
  if (bucket.waiting.size() >= config_.replacements) bucket.waiting.erase(bucket.waiting.begin());
  bucket.waiting.push_back(std::move(entry));
}

TableEntry RoutingTable::take_out(Bucket& bucket, Entries::iterator at) {
  TableEntry entry = std::move(*at);
  bucket.entries.erase(at);
  --size_;
  for (const IpAddress& group : entry.groups) {
    const auto count = groups_.find(group);
    GGEN_INVARIANT(count != groups_.end() && count->second > 0);
    if (--count->second == 0) groups_.erase(count);
  }
  return entry;
}

/// Fills free places from the waiting list, latest seen first.
void RoutingTable::promote(Bucket& bucket) {
  for (std::size_t i = bucket.waiting.size(); i-- > 0;) {
    if (bucket.entries.size() >= config_.bucket_size) return;
    if (crowded(bucket.entries, bucket.waiting[i])) continue;
    TableEntry entry = std::move(bucket.waiting[i]);
    bucket.waiting.erase(bucket.waiting.begin() + static_cast<std::ptrdiff_t>(i));
    changes_.push({entry.peer, true});
    insert(bucket, std::move(entry));
  }
}

void RoutingTable::shrink() {
  while (!buckets_.empty() && buckets_.back().entries.empty() && buckets_.back().waiting.empty()) {
    buckets_.pop_back();
  }
}

}  // namespace ggen::p2p::kad
