#include "trimmer.hpp"

#include <algorithm>

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

void Trimmer::trim(base::Instant now) {
  struct Candidate {
    base::Instant last_used;
    connection::ConnectionId id;
    auto operator<=>(const Candidate&) const = default;
  };
  std::vector<Candidate> candidates;
  table_.for_each([&](connection::ConnectionId id, const ConnectionTable::Entry& entry) {
    const ConnectionRecord& record = entry.record;
    if (!record.secured_at || record.cause || protections_.contains(*record.peer)) return;
    if (now - *record.secured_at < config_.grace || now - entry.last_used < config_.idle) return;
    candidates.push_back({entry.last_used, id});
  });
  std::ranges::sort(candidates);
  for (const Candidate& candidate : candidates) {
    if (table_.in_service() <= config_.low_water) return;
    table_.close(candidate.id, LocalClose::kTrimmed);
  }
}

}  // namespace ggen::p2p::swarm
