#include "widening.hpp"

#include <span>
#include <utility>

#include "random_id.hpp"
#include "region.hpp"

namespace ggen::p2p::kad {
namespace {

// Where keys are random, the k nearest hold less than a third of the expected part of the key space
// once in a hundred thousand lookups. Who settles in smaller number leaves a third of the k nearest
// to others, which is enough.
constexpr double kCrowded = 1.0 / 3;
// A region that takes up so much of the key space does not grow any more.
constexpr double kLargestShare = 0.25;
// Nor does one that has grown so often.
constexpr std::size_t kMostEnlargements = 4;
constexpr double kCells = 32;

bool is_crowded(const Lookup& lookup, const State& state, base::Instant now) {
  const auto closest = lookup.closest();
  const std::size_t k = lookup.config().k;
  if (closest.size() < k) return false;
  const auto peers = state.network_size(now);
  if (!peers) return true;  // to be found out
  const double share = Key::of(closest.back().peer).distance(lookup.target()).share();
  return crowded(*peers, share, k);
}

}  // namespace

bool crowded(double peers, double part, std::size_t k) {
  return peers * part < kCrowded * static_cast<double>(k);
}

void measure(NetworkSize& size, const Lookup& lookup, base::Instant now) {
  const auto closest = lookup.closest();
  if (closest.empty()) return;
  const Distance farthest = Key::of(closest.back().peer).distance(lookup.target());
  size.add(closest.size(), farthest, closest.size() < lookup.config().k, now);
}

bool Widening::begin_or_go_on(Lookup& lookup, State& state, base::Instant now) {
  if (stage_ == Stage::kDone) return false;
  if (stage_ == Stage::kIdle) {
    if (!is_crowded(lookup, state, now)) return false;
    lookup.give_up_waiting();
    return state.size.fresh(now) ? search(lookup, state, now) : measure(lookup, state);
  }
  end_aside(lookup, state, now);
  if (next_aside(lookup, state)) return true;
  if (stage_ == Stage::kMeasuring) {
    if (is_crowded(lookup, state, now)) return search(lookup, state, now);
    stage_ = Stage::kIdle;
    return false;
  }
  if (lies_in_heaps(lookup.config().k) && enlargements_++ < kMostEnlargements &&
      search_region(lookup, share_ * 2, state)) {
    return true;
  }
  stage_ = Stage::kDone;
  lookup.widen(radius_);
  return true;
}

bool Widening::measure(const Lookup& lookup, State& state) {
  stage_ = Stage::kMeasuring;
  state.size.clear();
  for (std::size_t i = 0; i < NetworkSize::kFreshLookups; ++i) {
    keys_.push_back(base::to_bytes(random_id(state.prng)));
  }
  return next_aside(lookup, state);
}

bool Widening::search(const Lookup& lookup, State& state, base::Instant now) {
  const auto peers = state.network_size(now);
  if (!peers) {
    stage_ = Stage::kIdle;
    return false;
  }
  stage_ = Stage::kSearching;
  return search_region(lookup, static_cast<double>(lookup.config().k) / *peers, state);
}

bool Widening::search_region(const Lookup& lookup, double share, State& state) {
  share_ = share;
  radius_ = Distance::of_share(share);
  for (const RandomId& id : ids_around(lookup.target(), radius_, state.prng)) {
    keys_.push_back(base::to_bytes(id));
  }
  return next_aside(lookup, state);
}

// Settlers lie close together, wherever they are. Where nearly all of a region does, it is smaller
// than it should be: k peers at random take 15 of 32 cells, where k is 20.
bool Widening::lies_in_heaps(std::size_t k) const {
  if (share_ >= kLargestShare) return false;
  std::set<int> cells;
  for (const Distance& distance : found_) {
    cells.insert(static_cast<int>(distance.share() / share_ * kCells));
  }
  return cells.size() < k / 2;
}

bool Widening::next_aside(const Lookup& lookup, const State& state) {
  if (keys_.empty()) return false;
  base::Bytes key = std::move(keys_.back());
  keys_.pop_back();
  const Key target = Key::of(key);
  aside_.emplace(std::move(key), Lookup{lookup.config(), target, state.local});
  aside_->lookup.hear(
      state.nearest(aside_->lookup.target(), lookup.config().k, RoutingTable::Which::kAll));
  return true;
}

void Widening::end_aside(Lookup& lookup, State& state, base::Instant now) {
  const Lookup& aside = aside_->lookup;
  if (stage_ == Stage::kMeasuring) {
    kad::measure(state.size, aside, now);
  } else {
    for (const PeerRecord& peer : aside.closest()) {
      const Distance distance = Key::of(peer.peer).distance(lookup.target());
      if (distance > radius_) continue;
      lookup.hear(std::span{&peer, 1});
      found_.insert(distance);
    }
  }
  asked_ += aside.asked_count();
  answered_ += aside.answered_count();
  failed_ += aside.failed_count();
  aside_.reset();
}

}  // namespace ggen::p2p::kad
