#include "log_pull.hpp"

#include <algorithm>

namespace ggen::p2p::registry {

using multiformats::PeerId;

namespace {

std::uint64_t next_seq(const PublisherLog* log) {
  return log == nullptr ? 0 : log->size();
}

// Two requests for each window of the log are plenty: one on the way up, one on the way down.
std::size_t budget_for(const std::optional<Head>& claim) {
  constexpr std::uint64_t kMost = 1024;
  if (!claim) return kMost;
  return static_cast<std::size_t>(std::min(kMost, 16 + claim->seq / 16));
}

}  // namespace

LogPull::LogPull(const PeerId& publisher, std::optional<Head> claim, bool forked)
    : publisher_(publisher), claim_(claim), forked_(forked), budget_(budget_for(claim)) {}

SyncRequest LogPull::ask(const SeqRange& range) {
  asked_ = range;
  return EntriesRequest{publisher_, range};
}

std::optional<SyncRequest> LogPull::next(const Catalog& catalog) {
  if (budget_ == 0 || unserved_) return std::nullopt;
  --budget_;
  const PublisherLog* log = catalog.log(publisher_);
  asked_.reset();
  walking_ = false;
  if (auto wanted = log ? log->wanted() : std::nullopt; wanted && wanted != wanted_) {
    wanted_ = wanted;
    if (wanted->last - wanted->first >= kMaxSyncEntries) {
      wanted->first = wanted->last + 1 - kMaxSyncEntries;
    }
    return ask(*wanted);
  }
  return next_of_stage(log);
}

std::optional<SyncRequest> LogPull::next_of_stage(const PublisherLog* log) {
  std::optional<SyncRequest> request;
  while (!request && stage_ != Stage::kDone) {
    const Stage stage = stage_;
    switch (stage) {
      case Stage::kPeek:
        request = peek(log);
        stage_ = Stage::kUp;
        break;
      case Stage::kUp:
        request = up(log);
        if (!request) stage_ = Stage::kDown;
        break;
      case Stage::kDown:
        request = down(log);
        if (!request) stage_ = Stage::kFork;
        // What is above can be verified now.
        if (!request && brought_ && unknown_keys_ && is_ahead(log) && !walked_again_) {
          walked_again_ = true;
          cursor_ = 0;
          stage_ = Stage::kUp;
        }
        break;
      case Stage::kFork:
        request = fork(log);
        stage_ = Stage::kDone;
        break;
      case Stage::kDone:
        break;
    }
  }
  return request;
}

// When both sides differ, or ours is frozen, the peer's head alone tells whether the rest is worth
// asking for: it is when other keys than ours signed it.
std::optional<SyncRequest> LogPull::peek(const PublisherLog* log) {
  if (!claim_ || log == nullptr) return std::nullopt;
  const HeadStanding standing = log->compare(*claim_);
  if (standing == HeadStanding::kDiffers ||
      (standing == HeadStanding::kAhead && log->is_frozen())) {
    return ask({claim_->seq, claim_->seq});
  }
  return std::nullopt;
}

std::optional<SyncRequest> LogPull::up(const PublisherLog* log) {
  cursor_ = std::max(cursor_, next_seq(log));
  if (claim_ && (!is_ahead(log) || cursor_ > claim_->seq)) return std::nullopt;
  // Without a claim only what the log takes leads on; frozen, only keys that we do not know.
  if (!claim_ && cursor_ > next_seq(log)) return std::nullopt;
  if (log != nullptr && log->is_frozen() && !unknown_keys_) return std::nullopt;
  const std::uint64_t last = std::min(cursor_ + kMaxSyncEntries - 1, kMaxSequence);
  if (cursor_ > last) return std::nullopt;
  walking_ = true;
  return ask({cursor_, claim_ ? std::min(last, claim_->seq) : last});
}

std::optional<SyncRequest> LogPull::down(const PublisherLog* log) {
  if (!unknown_keys_ || !claim_ || met_ || next_seq(log) == 0 || top_ == 0) return std::nullopt;
  if (!top_) top_ = std::min(claim_->seq, next_seq(log) - 1) + 1;
  const SeqRange range{*top_ - std::min(*top_, kWindow), *top_ - 1};
  top_ = range.first;
  return ask(range);
}

std::optional<SyncRequest> LogPull::fork(const PublisherLog* log) {
  if (!forked_ || log == nullptr || log->fork()) return std::nullopt;
  return ForkRequest{publisher_};
}

bool LogPull::is_ahead(const PublisherLog* log) const {
  return claim_ && (log == nullptr || log->compare(*claim_) == HeadStanding::kAhead);
}

bool LogPull::was_in_vain(const Catalog& catalog) const {
  if (!claim_ || brought_ || !could_take_) return false;
  const PublisherLog* log = catalog.log(publisher_);
  return unserved_ || is_ahead(log) || log->compare(*claim_) == HeadStanding::kDiffers;
}

void LogPull::add(const Entry& entry, Ledger& ledger, const PeerId& from, base::Instant now) {
  const auto added = ledger.add(entry, from, now);
  if (!added) {
    could_take_ = false;
    return;
  }
  if (!added->accepted.empty() || added->fork_found) brought_ = true;
  if (added->outcome == AddOutcome::kUnverifiable) unknown_keys_ = true;
  // We, or both sides of a known fork, are the reason.
  if (added->outcome == AddOutcome::kFull || added->outcome == AddOutcome::kForked) {
    could_take_ = false;
  }
}

void LogPull::take(std::vector<Entry> entries, Ledger& ledger, const PeerId& from,
                   base::Instant now) {
  std::ranges::sort(entries, {}, [](const Entry& entry) { return entry.statement.seq; });
  const PublisherLog* log = ledger.catalog().log(publisher_);
  met_ = log != nullptr && !entries.empty() &&
         log->entry(entries.front().statement.seq) == entries.front().id;
  // Upwards, as logs grow; then downwards, as the branch is filled that the next keys chose.
  for (const Entry& entry : entries) add(entry, ledger, from, now);
  log = ledger.catalog().log(publisher_);
  if (log != nullptr && log->wanted()) {
    for (auto at = entries.rbegin(); at != entries.rend(); ++at) add(*at, ledger, from, now);
  }
  // Below our head nothing was claimed.
  if (entries.empty() && stage_ != Stage::kDown) unserved_ = true;
  if (walking_ && !entries.empty()) cursor_ = entries.back().statement.seq + 1;
}

}  // namespace ggen::p2p::registry
