#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <ggen/p2p/swarm/records.hpp>

#include "dial_ranker.hpp"

namespace ggen::p2p::swarm {

/// The addresses of one dial: which are still to be tried and when, and what became of the others.
class DialPlan {
 public:
  explicit DialPlan(const Config::Dialing& config) : config_(config) {}

  /// Takes note of an address. False when it is known already or one too many.
  bool admit(const multiformats::Multiaddr& address);
  /// Adds an address to try; rank() puts it in its place.
  void offer(const Candidate& candidate);
  /// Ranks all that is left. The first may start at `first_start`.
  void rank(base::Instant first_start);

  /// When the next attempt may start; nothing when no address is left.
  [[nodiscard]] std::optional<base::Instant> next_start() const;
  /// Whose start is the next.
  [[nodiscard]] const Candidate& next() const { return pending_.front().candidate; }
  [[nodiscard]] Candidate take();
  /// An attempt has failed: the next need not wait its turn.
  void hurry(base::Instant now);

  void failed(multiformats::Multiaddr address, AddressFailureReason reason);
  /// Forgets those not tried because they rest, that they may be admitted again.
  void forget_resting();
  /// Ends the plan: what was not tried is noted so.
  void give_up();
  [[nodiscard]] const std::vector<AddressFailure>& failures() const { return failures_; }

 private:
  const Config::Dialing& config_;
  std::set<multiformats::Multiaddr> seen_;
  bool overflowed_ = false;
  std::vector<RankedCandidate> pending_;
  /// Offsets count from here.
  base::Instant start_{};
  std::vector<AddressFailure> failures_;
};

}  // namespace ggen::p2p::swarm
