#include <algorithm>
#include <iterator>

#include <ggen/p2p/base/assert.hpp>
#include <ggen/p2p/registry/publisher_log.hpp>

namespace ggen::p2p::registry {
namespace {

// Room beyond LogLimits::max_bytes that only `keys` entries may use.
constexpr std::size_t kKeysReserve = 4 * kMaxEntry;

std::uint64_t seq_of(const Entry& entry) noexcept {
  return entry.statement.seq;
}

}  // namespace

std::string_view to_string(AddOutcome outcome) noexcept {
  switch (outcome) {
    case AddOutcome::kAccepted:
      return "accepted";
    case AddOutcome::kDuplicate:
      return "known already";
    case AddOutcome::kGap:
      return "entries before it are missing";
    case AddOutcome::kUnverifiable:
      return "signed with keys that are not known";
    case AddOutcome::kEquivocation:
      return "shows that the publisher signed two histories";
    case AddOutcome::kForked:
      return "the publisher signed two histories";
    case AddOutcome::kWrongKey:
      return "signed with keys that were not in force";
    case AddOutcome::kReusedKeys:
      return "announces keys that were announced before";
    case AddOutcome::kFull:
      return "the publisher's log is full";
  }
  return "unknown outcome";
}

PublisherLog::PublisherLog(multiformats::PeerId publisher, LogLimits limits)
    : publisher_(publisher), limits_(limits) {}

// What we have.

std::optional<Head> PublisherLog::head() const {
  if (chain_.empty()) return std::nullopt;
  return Head{next_seq() - 1, chain_.back().id};
}

std::optional<EntryId> PublisherLog::entry(std::uint64_t seq) const {
  if (seq >= next_seq()) return std::nullopt;
  return chain_[seq].id;
}

HeadStanding PublisherLog::compare(const Head& claim) const {
  if (claim.seq >= next_seq()) return HeadStanding::kAhead;
  if (chain_[claim.seq].id != claim.id) return HeadStanding::kDiffers;
  return claim.seq + 1 == next_seq() ? HeadStanding::kSame : HeadStanding::kBehind;
}

const Keys* PublisherLog::current_keys() const noexcept {
  return eras_.empty() ? nullptr : &eras_.back().keys;
}

std::vector<EntryId> PublisherLog::keys_entries() const {
  std::vector<EntryId> ids;
  for (const Era& era : eras_) ids.push_back(chain_[era.first].id);
  return ids;
}

bool PublisherLog::has_id(std::uint64_t seq, const EntryId& id) const {
  return seq < next_seq() && chain_[seq].id == id;
}

bool PublisherLog::has(const Entry& entry) const {
  return has_id(seq_of(entry), entry.id) || pending_.contains({seq_of(entry), entry.id}) ||
         (opening_ && opening_->entry.id == entry.id);
}

// The entry before it is ours.
bool PublisherLog::fits(const Entry& entry) const {
  return has_id(seq_of(entry) - 1, *entry.statement.prev);
}

bool PublisherLog::is_within_limits(const Entry& entry) const noexcept {
  const std::size_t room = limits_.max_bytes + (entry.keys() ? kKeysReserve : 0);
  return seq_of(entry) < limits_.max_entries && bytes_ + entry.envelope.size() <= room;
}

// The era whose keys sign an entry at `seq` that opens none.
std::size_t PublisherLog::era_before(std::uint64_t seq) const {
  const auto after =
      std::ranges::partition_point(eras_, [seq](const Era& e) { return e.first < seq; });
  return static_cast<std::size_t>(after - eras_.begin()) - 1;
}

// The first keys, or the next ones of any era: the keys of all others were next ones once.
bool PublisherLog::announced_before(const Keys& keys) const {
  return keys.next == eras_.front().keys.keys.digest() ||
         std::ranges::any_of(eras_, [&](const Era& era) { return era.keys.next == keys.next; });
}

std::optional<SeqRange> PublisherLog::wanted() const {
  if (opening_) {
    const std::uint64_t last = seq_of(opening_->lowest()) - 1;
    const std::uint64_t first = last + 1 - std::min<std::uint64_t>(last + 1, limits_.max_wanted);
    return SeqRange{std::max(first, eras_.back().first + 1), last};
  }
  if (pending_.empty() || is_frozen()) return std::nullopt;
  const std::uint64_t waiting = pending_.begin()->first.first;
  return SeqRange{next_seq(), std::min(waiting - 1, next_seq() + limits_.max_wanted - 1)};
}

// Taking entries.

Added PublisherLog::add(Entry entry) {
  GGEN_INVARIANT(entry.statement.publisher == publisher_);
  const EntryId id = entry.id;
  Added added;
  added.outcome = take(std::move(entry), added);
  take_waiting(added);
  if (added.outcome == AddOutcome::kGap &&
      std::ranges::find(added.accepted, id, &Entry::id) != added.accepted.end()) {
    added.outcome = AddOutcome::kAccepted;  // what waited for it is here
  }
  if (auto missing = wanted()) added.wanted = missing;
  return added;
}

AddOutcome PublisherLog::take(Entry entry, Added& added) {
  const std::uint64_t seq = seq_of(entry);
  if (has(entry)) return AddOutcome::kDuplicate;
  if (is_before_opening(entry)) return take_before_opening(std::move(entry));
  if (!is_within_limits(entry)) return AddOutcome::kFull;
  if (chain_.empty() && seq > 0) {
    added.wanted = SeqRange{0, std::min<std::uint64_t>(seq, limits_.max_wanted) - 1};
    return AddOutcome::kGap;
  }
  if (seq == 0 && !chain_.empty()) {
    found_fork(0, chain_[0].id, entry, eras_.size() > 1, added);
    return added.fork_found ? AddOutcome::kEquivocation : AddOutcome::kForked;
  }
  if (seq == 0) {
    append(std::move(entry), added);
    return AddOutcome::kAccepted;
  }
  return entry.keys() ? take_keys(std::move(entry), added) : take_ordinary(std::move(entry), added);
}

AddOutcome PublisherLog::take_ordinary(Entry entry, Added& added) {
  const std::uint64_t seq = seq_of(entry);
  const std::size_t era = era_before(seq);
  if (!eras_[era].keys.keys.contains(entry.signer)) {
    return is_of_opening(entry) ? wait(std::move(entry)) : unknown_keys(entry, added);
  }
  const bool era_closed = era + 1 < eras_.size();
  if (seq < next_seq()) return contradict(entry, era_closed, added);
  if (is_frozen()) return AddOutcome::kForked;
  if (seq > next_seq()) return wait(std::move(entry));
  if (!fits(entry)) return contradict(entry, era_closed, added);
  append(std::move(entry), added);
  return AddOutcome::kAccepted;
}

// An entry that can only be the first of an era. Which one, its keys tell: their digest was
// announced.
AddOutcome PublisherLog::take_keys(Entry entry, Added& added) {
  const auto digest = entry.keys()->keys.digest();
  const auto before = std::ranges::find_if(
      eras_, [&](const Era& era) { return era.keys.next == digest && era.first < seq_of(entry); });
  if (before == eras_.end()) return unknown_keys(entry, added);
  const auto opened = std::next(before);
  if (opened == eras_.end()) {
    if (announced_before(*entry.keys())) return AddOutcome::kReusedKeys;
    return take_opening(std::move(entry), added);
  }
  // The era was opened by another entry.
  const std::uint64_t seq = std::min(opened->first, seq_of(entry));
  const bool closed = std::next(opened) != eras_.end();
  found_fork(seq, chain_[seq].id, entry, closed, added);
  return added.fork_found ? AddOutcome::kEquivocation : AddOutcome::kForked;
}

// The first entry of the next era: what its `prev` names is the branch that holds.
AddOutcome PublisherLog::take_opening(Entry entry, Added& added) {
  if (fits(entry)) forget_opening();
  if (opening_) return AddOutcome::kGap;  // one at a time; only the publisher can make two
  opening_bytes_ = entry.envelope.size();
  opening_.emplace(std::move(entry));
  if (open_era(added)) return AddOutcome::kAccepted;
  return added.fork_found ? AddOutcome::kEquivocation : AddOutcome::kGap;
}

bool PublisherLog::is_before_opening(const Entry& entry) const {
  return opening_ && entry.id == *opening_->lowest().statement.prev;
}

AddOutcome PublisherLog::take_before_opening(Entry entry) {
  const std::size_t size = entry.envelope.size();
  if (opening_bytes_ + size > limits_.max_bytes) return AddOutcome::kFull;
  // The id vouches for what the entry says, not for the envelope around it.
  if (!eras_.back().keys.keys.contains(entry.signer)) return AddOutcome::kWrongKey;
  if (entry.keys() || seq_of(entry) + 1 != seq_of(opening_->lowest())) {
    forget_opening();  // its publisher built it on nothing that can be
    return AddOutcome::kWrongKey;
  }
  opening_bytes_ += size;
  opening_->before.push_back(std::move(entry));
  return AddOutcome::kGap;
}

AddOutcome PublisherLog::unknown_keys(const Entry& entry, Added& added) const {
  const std::uint64_t seq = seq_of(entry);
  const std::uint64_t era = eras_.back().first;
  // Those on the other side of a known fork may have keys that we never saw announced.
  if (seq <= era) return fork_ ? AddOutcome::kForked : AddOutcome::kWrongKey;
  // The entry that brought those keys, if there is one, is further up, or on a branch that we do
  // not have.
  const std::uint64_t count = limits_.max_wanted;
  if (seq >= next_seq()) {
    added.wanted = SeqRange{next_seq(), std::min(seq, next_seq() + count - 1)};
  } else {
    added.wanted = SeqRange{std::max(era + 1, seq + 1 - std::min(seq + 1, count)), seq};
  }
  return AddOutcome::kUnverifiable;
}

// Waiting entries.

bool PublisherLog::is_of_opening(const Entry& entry) const {
  return opening_ && seq_of(entry) > seq_of(opening_->entry) &&
         opening_->entry.keys()->keys.contains(entry.signer);
}

// The lowest ones are kept: they are needed first.
AddOutcome PublisherLog::wait(Entry entry) {
  const std::size_t size = entry.envelope.size();
  while (pending_.size() >= limits_.max_pending ||
         pending_bytes_ + size > limits_.max_pending_bytes) {
    if (pending_.empty()) return AddOutcome::kGap;
    const auto highest = std::prev(pending_.end());
    if (highest->first.first <= seq_of(entry)) return AddOutcome::kGap;
    take_pending(highest);
  }
  pending_bytes_ += size;
  const auto key = std::pair{seq_of(entry), entry.id};
  pending_.emplace(key, std::move(entry));
  return AddOutcome::kGap;
}

Entry PublisherLog::take_pending(std::map<std::pair<std::uint64_t, EntryId>, Entry>::iterator at) {
  Entry entry = std::move(at->second);
  pending_.erase(at);
  pending_bytes_ -= entry.envelope.size();
  return entry;
}

// An entry whose turn has come, whatever becomes of it.
std::optional<Entry> PublisherLog::next_waiting() {
  for (auto at = pending_.begin(); at != pending_.end() && at->first.first <= next_seq(); ++at) {
    if (!is_of_opening(at->second)) return take_pending(at);
  }
  return std::nullopt;
}

// Waiting entries may be those that the opening builds on.
void PublisherLog::fill_opening() {
  while (opening_) {
    const Statement& lowest = opening_->lowest().statement;
    const auto at = pending_.find({lowest.seq - 1, *lowest.prev});
    if (at == pending_.end()) return;
    take_before_opening(take_pending(at));
  }
}

void PublisherLog::take_waiting(Added& added) {
  while (true) {
    fill_opening();
    if (open_era(added)) continue;
    auto entry = next_waiting();
    if (!entry) return;
    take(std::move(*entry), added);
  }
}

void PublisherLog::forget_opening() {
  opening_.reset();
  opening_bytes_ = 0;
}

void PublisherLog::forget_waiting() {
  forget_opening();
  pending_.clear();
  pending_bytes_ = 0;
}

// Changing the chain.

void PublisherLog::append(Entry entry, Added& added) {
  const std::size_t size = entry.envelope.size();
  bytes_ += size;
  chain_.push_back({entry.id, static_cast<std::uint32_t>(size)});
  if (const Keys* keys = entry.keys()) {
    eras_.push_back({seq_of(entry), *keys});
    if (fork_) fork_->settled = true;
  }
  releases_.apply(entry);
  added.accepted.push_back(std::move(entry));
}

void PublisherLog::truncate(std::uint64_t size, Added& added) {
  GGEN_INVARIANT(size > eras_.back().first);
  for (; next_seq() > size; chain_.pop_back()) bytes_ -= chain_.back().bytes;
  releases_.truncate(size);
  std::erase_if(added.accepted, [size](const Entry& entry) { return seq_of(entry) >= size; });
  added.dropped_from = std::min(size, added.dropped_from.value_or(size));
}

// Opens the next era when its first entry, or what it builds on, meets our chain.
bool PublisherLog::open_era(Added& added) {
  if (!opening_) return false;
  const Entry& lowest = opening_->lowest();
  const std::uint64_t seq = seq_of(lowest);
  if (seq > next_seq()) return false;
  if (!fits(lowest)) {
    // What we have is not what the next era builds on, however it turns out.
    if (seq - 1 == eras_.back().first) {
      forget_opening();  // it claims another past than the keys it was announced by
    } else {
      found_fork(seq - 1, chain_[seq - 1].id, lowest, false, added);
    }
    return false;
  }
  if (seq < next_seq()) {
    found_fork(seq, chain_[seq].id, lowest, false, added);
    truncate(seq, added);
  }
  Opening opening = std::move(*opening_);
  forget_opening();
  for (auto at = opening.before.rbegin(); at != opening.before.rend(); ++at) {
    append(std::move(*at), added);
  }
  append(std::move(opening.entry), added);
  return true;
}

// `theirs` and `ours` cannot both be in one chain.
void PublisherLog::found_fork(std::uint64_t seq, const EntryId& ours, const Entry& theirs,
                              bool settled, Added& added) {
  const bool worse = !fork_ || (!settled && (fork_->settled || seq < fork_->seq));
  if (!worse) return;
  fork_ = Fork{seq, ours, theirs.id, theirs.envelope, settled};
  added.fork_found = true;
}

// An entry at or below the place of the next one that is not the one we have there, or does not
// follow the one before it.
AddOutcome PublisherLog::contradict(const Entry& entry, bool settled, Added& added) {
  const std::uint64_t seq = fits(entry) ? seq_of(entry) : seq_of(entry) - 1;
  found_fork(seq, chain_[seq].id, entry, settled, added);
  return added.fork_found ? AddOutcome::kEquivocation : AddOutcome::kForked;
}

}  // namespace ggen::p2p::registry
