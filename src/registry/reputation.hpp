#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/engine.hpp>

namespace ggen::p2p::registry {

/// How peers have done lately, to choose whom to ask. What they did counts less with time, and
/// recent events count more than many old ones. Knows ReputationConfig::max_peers; the peer of whom
/// nothing was heard for the longest is forgotten first.
///
/// `now` never runs backwards.
class Reputation {
 public:
  explicit Reputation(const ReputationConfig& config) : config_(config) {}

  /// The peer did what it was asked for, after `latency`.
  void success(const multiformats::PeerId& peer, base::Duration latency, base::Instant now);
  /// It did not: unreachable, too slow, or without what it was said to have.
  void failure(const multiformats::PeerId& peer, base::Instant now);
  /// It sent what it must know to be wrong. However much good it did before, such a peer stands
  /// below one of whom nothing is known.
  void blame(const multiformats::PeerId& peer, base::Instant now);

  [[nodiscard]] PeerStanding standing(const multiformats::PeerId& peer, base::Instant now) const;
  /// From 0 to 1: the peer with the highest is asked first. Somebody unknown stands in the middle,
  /// so that new peers get their chance before those who failed.
  [[nodiscard]] double score(const multiformats::PeerId& peer, base::Instant now) const;
  [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
  /// A peer whose standing has changed since this was last empty.
  [[nodiscard]] std::optional<multiformats::PeerId> take_changed() { return changed_.pop(); }

 private:
  struct Record {
    double good = 0;  // weights as of `updated`
    double bad = 0;
    base::Duration latency{};
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
    base::Instant updated;
    std::uint64_t turn = 0;  // its key in by_turn_
  };

  /// The record of a peer, aged to `now`, and the youngest from here on.
  [[nodiscard]] Record& touch(const multiformats::PeerId& peer, base::Instant now);
  [[nodiscard]] double fading(const Record& record, base::Instant now) const;

  ReputationConfig config_;
  base::HashMap<multiformats::PeerId, Record> records_;
  std::map<std::uint64_t, multiformats::PeerId> by_turn_;
  std::uint64_t next_turn_ = 0;
  base::Fifo<multiformats::PeerId> changed_;
};

/// What a peer's share of success is worth as gossipsub's application score (P5): what it has
/// earned here lets it into meshes, and whom nothing is asked of any more is in none. In between,
/// failures say little of how a peer passes on messages.
[[nodiscard]] double application_score(double success);

}  // namespace ggen::p2p::registry
