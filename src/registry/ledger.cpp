#include "ledger.hpp"

#include <algorithm>
#include <iterator>

#include <ggen/p2p/base/assert.hpp>

#include "index_changes.hpp"

namespace ggen::p2p::registry {

using multiformats::PeerId;

Ledger::Ledger(Context& context)
    : context_(context),
      catalog_(context.config.catalog),
      reader_(context, catalog_,
              [this](JournalReader::Outcome outcome, base::Instant now) {
                finish_loading(outcome, now);
              }),
      writer_(context, [this](std::vector<JournalWriter::Item> items, std::uint64_t position,
                              base::Instant now) { committed(std::move(items), position, now); }),
      index_(context) {}

void Ledger::start(Loaded loaded) {
  when_loaded_ = std::move(loaded);
  reader_.start();
}

void Ledger::finish_loading(const JournalReader::Outcome& outcome, base::Instant now) {
  loaded_ = true;
  if (outcome.index_behind) index_.leave_behind();
  write_evictions(catalog_.make_room());
  std::size_t entries = 0;
  for (const auto& head : catalog_.heads(std::nullopt, catalog_.size())) {
    entries += catalog_.log(head.publisher)->size();
  }
  context_.emit(event::Loaded{entries, outcome.damaged});
  when_loaded_(now);
}

std::optional<Added> Ledger::add(Entry entry, const PeerId& from, base::Instant now) {
  GGEN_INVARIANT(loaded_);
  const PeerId publisher = entry.statement.publisher;
  if (!has_room() || publisher == signing_) return std::nullopt;
  CatalogAdded result = catalog_.add(std::move(entry));
  const Added& added = result.added;
  // The log itself may have gone to make room.
  if (const PublisherLog* log = catalog_.log(publisher)) {
    std::vector<IndexChange> changes;
    if (added.dropped_from) changes.push_back(IndexRemove{publisher, *added.dropped_from});
    for (const Entry& one : added.accepted) {
      if (auto add = index_add(one, *log)) changes.push_back(std::move(*add));
      write_entry(one, from, std::exchange(changes, {}));
      recent_.insert(one.id, now);
    }
    if (added.fork_found) {
      write_fork(publisher, added);
      spread_fork(*log->fork(), now);
    }
  }
  write_evictions(result.evicted);
  return std::move(result.added);
}

void Ledger::write(JournalWriter::Item item) {
  ++recorded_;
  writer_.push(std::move(item));
}

void Ledger::write_entry(const Entry& entry, const std::optional<PeerId>& from,
                         std::vector<IndexChange> changes) {
  JournalWriter::Item item{{JournalRecord::Kind::kEntry, entry.envelope}, std::move(changes)};
  item.events.push_back(event::EntryAdded{entry, from});
  write(std::move(item));
}

void Ledger::write_evictions(const std::vector<PeerId>& evicted) {
  for (const PeerId& publisher : evicted) {
    JournalWriter::Item item{
        {JournalRecord::Kind::kEvicted, base::Buffer::copy_of(publisher.bytes())}};
    item.changes.push_back(IndexRemove{publisher, 0});
    write(std::move(item));
  }
}

// The log keeps one side of a fork, so the other must be written too, unless the log took it.
void Ledger::write_fork(const PeerId& publisher, const Added& added) {
  const Fork& fork = *catalog_.log(publisher)->fork();
  const event::ForkFound found{publisher, fork.seq};
  if (std::ranges::find(added.accepted, fork.theirs, &Entry::id) != added.accepted.end()) {
    context_.emit(found);
    return;
  }
  JournalWriter::Item item{{JournalRecord::Kind::kEntry, fork.theirs_envelope}};
  item.events.push_back(found);
  write(std::move(item));
}

// Half of the network may hold one side, half the other: each needs what it lacks.
void Ledger::spread_fork(const Fork& fork, base::Instant now) {
  static_cast<void>(context_.below.gossip.publish(kUpdatesTopic, fork.theirs_envelope.view(), now));
  context_.storage.submit(
      store::ReadEntries{{fork.ours}}, [this](StoreResult result, base::Instant then) {
        const auto entries = taken<store::Entries>(std::move(result));
        if (!entries || entries->envelopes.empty() || !entries->envelopes[0]) return;
        static_cast<void>(
            context_.below.gossip.publish(kUpdatesTopic, entries->envelopes[0]->view(), then));
      });
}

void Ledger::commit(Entry entry, Committed committed) {
  GGEN_INVARIANT(!signing_);
  signing_ = entry.statement.publisher;
  JournalWriter::Item item{{JournalRecord::Kind::kEntry, entry.envelope}};
  item.waiter = [this, own = std::move(entry), then = std::move(committed)](
                    std::expected<void, StoreError> written, base::Instant now) mutable {
    signing_.reset();
    if (!written) {
      --recorded_;
      return then(std::unexpected(CommitError{std::move(written.error())}), now);
    }
    const PeerId publisher = own.statement.publisher;
    const CatalogAdded result = catalog_.add(own);
    const PublisherLog* log = catalog_.log(publisher);
    if (log != nullptr) add_index_changes(result.added, *log, own_changes_);
    write_evictions(result.evicted);
    if (result.added.fork_found) {
      context_.emit(event::ForkFound{publisher, log ? log->fork()->seq : own.statement.seq});
    }
    if (result.added.outcome != AddOutcome::kAccepted) {
      return then(std::unexpected(CommitError{std::nullopt, result.added.outcome}), now);
    }
    context_.emit(event::EntryAdded{std::move(own), std::nullopt});
    then({}, now);
  };
  write(std::move(item));
}

void Ledger::committed(std::vector<JournalWriter::Item> items, std::uint64_t position,
                       base::Instant now) {
  std::vector<IndexChange> changes;
  for (JournalWriter::Item& item : items) {
    if (item.waiter) {
      item.waiter({}, now);
      std::ranges::move(std::exchange(own_changes_, {}), std::back_inserter(changes));
    }
    std::ranges::move(item.changes, std::back_inserter(changes));
    for (Output& output : item.events) context_.emit(std::move(output));
  }
  index_.push(std::move(changes), items.size(), position);
}

void Ledger::handle_timeout(base::Instant now) {
  reader_.handle_timeout(now);
  writer_.handle_timeout(now);
  index_.handle_timeout(now);
}

std::optional<base::Instant> Ledger::next_deadline() const {
  return base::earlier(reader_.next_deadline(),
                       base::earlier(writer_.next_deadline(), index_.next_deadline()));
}

}  // namespace ggen::p2p::registry
