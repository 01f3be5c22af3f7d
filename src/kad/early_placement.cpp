#include "early_placement.hpp"

#include "widening.hpp"

namespace ggen::p2p::kad {
namespace {

// The part of k peers' worth of key space whose peers are given the record. One at its edge is one
// of the k nearest in two cases of three, those within nearly always; and in four cases of five
// enough peers are there to be done before the lookup.
constexpr double kPart = 0.9;
constexpr double kEnough = 0.75;
// Times k: made-up peers take no more attempts.
constexpr std::size_t kMostAsked = 2;

}  // namespace

EarlyPlacement::EarlyPlacement(const Key& target, const multiformats::PeerId& local, std::size_t k,
                               double network_size)
    : target_(target),
      local_(local),
      k_(k),
      network_size_(network_size),
      radius_(Distance::of_share(kPart * static_cast<double>(k) / network_size)) {}

void EarlyPlacement::hear(std::span<const PeerRecord> peers) {
  for (const PeerRecord& peer : peers) {
    const Distance distance = Key::of(peer.peer).distance(target_);
    if (distance > radius_ || peer.peer == local_ || candidates_.size() >= kMostAsked * k_)
      continue;
    candidates_.try_emplace(distance, Candidate{peer});
  }
}

std::optional<PeerRecord> EarlyPlacement::next() {
  if (under_way_ >= k_) return std::nullopt;
  for (auto& [distance, candidate] : candidates_) {
    if (candidate.state != State::kHeard) continue;
    candidate.state = State::kAsked;
    ++under_way_;
    return candidate.record;
  }
  return std::nullopt;
}

void EarlyPlacement::done(const multiformats::PeerId& peer, bool stored) {
  const auto at = candidates_.find(Key::of(peer).distance(target_));
  if (at == candidates_.end() || at->second.state != State::kAsked) return;
  at->second.state = stored ? State::kStored : State::kFailed;
  --under_way_;
  ++(stored ? placed_.stored : placed_.failed);
}

bool EarlyPlacement::enough() const {
  if (static_cast<double>(placed_.stored) < kEnough * static_cast<double>(k_)) return false;
  Distance farthest;
  for (const auto& [distance, candidate] : candidates_) {
    if (candidate.state == State::kStored) farthest = distance;
  }
  return !crowded(network_size_, farthest.share(), placed_.stored);
}

bool EarlyPlacement::has(const multiformats::PeerId& peer) const {
  const auto at = candidates_.find(Key::of(peer).distance(target_));
  if (at == candidates_.end()) return false;
  return at->second.state == State::kAsked || at->second.state == State::kStored;
}

}  // namespace ggen::p2p::kad
