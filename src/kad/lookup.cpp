#include <algorithm>
#include <array>

#include <ggen/p2p/kad/lookup.hpp>

#include "merge_addresses.hpp"

namespace ggen::p2p::kad {

using multiformats::PeerId;

/// Who is to be found, when it is shown all candidates that did not fail, nearest first: the k
/// nearest, all within the radius, and the nearest of each path.
class Lookup::Wanted {
 public:
  explicit Wanted(const Lookup& lookup)
      : lookup_(lookup),
        paths_(lookup.config_.paths),
        quota_(paths_ > 1 ? (lookup.config_.k + paths_ - 1) / paths_ : 0) {}

  [[nodiscard]] bool takes(const Candidate& next) {
    std::size_t& on_path = taken_[next.path];
    const bool wanted = is_near(next) || on_path < quota_;
    if (wanted) {
      ++nearest_;
      if (++on_path == quota_) ++full_paths_;
    }
    return wanted;
  }
  /// Nobody is, from this one on.
  [[nodiscard]] bool is_over(const Candidate& next) const {
    return !is_near(next) && (quota_ == 0 || full_paths_ == paths_);
  }

 private:
  [[nodiscard]] bool is_near(const Candidate& next) const {
    return nearest_ < lookup_.config_.k || next.distance <= lookup_.radius_;
  }

  const Lookup& lookup_;
  std::size_t paths_;
  std::size_t quota_;
  std::size_t nearest_ = 0;
  std::array<std::size_t, LookupConfig::kMaxPaths> taken_{};
  std::size_t full_paths_ = 0;
};

Lookup::Lookup(const LookupConfig& config, const Key& target, const PeerId& local)
    : config_(config), target_(target), local_(local) {
  config_.paths = std::clamp<std::size_t>(config_.paths, 1, LookupConfig::kMaxPaths);
}

std::size_t Lookup::hear(std::span<const PeerRecord> peers) {
  std::size_t count = 0;
  for (const PeerRecord& peer : peers) {
    if (!hear_one(peer, 0, next_path_)) continue;
    ++count;
    next_path_ = static_cast<std::uint8_t>((next_path_ + 1U) % config_.paths);
  }
  return count;
}

bool Lookup::hear_one(const PeerRecord& peer, unsigned hops, std::uint8_t path) {
  if (peer.peer == local_) return false;
  const Distance distance = Key::of(peer.peer).distance(target_);
  const auto at = std::ranges::lower_bound(candidates_, distance, {}, &Candidate::distance);
  if (at != candidates_.end() && at->distance == distance) {
    if (at->state == State::kHeard) {
      merge_addresses(at->record.addresses, peer.addresses, config_.max_addresses);
    }
    return false;
  }
  candidates_.insert(
      at, Candidate{distance, peer, State::kHeard, static_cast<std::uint16_t>(hops), path});
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

/// The nearest of those to be found that was not asked yet, unless enough of them are being asked.
Lookup::Candidate* Lookup::next_candidate() {
  Candidate* next = nullptr;
  std::size_t under_way = 0;
  bool answered = false;
  Wanted wanted{*this};
  for (Candidate& candidate : candidates_) {
    if (wanted.is_over(candidate)) break;
    if (candidate.state == State::kFailed || candidate.state == State::kSlow) continue;
    if (!wanted.takes(candidate)) continue;
    if (candidate.state == State::kHeard && next == nullptr) next = &candidate;
    if (candidate.state == State::kAsked) ++under_way;
    answered = answered || candidate.state == State::kAnswered;
  }
  const std::size_t at_once = answered ? config_.k : config_.alpha;
  return under_way < at_once ? next : nullptr;
}

void Lookup::answered(const PeerId& peer, std::span<const PeerRecord> closer) {
  Candidate* asked = waited_for(peer);
  if (asked == nullptr) return;
  asked->state = State::kAnswered;
  ++answered_;
  const unsigned hops = asked->hops + 1u;
  const std::uint8_t path = asked->path;
  for (const PeerRecord& other : closer) hear_one(other, hops, path);
}

void Lookup::failed(const PeerId& peer) {
  Candidate* asked = waited_for(peer);
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
  Wanted wanted{*this};
  for (const Candidate& candidate : candidates_) {
    if (wanted.is_over(candidate)) break;
    if (candidate.state == State::kFailed || !wanted.takes(candidate)) continue;
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
    if (found.size() >= config_.k && candidate.distance > radius_) break;
    if (candidate.state == State::kAnswered) found.push_back(candidate.record);
  }
  return found;
}

unsigned Lookup::hops() const {
  const auto nearest = std::ranges::find(candidates_, State::kAnswered, &Candidate::state);
  return nearest == candidates_.end() ? 0 : nearest->hops + 1u;
}

Lookup::Candidate* Lookup::waited_for(const PeerId& peer) {
  Candidate* asked = candidate(peer);
  const bool waits =
      asked != nullptr && (asked->state == State::kAsked || asked->state == State::kSlow);
  return waits ? asked : nullptr;
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
