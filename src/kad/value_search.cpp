#include "value_search.hpp"

#include <algorithm>
#include <utility>

namespace ggen::p2p::kad {

using multiformats::PeerId;

void ValueSearch::add_local(base::Bytes value) {
  best_ = std::move(value);
  ++genuine_;
}

bool ValueSearch::add(const PeerId& peer, const std::optional<Record>& record) {
  const Holds holds = judge(record);
  peers_.insert_or_assign(peer, holds);
  const bool genuine = holds == Holds::kBest || holds == Holds::kWorse;
  if (genuine) ++genuine_;
  return genuine;
}

ValueSearch::Holds ValueSearch::judge(const std::optional<Record>& record) {
  if (!record) return Holds::kNothing;
  if (record->key != key_ || !validator_->valid(key_, record->value)) return Holds::kInvalid;
  if (best_ && *best_ == record->value) return Holds::kBest;
  if (best_ && !validator_->better(key_, record->value, *best_)) return Holds::kWorse;
  best_ = record->value;
  for (auto& entry : peers_) {
    if (entry.second == Holds::kBest) entry.second = Holds::kWorse;
  }
  return Holds::kBest;
}

std::size_t ValueSearch::count(Holds holds) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(peers_, [holds](const auto& entry) { return entry.second == holds; }));
}

result::FoundValue ValueSearch::result() const {
  return {best_, count(Holds::kBest), count(Holds::kWorse), count(Holds::kInvalid)};
}

std::vector<PeerId> ValueSearch::to_correct(std::span<const PeerRecord> closest) const {
  std::vector<PeerId> peers;
  for (const auto& [peer, holds] : peers_) {
    if (holds == Holds::kWorse) peers.push_back(peer);
  }
  for (const PeerRecord& record : closest) {
    const auto at = peers_.find(record.peer);
    if (at != peers_.end() && at->second == Holds::kNothing) peers.push_back(record.peer);
  }
  return peers;
}

}  // namespace ggen::p2p::kad
