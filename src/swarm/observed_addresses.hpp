#pragma once

#include <optional>
#include <tuple>
#include <vector>

#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/swarm/config.hpp>

#include "outbox.hpp"

namespace ggen::p2p::swarm {

/// Believes that this node has an external address when enough observers that have nothing to do
/// with each other say so.
class ObservedAddresses {
 public:
  explicit ObservedAddresses(const Config::Observed& config, Outbox& outbox)
      : config_(config), outbox_(outbox) {}

  /// `observer`, of whom `remote` is the address, says that what it reached at `local` is
  /// `address`. True when this changes what is believed.
  bool vote(const IpEndpoint& address, const multiformats::PeerId& observer,
            const IpAddress& remote, const IpEndpoint& local, base::Instant now);

  [[nodiscard]] std::vector<IpEndpoint> confirmed() const;

  /// True when it changes what is believed.
  bool handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  /// Observers that count as one, and what they reached. Whoever has one address of a public
  /// network may have all of them; on a private one, peers are told apart.
  struct Voter {
    std::optional<IpAddress> network;
    std::optional<multiformats::PeerId> peer;
    IpEndpoint local;
    [[nodiscard]] auto observer() const { return std::tie(network, peer); }
  };
  struct Vote {
    Voter voter;
    base::Instant expires;
  };
  struct Candidate {
    IpEndpoint address;
    std::vector<Vote> votes;  // oldest first
    bool confirmed = false;
  };

  Candidate* candidate(const IpEndpoint& address);
  /// Forgets candidates without votes, and confirms or expires the others by theirs.
  bool settle();

  const Config::Observed& config_;
  Outbox& outbox_;
  std::vector<Candidate> candidates_;
};

}  // namespace ggen::p2p::swarm
