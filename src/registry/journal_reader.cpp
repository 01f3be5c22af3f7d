#include "journal_reader.hpp"

#include <algorithm>

#include "index_changes.hpp"

namespace ggen::p2p::registry {

using multiformats::PeerId;

void JournalReader::start() {
  context_.storage.submit(store::IndexPosition{}, [this](StoreResult result, base::Instant) {
    const auto position = taken<store::Position>(std::move(result));
    // An index that does not answer may as well be made anew.
    if (!position) context_.storage_failed(position.error());
    index_position_ = position ? position->position : 0;
    read_page();
  });
}

void JournalReader::read_page() {
  context_.storage.submit(store::ReadJournal{from_}, [this](StoreResult result, base::Instant now) {
    take_page(std::move(result), now);
  });
}

void JournalReader::take_page(StoreResult result, base::Instant now) {
  auto page = taken<store::JournalPage>(std::move(result));
  if (page && page->more && page->next <= from_) {
    page = std::unexpected(StoreError{StoreError::Kind::kIo, "the journal does not go on"});
  }
  if (!page) {
    context_.storage_failed(page.error());
    retry_at_ = now + kStoreRetry;
    return;
  }
  page_ = std::move(*page);
  at_ = 0;
  replay(now);
}

void JournalReader::replay(base::Instant now) {
  while (at_ < page_.records.size()) {
    take(page_.records[at_++]);
    if (refill()) return;
  }
  update_index(now);
}

void JournalReader::take(const JournalRecord& record) {
  if (record.kind == JournalRecord::Kind::kEntry) return take_entry(record);
  const auto publisher = PeerId::decode(record.bytes.view());
  if (record.kind != JournalRecord::Kind::kEvicted || !publisher) {
    if (!again_) ++outcome_.damaged;
    return;
  }
  if (again_) return;
  catalog_.evict(*publisher);
  set_aside_.erase(*publisher);
  changes_.push_back(IndexRemove{*publisher, 0});
}

void JournalReader::take_entry(const JournalRecord& record) {
  auto entry = Entry::decode(record.bytes.view());
  if (again_) {
    if (entry) reindex(*entry);
  } else if (entry) {
    feed(std::move(*entry));
  } else {
    ++outcome_.damaged;
  }
}

void JournalReader::feed(Entry entry) {
  const PeerId publisher = entry.statement.publisher;
  const EntryId id = entry.id;
  const std::uint64_t seq = entry.statement.seq;
  const Added added = catalog_.restore(std::move(entry));
  const bool on_other_branch =
      added.outcome == AddOutcome::kEquivocation || added.outcome == AddOutcome::kForked;
  const PublisherLog* log = catalog_.log(publisher);
  if (on_other_branch && publisher != refilling_) set_aside_[publisher].emplace(seq, id);
  if (log == nullptr) return;
  add_index_changes(added, *log, changes_);
  if (added.outcome == AddOutcome::kGap && set_aside_.contains(publisher)) refilling_ = publisher;
}

void JournalReader::reindex(const Entry& entry) {
  const PublisherLog* log = catalog_.log(entry.statement.publisher);
  if (log == nullptr) return;
  if (auto add = index_add(entry, *log)) changes_.push_back(std::move(*add));
}

// The next keys chose a branch that the journal brought before them: gives it to the log again,
// highest first. True when the store was asked for it.
bool JournalReader::refill() {
  if (!refilling_) return false;
  const PublisherLog* log = catalog_.log(*refilling_);
  const auto wanted = log ? log->wanted() : std::nullopt;
  const SetAside& aside = set_aside_[*refilling_];
  store::ReadEntries read;
  if (wanted && wanted != refilled_) {
    const auto end = aside.upper_bound(wanted->last);
    for (auto at = aside.lower_bound(wanted->first); at != end; ++at)
      read.ids.push_back(at->second);
  }
  if (read.ids.empty()) {
    refilling_.reset();
    refilled_.reset();
    return false;
  }
  // The highest ones are needed first.
  std::ranges::reverse(read.ids);
  if (read.ids.size() > store::kMaxEntriesRead) {
    read.ids.erase(read.ids.begin() + store::kMaxEntriesRead, read.ids.end());
  }
  refilled_ = wanted;
  context_.storage.submit(std::move(read), [this](StoreResult result, base::Instant now) {
    refill_with(std::move(result), now);
  });
  return true;
}

void JournalReader::refill_with(StoreResult result, base::Instant now) {
  const auto entries = taken<store::Entries>(std::move(result));
  if (!entries) context_.storage_failed(entries.error());
  if (entries) {
    for (const auto& envelope : entries->envelopes) {
      if (!envelope) continue;
      if (auto entry = Entry::decode(envelope->view())) feed(std::move(*entry));
    }
  }
  if (!refill()) replay(now);
}

// A page of which the index knows a part is applied as a whole: doing so twice changes nothing.
void JournalReader::update_index(base::Instant now) {
  std::vector<IndexChange> changes = std::exchange(changes_, {});
  if (page_.next <= index_position_ || page_.next == from_) return next_page(now);
  // A later page would hide that this one is missing.
  if (outcome_.index_behind) return next_page(now);
  store::IndexApply apply{std::move(changes), page_.next};
  context_.storage.submit(std::move(apply), [this](StoreResult result, base::Instant then) {
    if (!result) context_.storage_failed(result.error());
    outcome_.index_behind = !result;
    next_page(then);
  });
}

void JournalReader::next_page(base::Instant now) {
  from_ = page_.next;
  if (page_.more) return read_page();
  if (index_position_ > from_ && !again_) {
    again_ = true;
    index_position_ = 0;
    from_ = 0;
    return read_page();
  }
  page_ = {};
  set_aside_.clear();
  finished_(outcome_, now);
}

void JournalReader::handle_timeout(base::Instant now) {
  if (!retry_at_ || *retry_at_ > now) return;
  retry_at_.reset();
  read_page();
}

}  // namespace ggen::p2p::registry
