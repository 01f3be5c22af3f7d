#include "maintenance.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "random_id.hpp"

namespace ggen::p2p::kad {
void Maintenance::begin(base::Instant now) {
  early_gap_ = state_.config.maintenance.first_refresh;
  refresh(true, now);
}

void Maintenance::refresh(bool own, base::Instant now) {
  const base::Duration most = state_.config.maintenance.refresh_interval;
  next_refresh_ = now + std::min(early_gap_.value_or(most), most);
  refreshes_.clear();  // what is left of the former round
  refreshes_due_ = now;
  if (own) refreshes_.push(base::to_bytes(state_.local.bytes()));
  queue_refreshes();
}

// Finds those who have come meanwhile, and lets them find us: the own id will do.
void Maintenance::refresh_early(base::Instant now) {
  const base::Duration most = state_.config.maintenance.refresh_interval;
  early_gap_ = 4 * *early_gap_;
  if (*early_gap_ >= most) early_gap_.reset();
  next_refresh_ = now + early_gap_.value_or(most);
  refreshes_due_ = now;
  refreshes_.push(base::to_bytes(state_.local.bytes()));
}

/// A key for each bucket: ids are drawn until one falls into each. A bucket that is twice as deep
/// in prefix takes twice as many, which is why the deep ones are left out.
void Maintenance::queue_refreshes() {
  const std::size_t count =
      std::min(state_.table.buckets(), state_.config.maintenance.max_refreshed_buckets);
  std::vector<std::optional<RandomId>> ids(count);
  std::size_t missing = count;
  for (std::size_t draws = std::size_t{8} << count; draws > 0 && missing > 0; --draws) {
    const RandomId id = random_id(state_.prng);
    const std::size_t prefix = Key::of(id).common_prefix(state_.local_key);
    if (prefix >= count || ids[prefix]) continue;
    ids[prefix] = id;
    --missing;
  }
  for (const auto& id : ids) {
    if (id) refreshes_.push(base::to_bytes(*id));
  }
}

std::optional<Maintenance::Job> Maintenance::next_job(base::Instant now) {
  if (next_refresh_ && *next_refresh_ <= now) {
    early_gap_ ? refresh_early(now) : refresh(true, now);
  }
  if (auto key = refreshes_.pop()) return Refresh{std::move(*key)};
  if (auto record = own_.pop_due(now)) return std::move(*record);
  return std::nullopt;
}

std::optional<base::Instant> Maintenance::next_job_at() const {
  const auto next = base::earlier(next_refresh_, own_.earliest());
  return refreshes_.empty() ? next : base::earlier(next, refreshes_due_);
}

void Maintenance::schedule_expiry(base::Instant now) {
  if (next_expiry_ || (state_.values.size() == 0 && state_.providers.records() == 0)) return;
  next_expiry_ = now + state_.config.maintenance.expiry_interval;
}

void Maintenance::expire(base::Instant now) {
  if (!next_expiry_ || *next_expiry_ > now) return;
  state_.values.expire(now);
  state_.providers.expire(now);
  next_expiry_.reset();
  schedule_expiry(now);
}

}  // namespace ggen::p2p::kad
