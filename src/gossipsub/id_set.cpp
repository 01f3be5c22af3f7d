#include "id_set.hpp"

#include <algorithm>

#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::gossipsub {
namespace {

constexpr std::size_t kFirstSlots = 16;
constexpr IdHash kFree{};

}  // namespace

IdHash IdHasher::operator()(base::BytesView id) const {
  base::Bytes keyed;
  keyed.reserve(key_.size() + id.size());
  base::append(keyed, key_);
  base::append(keyed, id);
  const crypto::Sha256Digest digest = crypto::sha256(keyed);
  IdHash hash{base::load_big_endian<std::uint64_t>(digest.data()),
              base::load_big_endian<std::uint64_t>(digest.data() + 8)};
  // The one value that means a free slot.
  if (hash == kFree) hash.low = 1;
  return hash;
}

bool IdSet::insert(IdHash id) {
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  IdHash& slot = slots_[slot_of(id)];
  if (slot == id) return false;
  slot = id;
  ++size_;
  return true;
}

bool IdSet::contains(IdHash id) const {
  return !slots_.empty() && slots_[slot_of(id)] == id;
}

// Where the id is, or would be. There is always a free slot.
std::size_t IdSet::slot_of(IdHash id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(id.high) & mask;
  while (slots_[at] != kFree && slots_[at] != id) at = (at + 1) & mask;
  return at;
}

void IdSet::grow() {
  std::vector<IdHash> old(std::max(kFirstSlots, 2 * slots_.size()));
  old.swap(slots_);
  for (const IdHash& id : old) {
    if (id != kFree) slots_[slot_of(id)] = id;
  }
}

bool AgingIdSet::insert(IdHash id) {
  if (contains(id)) return false;
  if (sets_.back().size() >= per_generation_) age();
  return sets_.back().insert(id);
}

bool AgingIdSet::contains(IdHash id) const {
  return std::ranges::any_of(sets_, [&](const IdSet& set) { return set.contains(id); });
}

void AgingIdSet::age() {
  sets_.emplace_back();
  if (sets_.size() > generations_ + 1) sets_.erase(sets_.begin());
}

std::size_t AgingIdSet::size() const {
  std::size_t size = 0;
  for (const IdSet& set : sets_) size += set.size();
  return size;
}

}  // namespace ggen::p2p::gossipsub
