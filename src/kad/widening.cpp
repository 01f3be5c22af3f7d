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
  radius_ = Distance::of_share(static_cast<double>(lookup.config().k) / *peers);
  for (const RandomId& id : ids_around(lookup.target(), radius_, state.prng)) {
    keys_.push_back(base::to_bytes(id));
  }
  return next_aside(lookup, state);
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
      if (Key::of(peer.peer).distance(lookup.target()) <= radius_) lookup.hear(std::span{&peer, 1});
    }
  }
  asked_ += aside.asked_count();
  answered_ += aside.answered_count();
  failed_ += aside.failed_count();
  aside_.reset();
}

}  // namespace ggen::p2p::kad
