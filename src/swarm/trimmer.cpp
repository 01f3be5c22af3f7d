#include "trimmer.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::swarm {
namespace {

std::uint32_t bit_of(Purpose purpose) {
  return std::uint32_t{1} << static_cast<std::uint32_t>(purpose);
}

}  // namespace

void Trimmer::protect(const multiformats::PeerId& peer, Purpose purpose) {
  protections_[peer] |= bit_of(purpose);
}

void Trimmer::unprotect(const multiformats::PeerId& peer, Purpose purpose) {
  std::uint32_t* const bits = protections_.find(peer);
  if (bits == nullptr) return;
  *bits &= ~bit_of(purpose);
  if (*bits == 0) protections_.erase(peer);
}

void Trimmer::schedule(base::Instant now) {
  if (next_look_ || table_.in_service() <= config_.high_water) return;
  next_look_ = last_look_ ? std::max(now, *last_look_ + config_.interval) : now;
}

void Trimmer::handle_timeout(base::Instant now) {
  if (!next_look_ || *next_look_ > now) return;
  last_look_ = now;
  next_look_.reset();
  if (table_.in_service() <= config_.high_water) return;
  trim(now);
  // Some may have been too young or too busy to be closed: look again later.
  if (table_.in_service() > config_.high_water) next_look_ = now + config_.interval;
}

std::vector<Trimmer::Seen> Trimmer::candidates() const {
  std::vector<Seen> seen;
  table_.for_each([&](connection::ConnectionId id, const ConnectionTable::Entry& entry) {
    const ConnectionRecord& record = entry.record;
    if (!record.secured_at || record.cause) return;
    seen.push_back({id, *record.secured_at, entry.last_used, record.purpose,
                    protections_.contains(*record.peer), entry.idle});
  });
  std::ranges::sort(seen, {}, [](const Seen& one) { return std::pair{one.secured_at, one.id}; });
  const std::size_t longest = std::min(seen.size(), config_.low_water / 2);
  seen.erase(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(longest));
  std::erase_if(seen, [](const Seen& one) { return one.is_protected; });
  std::ranges::sort(seen, {}, [](const Seen& one) { return std::pair{one.last_used, one.id}; });
  return seen;
}

void Trimmer::trim(base::Instant now) {
  for (const Seen& one : candidates()) {
    if (table_.in_service() <= config_.low_water) return;
    if (now - one.secured_at < config_.grace || now - one.last_used < config_.idle) continue;
    table_.close(one.id, LocalClose::kTrimmed);
  }
}

bool Trimmer::make_place(For whom, base::Instant now) {
  base::Instant& no_place_until = no_place_until_[static_cast<std::size_t>(whom)];
  if (now < no_place_until) return false;
  for (const Seen& one : candidates()) {
    const bool answered = one.purpose == Purpose::kDht && one.is_idle;
    if (!answered && now - one.last_used < config_.in_use) continue;
    const bool inbound = !one.purpose;
    if (inbound && now - one.secured_at < config_.visit) continue;
    if (whom == For::kNewcomer && !inbound && one.purpose != Purpose::kDht) continue;
    if (whom == For::kOneInbound && !inbound) continue;
    table_.close(one.id, LocalClose::kTrimmed);
    return true;
  }
  no_place_until = now + kLook;
  return false;
}

}  // namespace ggen::p2p::swarm
