#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::gossipsub {

/// The backoff that a peer asks for, which may be any number of seconds, as a duration of at most
/// `limit`. Compared as whole seconds: the product with a billion would overflow, and did elsewhere
/// (CVE-2026-33040, CVE-2026-34219).
[[nodiscard]] constexpr base::Duration clamp_backoff(std::uint64_t seconds, base::Duration limit) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(limit);
  if (seconds >= static_cast<std::uint64_t>(whole.count())) return limit;
  return std::chrono::seconds{static_cast<std::int64_t>(seconds)};
}

/// Who may not be grafted in one topic, and until when. By peer id, since a peer that reconnects is
/// to wait all the same.
class Backoffs {
 public:
  /// Never shortens a backoff. With `limit` reached, the one that ends first makes room.
  void add(const multiformats::PeerId& peer, base::Instant until, std::size_t limit) {
    const auto [entry, inserted] = until_.try_emplace(peer, until);
    entry->second = std::max(entry->second, until);
    if (until_.size() > limit) {
      until_.erase(
          std::ranges::min_element(until_, {}, [](const auto& backoff) { return backoff.second; }));
    }
  }
  /// `slack` is added when it is we who would graft: the remote's clock may be behind ours.
  [[nodiscard]] bool active(const multiformats::PeerId& peer, base::Instant now,
                            base::Duration slack = {}) const {
    const auto found = until_.find(peer);
    return found != until_.end() && now < found->second + slack;
  }
  /// Forgets those that ended `slack` ago or earlier.
  void sweep(base::Instant now, base::Duration slack) {
    std::erase_if(until_, [&](const auto& backoff) { return backoff.second + slack <= now; });
  }
  [[nodiscard]] std::size_t size() const noexcept { return until_.size(); }

 private:
  std::map<multiformats::PeerId, base::Instant> until_;
};

}  // namespace ggen::p2p::gossipsub
