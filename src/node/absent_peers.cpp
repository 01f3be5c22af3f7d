#include <algorithm>
#include <utility>

#include <ggen/p2p/node/absent_peers.hpp>

namespace ggen::p2p::node {

void AbsentPeers::add(Absent absent, base::Instant now) {
  const bool known = std::ranges::any_of(entries_, [&](const Entry& entry) {
    return absent.bootstrap ? entry.absent.bootstrap == absent.bootstrap
                            : entry.absent.peer == absent.peer;
  });
  if (known) return;
  if (!absent.bootstrap) make_room();
  entries_.push_back({std::move(absent), config_.retry_min});
  schedule(entries_.back(), now);
}

void AbsentPeers::make_room() {
  const auto lost = [](const Entry& entry) { return !entry.absent.bootstrap; };
  if (static_cast<std::size_t>(std::ranges::count_if(entries_, lost)) < config_.max_lost) return;
  if (const auto first = std::ranges::find_if(entries_, lost); first != entries_.end()) {
    entries_.erase(first);
  }
}

void AbsentPeers::remove(const multiformats::PeerId& peer) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.absent.peer == peer; });
}

void AbsentPeers::remove(const multiformats::Multiaddr& bootstrap) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.absent.bootstrap == bootstrap; });
}

// With jitter, so that a crowd that lost the same peer does not come back as one.
void AbsentPeers::schedule(Entry& entry, base::Instant now) {
  const double part = 0.5 + prng_.unit() / 2;
  entry.due = now + base::Duration{static_cast<base::Duration::rep>(
                        static_cast<double>(entry.pause.count()) * part)};
  entry.pause = std::min(2 * entry.pause, config_.retry_max);
}

std::optional<AbsentPeers::Absent> AbsentPeers::next_due(base::Instant now) {
  const auto entry = std::ranges::find_if(entries_, [&](const Entry& e) { return e.due <= now; });
  if (entry == entries_.end()) return std::nullopt;
  schedule(*entry, now);
  return entry->absent;
}

std::optional<base::Instant> AbsentPeers::earliest() const {
  if (entries_.empty()) return std::nullopt;
  return std::ranges::min(entries_, {}, &Entry::due).due;
}

}  // namespace ggen::p2p::node
