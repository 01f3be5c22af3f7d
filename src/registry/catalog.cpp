#include <algorithm>

#include <ggen/p2p/registry/catalog.hpp>

namespace ggen::p2p::registry {

using multiformats::PeerId;

Catalog::Catalog(CatalogLimits limits) : limits_(limits) {}

CatalogAdded Catalog::add(Entry entry) {
  CatalogAdded result{restore(std::move(entry))};
  result.evicted = make_room();
  return result;
}

Added Catalog::restore(Entry entry) {
  const PeerId publisher = entry.statement.publisher;
  auto at = logs_.find(publisher);
  if (at == logs_.end()) {
    // Only entry 0 can be verified without a log: no other makes one.
    if (entry.statement.seq > 0) {
      return PublisherLog(publisher, limits_.log).add(std::move(entry));
    }
    at = logs_.try_emplace(publisher, publisher, limits_.log).first;
    touch(publisher, at->second, false);
  }
  Held& held = at->second;
  count(held, false);
  Added added = held.log.add(std::move(entry));
  count(held, true);
  index(publisher, held, added);
  if (!added.accepted.empty()) touch(publisher, held, false);
  return added;
}

// The sums over all logs, without one while it changes.
void Catalog::count(const Held& held, bool add) {
  const auto change = [add](std::size_t& sum, std::size_t by) { add ? sum += by : sum -= by; };
  change(bytes_, held.log.bytes());
  change(waiting_bytes_, held.log.waiting_bytes());
  if (!is_pinned(held.log.publisher())) change(evictable_bytes_, held.log.bytes());
}

// Which publishers have a package of a name.

void Catalog::index(const PeerId& publisher, Held& held, const Added& added) {
  if (added.dropped_from) {
    const Releases& releases = held.log.releases();
    std::erase_if(held.names, [&](const Name& name) {
      if (releases.package(name)) return false;
      remove_name(name, publisher);
      return true;
    });
  }
  for (const Entry& entry : added.accepted) {
    const auto* publish = std::get_if<Publish>(&entry.statement.body);
    if (!publish) continue;
    held.names.insert(publish->metadata.name);
    names_[publish->metadata.name].insert(publisher);
  }
}

void Catalog::remove_name(const Name& name, const PeerId& publisher) {
  const auto at = names_.find(name);
  at->second.erase(publisher);
  if (at->second.empty()) names_.erase(at);
}

// Who goes when there is no room.

void Catalog::touch(const PeerId& publisher, Held& held, bool used) {
  order_.erase(held.rank);
  held.rank = {held.rank.first || used, ++touches_};
  if (!is_pinned(publisher)) order_.emplace(held.rank, publisher);
}

std::vector<PeerId> Catalog::make_room() {
  std::vector<PeerId> evicted;
  while (order_.size() > limits_.max_publishers || evictable_bytes_ > limits_.max_bytes) {
    evicted.push_back(order_.begin()->second);
    evict(evicted.back());
  }
  if (waiting_bytes_ > limits_.max_waiting_bytes) {
    for (auto& [publisher, held] : logs_) held.log.forget_waiting();
    waiting_bytes_ = 0;
  }
  return evicted;
}

void Catalog::evict(const PeerId& publisher) {
  const auto at = logs_.find(publisher);
  if (at == logs_.end()) return;
  count(at->second, false);
  for (const Name& name : at->second.names) remove_name(name, publisher);
  order_.erase(at->second.rank);
  logs_.erase(at);
}

void Catalog::used(const PeerId& publisher) {
  const auto at = logs_.find(publisher);
  if (at != logs_.end()) touch(publisher, at->second, true);
}

// Trust.

void Catalog::pin(const PeerId& publisher) {
  const auto at = logs_.find(publisher);
  if (at != logs_.end()) count(at->second, false);
  pinned_.insert(publisher);
  if (at == logs_.end()) return;
  count(at->second, true);
  order_.erase(at->second.rank);
}

void Catalog::unpin(const PeerId& publisher) {
  const auto at = logs_.find(publisher);
  if (at != logs_.end()) count(at->second, false);
  pinned_.erase(publisher);
  std::erase_if(petnames_, [&](const auto& item) { return item.second == publisher; });
  if (at == logs_.end()) return;
  count(at->second, true);
  touch(publisher, at->second, true);
}

bool Catalog::is_pinned(const PeerId& publisher) const {
  return pinned_.contains(publisher);
}

bool Catalog::set_petname(const Name& petname, const PeerId& publisher) {
  if (PeerId::parse(petname.text())) return false;
  petnames_.insert_or_assign(petname, publisher);
  pin(publisher);
  return true;
}

void Catalog::remove_petname(const Name& petname) {
  petnames_.erase(petname);
}

// Queries.

const PublisherLog* Catalog::log(const PeerId& publisher) const {
  const auto at = logs_.find(publisher);
  return at == logs_.end() ? nullptr : &at->second.log;
}

std::vector<PeerId> Catalog::publishers_of(const Name& name) const {
  const auto at = names_.find(name);
  if (at == names_.end()) return {};
  return {at->second.begin(), at->second.end()};
}

std::vector<Catalog::PublisherHead> Catalog::heads(const std::optional<PeerId>& after,
                                                   std::size_t limit) const {
  std::vector<PublisherHead> heads;
  auto at = after ? logs_.upper_bound(*after) : logs_.begin();
  for (; at != logs_.end() && heads.size() < limit; ++at) {
    if (const auto head = at->second.log.head()) {
      heads.push_back({at->first, *head, at->second.log.fork().has_value()});
    }
  }
  return heads;
}

}  // namespace ggen::p2p::registry
