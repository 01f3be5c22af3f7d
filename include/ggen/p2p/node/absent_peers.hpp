#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/multiaddr.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>

namespace ggen::p2p::node {

/// How a node that has peers tries to get back those that are absent. When a network falls apart,
/// each part has peers enough, and forgets the others: only who goes on asking for them learns that
/// they are there again.
struct AbsentConfig {
  /// Each is dialled after this, then after twice the time and so on: so the parts of a network
  /// find each other again after about as long as they were apart, or after retry_max. Times a
  /// random factor from 0.5 to 1.
  base::Duration retry_min = std::chrono::seconds{10};
  base::Duration retry_max = std::chrono::minutes{10};
  /// Lost peers that are tried again, and so the dials at a time when all come back; the one lost
  /// first is given up for a new one. Bootstrap addresses come on top of it.
  std::size_t max_lost = 32;
};

/// Whom a node misses, and when it tries them again: peers that went without a goodbye, and
/// bootstrap addresses at which nobody was reached or whose peer has gone so. Whoever closed its
/// connection in good order is not missed: closing again and again is how a full node stays within
/// its limits.
class AbsentPeers {
 public:
  AbsentPeers(const AbsentConfig& config, base::Prng prng) : config_(config), prng_(prng) {}

  /// At least one of the two is there.
  struct Absent {
    std::optional<multiformats::PeerId> peer;
    /// One of the node's own, which it never gives up.
    std::optional<multiformats::Multiaddr> bootstrap;
  };

  /// Changes nothing when it is known.
  void add(Absent absent, base::Instant now);
  /// It is back, or given up.
  void remove(const multiformats::PeerId& peer);
  void remove(const multiformats::Multiaddr& bootstrap);
  void clear() { entries_.clear(); }

  /// One that is to be dialled now. It will be due again, later each time.
  [[nodiscard]] std::optional<Absent> next_due(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> earliest() const;

 private:
  struct Entry {
    Absent absent;
    base::Duration pause;  // before the next dial
    base::Instant due{};
  };

  void schedule(Entry& entry, base::Instant now);
  void make_room();

  const AbsentConfig& config_;
  base::Prng prng_;
  std::vector<Entry> entries_;  // in the order in which they were added
};

}  // namespace ggen::p2p::node
