#include "sweep.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "region.hpp"

namespace ggen::p2p::kad {
namespace {

// A region of 2 k to 4 k peers takes three to six lookups: fewer keys are told one by one.
constexpr std::size_t kFewestKeys = 8;
constexpr double kFewestPeers = 2;  // times k
// Keys allotted at a time: what they take while they are told is about a megabyte.
constexpr std::size_t kKeysAtOnce = 1024;

}  // namespace

// When.

std::optional<Prefix> Sweep::region_of(base::BytesView key, base::Instant now) const {
  const auto peers = state_.network_size(now);
  if (!peers) return std::nullopt;
  const double regions =
      *peers / (kFewestPeers * static_cast<double>(state_.config.query.lookup.k));
  const int bits = regions < 1 ? 0 : std::ilogb(regions);
  return Prefix::of(place_of(Key::of(key)), static_cast<unsigned>(std::min(bits, 32)));
}

base::Instant Sweep::again_at(base::BytesView key, base::Instant now) const {
  const base::Duration interval = state_.config.maintenance.republish_interval;
  const auto region = region_of(key, now);
  if (!region || state_.provided.count(*region, base::Instant::max(), kFewestKeys) < kFewestKeys) {
    return now + interval;
  }
  const Place own = Prefix::of(place_of(state_.local_key), region->bits).first;
  const double part = std::ldexp(static_cast<double>(region->first ^ own), -64);
  const base::Duration moment{
      static_cast<base::Duration::rep>(part * static_cast<double>(interval.count()))};
  // The next such moment that comes after now.
  const base::Duration passed = (now.time_since_epoch() - moment) % interval;
  return now + (passed < base::Duration{} ? -passed : interval - passed);
}

base::Instant Sweep::retry_at(base::Instant now) const {
  return now + state_.config.maintenance.refresh_interval;
}

// What is due waits for the first peer: to try each key in vain would be much work, all at once.
bool Sweep::nobody_to_tell() const {
  return state_.table.size() == 0;
}

// What to do.

std::optional<Sweep::Job> Sweep::next_job(base::Instant now) {
  while (const auto id = exploring_.pop()) {
    if (auto job = explore(*id, now)) return std::move(*job);
  }
  while (auto key = singles_.pop()) {
    if (!state_.provided.contains(*key)) continue;
    ++stats_.lookups;
    return Single{std::move(*key)};
  }
  return start_due(now);
}

std::optional<base::Instant> Sweep::next_job_at() const {
  if (nobody_to_tell() || regions_.size() >= state_.config.maintenance.max_regions) {
    return std::nullopt;
  }
  return state_.provided.next();
}

std::optional<Sweep::Job> Sweep::start_due(base::Instant now) {
  while (!nobody_to_tell() && regions_.size() < state_.config.maintenance.max_regions) {
    const base::Bytes* key = state_.provided.due(now);
    if (key == nullptr) return std::nullopt;
    const auto part = region_of(*key, now);
    // What would be due soon is told with it, so that a region comes to be told as one.
    const base::Instant until = now + state_.config.maintenance.republish_interval / 4;
    if (!part || state_.provided.count(*part, until, kFewestKeys) < kFewestKeys) {
      ++stats_.lookups;
      return Single{*key};
    }
    state_.provided.begin_telling(*part, until);
    const RegionId id =
        regions_.emplace(Region{.part = *part,
                                .network_size = *state_.network_size(now),
                                .exploration = {*part, state_.config.query.lookup.k}});
    if (auto job = explore(id, now)) return std::move(*job);
  }
  return std::nullopt;
}

/// The next lookup of a region; nothing when it needs no more.
std::optional<Sweep::Explore> Sweep::explore(RegionId id, base::Instant now) {
  Region& region = *regions_.find(id);
  while (const auto part = region.exploration.next()) {
    Explore job{.region = id, .key = {}, .known = {}, .random = false};
    if (const auto random = random_id_in(*part, state_.prng)) {
      job.key = base::to_bytes(*random);
      job.random = region.exploration.lookups() == 0;
    } else if (const base::Bytes* own = state_.provided.any(*part)) {
      job.key = *own;
    } else {
      region.exploration.skip();
      continue;
    }
    region.target = place_of(Key::of(job.key));
    for (const auto& [place, peer] : region.exploration.peers()) job.known.push_back(peer);
    ++stats_.lookups;
    return job;
  }
  tell_more(id, now);
  return std::nullopt;
}

void Sweep::explored(RegionId id, const Lookup& lookup, bool timed_out, base::Instant now) {
  Region* region = regions_.find(id);
  if (region == nullptr || !region->target) return;
  const auto closest = lookup.closest();
  const Place target = *std::exchange(region->target, std::nullopt);
  if (timed_out || closest.empty()) {
    end(id, now);  // the network cannot be reached
    return;
  }
  region->exploration.found(target, closest);
  exploring_.push(id);
}

/// Allots the next keys; ends the region when there are none.
void Sweep::tell_more(RegionId id, base::Instant now) {
  Region& region = *regions_.find(id);
  while (region.under_way == 0) {
    region.keys = state_.provided.telling(region.part, kKeysAtOnce);
    if (region.keys.empty()) {
      ++stats_.swept;
      end(id, now);
      return;
    }
    region.takers.assign(region.keys.size(), 0);
    Allotment allotment =
        allot(region.keys, region.exploration.peers(), state_.config.query.lookup.k,
              state_.network_size(now).value_or(region.network_size));
    for (const auto index : allotment.crowded) {
      base::Bytes& key = region.keys[index];
      state_.provided.begin(key, retry_at(now));
      singles_.push(std::exchange(key, {}));
    }
    region.shares = std::move(allotment.shares);
    region.next_share = 0;
    region.under_way = region.shares.size();
    if (region.under_way == 0) settle_keys(region, now);
  }
  telling_.push(id);
}

std::optional<Announcements::Batch> Sweep::next_batch() {
  while (!telling_.empty()) {
    const RegionId id = telling_.front();
    Region* region = regions_.find(id);
    if (region == nullptr || region->next_share == region->shares.size()) {
      telling_.pop();
      continue;
    }
    const Allotment::Share& share = region->shares[region->next_share];
    Announcements::Batch batch{id, region->next_share++, share.peer, {}};
    for (const auto index : share.keys) batch.keys.push_back(region->keys[index]);
    return batch;
  }
  return std::nullopt;
}

void Sweep::announced(const Announcements::Done& done, base::Instant now) {
  (done.taken ? stats_.records_taken : stats_.records_failed) += done.keys;
  Region* region = regions_.find(done.region);
  if (region == nullptr) return;
  if (done.taken) {
    for (const auto index : region->shares[done.share].keys) ++region->takers[index];
  }
  if (--region->under_way > 0) return;
  settle_keys(*region, now);
  tell_more(done.region, now);
}

void Sweep::settle_keys(Region& region, base::Instant now) {
  for (std::size_t i = 0; i < region.keys.size(); ++i) {
    const base::Bytes& key = region.keys[i];
    if (key.empty()) continue;  // crowded
    if (region.takers[i] > 0) {
      state_.provided.told(key, again_at(key, now));
    } else {
      state_.provided.missed(key, now, retry_at(now));
    }
  }
}

void Sweep::placed(base::BytesView key, const result::Placed& placed, base::Instant now) {
  stats_.records_taken += placed.stored;
  stats_.records_failed += placed.failed;
  if (placed.stored > 0) {
    state_.provided.told(key, again_at(key, now));
  } else {
    state_.provided.missed(key, now, retry_at(now));
  }
}

void Sweep::end(RegionId id, base::Instant now) {
  state_.provided.end_telling(regions_.find(id)->part, retry_at(now));
  regions_.erase(id);
}

// How it goes.

std::optional<ReprovideBehind> Sweep::fallen_behind(base::Instant now) {
  const auto at = state_.provided.owed_since();
  const base::Duration slack = state_.config.maintenance.reprovide_slack;
  const bool behind = at && *at + slack <= now;
  if (!std::exchange(behind_, behind) && behind) {
    return ReprovideBehind{state_.provided.owed(now), now - *at};
  }
  return std::nullopt;
}

std::optional<base::Instant> Sweep::behind_at() const {
  const auto at = state_.provided.owed_since();
  if (!at || behind_) return std::nullopt;
  return *at + state_.config.maintenance.reprovide_slack;
}

ProvideStats Sweep::stats(base::Instant now) const {
  ProvideStats stats = stats_;
  stats.records = state_.provided.size();
  stats.overdue = state_.provided.owed(now);
  if (const auto at = state_.provided.owed_since(); at && *at < now) stats.oldest = now - *at;
  stats.behind = behind_;
  stats.regions = regions_.size();
  return stats;
}

}  // namespace ggen::p2p::kad
