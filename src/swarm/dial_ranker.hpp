#pragma once

#include <optional>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/swarm/config.hpp>

namespace ggen::p2p::swarm {

/// An address that a dial may try.
struct Candidate {
  IpEndpoint endpoint;
  /// Who must be there.
  std::optional<multiformats::PeerId> expected;
  bool certified = false;
  std::optional<base::Instant> last_success;
  std::optional<base::Instant> last_failure;
};

struct RankedCandidate {
  Candidate candidate;
  /// When to start it, after the first, while no attempt has failed.
  base::Duration offset{};
};

/// Puts candidates into the order in which to try them, as RFC 8305 (happy eyeballs) does and the
/// large libp2p implementations do: public addresses `stagger` apart; beside them loopback and
/// private ones, which answer at once or not at all, `private_stagger` apart. Within each track:
/// those that worked last time, the latest first; then new ones, certified before others; those
/// that failed last time at the end; and IPv6 alternating with IPv4, IPv6 first.
[[nodiscard]] std::vector<RankedCandidate> rank(const std::vector<Candidate>& candidates,
                                                const Config::Dialing& config);

}  // namespace ggen::p2p::swarm
