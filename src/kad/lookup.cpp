#include <algorithm>

#include <ggen/p2p/kad/lookup.hpp>

#include "merge_addresses.hpp"

namespace ggen::p2p::kad {

using multiformats::PeerId;

std::size_t Lookup::hear(std::span<const PeerRecord> peers, unsigned hops) {
  return static_cast<std::size_t>(
      std::ranges::count_if(peers, [&](const PeerRecord& peer) { return hear_one(peer, hops); }));
}

bool Lookup::hear_one(const PeerRecord& peer, unsigned hops) {
  if (peer.peer == local_) return false;
  const Distance distance = Key::of(peer.peer).distance(target_);
  const auto at = std::ranges::lower_bound(candidates_, distance, {}, &Candidate::distance);
  if (at != candidates_.end() && at->distance == distance) {
    if (at->state == State::kHeard) {
      merge_addresses(at->record.addresses, peer.addresses, config_.max_addresses);
    }
    return false;
  }
  candidates_.insert(at,
                     Candidate{distance, peer, State::kHeard, static_cast<std::uint16_t>(hops)});
  if (candidates_.size() > config_.max_candidates) forget_farthest();
  return true;
}

/// Those that were asked are kept, or they would be asked again.
void Lookup::forget_farthest() {
  for (auto at = candidates_.rbegin(); at != candidates_.rend(); ++at) {
    if (at->state != State::kHeard) continue;
    candidates_.erase(std::next(at).base());
    return;
  }
}

std::optional<PeerRecord> Lookup::next() {
  if (asked_ >= config_.max_asked || has_asked_enough()) return std::nullopt;
  Candidate* candidate = next_candidate();
  if (candidate == nullptr) return std::nullopt;
  candidate->state = State::kAsked;
  ++asked_;
  return candidate->record;
}

/// Bounds what was left behind, too; slow ones hold up nobody.
bool Lookup::has_asked_enough() const {
  const std::size_t most = config_.k + config_.alpha;
  const auto asked = [&] {
    return std::ranges::count(candidates_, State::kAsked, &Candidate::state);
  };
  return waiting() >= most && static_cast<std::size_t>(asked()) >= most;
}

/// Of the candidates that did not fail, `nearest` come before `next`.
bool Lookup::enough(std::size_t nearest, const Candidate& next) const {
  return nearest >= config_.k && next.distance > radius_;
}

/// The nearest that was not asked yet of the k nearest, unless enough of these are being asked.
Lookup::Candidate* Lookup::next_candidate() {
  Candidate* next = nullptr;
  std::size_t under_way = 0;
  bool answered = false;
  std::size_t nearest = 0;
  for (Candidate& candidate : candidates_) {
    if (enough(nearest, candidate)) break;
    if (candidate.state == State::kFailed || candidate.state == State::kSlow) continue;
    if (candidate.state == State::kHeard && next == nullptr) next = &candidate;
    if (candidate.state == State::kAsked) ++under_way;
    answered = answered || candidate.state == State::kAnswered;
    ++nearest;
  }
  const std::size_t at_once = answered ? config_.k : config_.alpha;
  return under_way < at_once ? next : nullptr;
}

void Lookup::answered(const PeerId& peer, std::span<const PeerRecord> closer) {
  Candidate* asked = candidate(peer);
  if (asked == nullptr) return;
  asked->state = State::kAnswered;
  ++answered_;
  hear(closer, asked->hops + 1u);
}

void Lookup::failed(const PeerId& peer) {
  Candidate* asked = candidate(peer);
  if (asked == nullptr) return;
  asked->state = State::kFailed;
  ++failed_;
}

void Lookup::slow(const PeerId& peer) {
  Candidate* asked = candidate(peer);
  if (asked == nullptr || asked->state != State::kAsked) return;
  asked->state = State::kSlow;
}

void Lookup::give_up_waiting() {
  for (Candidate& candidate : candidates_) {
    if (candidate.state != State::kAsked && candidate.state != State::kSlow) continue;
    candidate.state = State::kFailed;
    ++failed_;
  }
}

bool Lookup::converged() const {
  std::size_t answered = 0;
  for (const Candidate& candidate : candidates_) {
    if (enough(answered, candidate)) break;
    if (candidate.state == State::kFailed) continue;
    if (candidate.state != State::kAnswered) return false;
    ++answered;
  }
  return answered >= config_.k;
}

std::size_t Lookup::waiting() const {
  return asked_ - answered_ - failed_;
}

bool Lookup::finished() const {
  if (converged()) return true;
  if (waiting() > 0) return false;
  if (asked_ >= config_.max_asked) return true;
  return std::ranges::none_of(candidates_,
                              [](const Candidate& other) { return other.state == State::kHeard; });
}

std::vector<PeerRecord> Lookup::closest() const {
  std::vector<PeerRecord> found;
  for (const Candidate& candidate : candidates_) {
    if (enough(found.size(), candidate)) break;
    if (candidate.state == State::kAnswered) found.push_back(candidate.record);
  }
  return found;
}

unsigned Lookup::hops() const {
  const auto nearest = std::ranges::find(candidates_, State::kAnswered, &Candidate::state);
  return nearest == candidates_.end() ? 0 : nearest->hops + 1u;
}

Lookup::Candidate* Lookup::candidate(const PeerId& peer) {
  const Distance distance = Key::of(peer).distance(target_);
  const auto at = std::ranges::lower_bound(candidates_, distance, {}, &Candidate::distance);
  return at != candidates_.end() && at->distance == distance ? &*at : nullptr;
}

const PeerRecord* Lookup::find(const PeerId& peer) const {
  const Distance distance = Key::of(peer).distance(target_);
  const auto at = std::ranges::lower_bound(candidates_, distance, {}, &Candidate::distance);
  return at != candidates_.end() && at->distance == distance ? &at->record : nullptr;
}

}  // namespace ggen::p2p::kad
