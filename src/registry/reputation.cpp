#include "reputation.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace ggen::p2p::registry {
namespace {

// So many events of full weight decide; older ones give way. A peer that turns bad is noticed soon,
// however long it did well.
constexpr double kMaxWeight = 64;
// How many failures one lie counts as, at the least.
constexpr double kBlame = 16;
// What a new latency counts in the average.
constexpr int kLatencyShare = 8;
// At this latency a peer is worth half of one that answers at once.
constexpr double kHalvingLatency = 1.0;  // seconds

// Below it, a peer is not asked for anything (Transfer::kShunned).
constexpr double kBadSuccess = 0.25;
constexpr double kUnknownSuccess = 0.5;
constexpr double kBestScore = 10;

double rate(double good, double bad) {
  return (good + 1) / (good + bad + 2);
}

void bound(double& good, double& bad) {
  const double weight = good + bad;
  if (weight <= kMaxWeight) return;
  good *= kMaxWeight / weight;
  bad *= kMaxWeight / weight;
}

}  // namespace

// Halves with each half-life and goes straight in between: a power would differ in its last bits
// from one C library to the other.
double Reputation::fading(const Record& record, base::Instant now) const {
  const base::Duration age = now - record.updated;
  if (age <= base::Duration::zero()) return 1;
  const auto halvings = std::min<std::int64_t>(age / config_.half_life, 1000);
  const double rest = static_cast<double>((age % config_.half_life).count()) /
                      static_cast<double>(config_.half_life.count());
  return std::ldexp(1 - rest / 2, -static_cast<int>(halvings));
}

Reputation::Record& Reputation::touch(const multiformats::PeerId& peer, base::Instant now) {
  if (Record* known = records_.find(peer)) {
    by_turn_.erase(known->turn);
  } else if (records_.size() >= config_.max_peers && !by_turn_.empty()) {
    records_.erase(by_turn_.begin()->second);
    by_turn_.erase(by_turn_.begin());
  }
  Record& record = records_.try_emplace(peer).first;
  const double left = fading(record, now);
  record.good *= left;
  record.bad *= left;
  record.updated = now;
  record.turn = next_turn_++;
  by_turn_.emplace(record.turn, peer);
  changed_.push(peer);
  return record;
}

void Reputation::success(const multiformats::PeerId& peer, base::Duration latency,
                         base::Instant now) {
  Record& record = touch(peer, now);
  const bool first = record.successes++ == 0;
  record.latency = first ? latency : record.latency + (latency - record.latency) / kLatencyShare;
  record.good += 1;
  bound(record.good, record.bad);
}

void Reputation::failure(const multiformats::PeerId& peer, base::Instant now) {
  Record& record = touch(peer, now);
  ++record.failures;
  record.bad += 1;
  bound(record.good, record.bad);
}

void Reputation::blame(const multiformats::PeerId& peer, base::Instant now) {
  Record& record = touch(peer, now);
  ++record.failures;
  record.bad += std::max(record.good, kBlame);
  bound(record.good, record.bad);
}

PeerStanding Reputation::standing(const multiformats::PeerId& peer, base::Instant now) const {
  const Record* record = records_.find(peer);
  if (record == nullptr) return {};
  const double left = fading(*record, now);
  return {.success = rate(record->good * left, record->bad * left),
          .latency = record->latency,
          .successes = record->successes,
          .failures = record->failures};
}

double Reputation::score(const multiformats::PeerId& peer, base::Instant now) const {
  const PeerStanding known = standing(peer, now);
  const double seconds = std::chrono::duration<double>(known.latency).count();
  return known.success / (1 + seconds / kHalvingLatency);
}

double application_score(double success) {
  if (success < kBadSuccess) return -kBestScore;
  return std::max(0.0, (success - kUnknownSuccess) / (1 - kUnknownSuccess)) * kBestScore;
}

}  // namespace ggen::p2p::registry
