#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <ggen/p2p/registry/catalog.hpp>

#include "context.hpp"
#include "index_updater.hpp"
#include "journal_reader.hpp"
#include "journal_writer.hpp"
#include "recent_entries.hpp"

namespace ggen::p2p::registry {

/// The logs of all publishers, in memory, in the journal and in the index. Whatever a log takes is
/// written; events about it are told when it is durable, and then the index learns of it.
class Ledger {
 public:
  explicit Ledger(Context& context);

  /// Reads the journal; `loaded` is called when that is done.
  using Loaded = std::move_only_function<void(base::Instant now)>;
  void start(Loaded loaded);
  [[nodiscard]] bool is_loaded() const noexcept { return loaded_; }
  /// The journal could not be read, so far.
  [[nodiscard]] bool has_failed() const noexcept { return reader_.has_failed(); }

  [[nodiscard]] const Catalog& catalog() const noexcept { return catalog_; }
  [[nodiscard]] Catalog& catalog() noexcept { return catalog_; }

  /// Takes a verified entry that `from` sent; after is_loaded(). Nothing when there is no room for
  /// it now, or when an entry of the same publisher is being signed here: it will come again.
  std::optional<Added> add(Entry entry, const multiformats::PeerId& from, base::Instant now);
  /// An entry that add() took a short while ago.
  [[nodiscard]] bool came_lately(const EntryId& id, base::Instant now) const {
    return recent_.contains(id, now);
  }
  [[nodiscard]] bool has_room() const noexcept { return writer_.has_room() && index_.has_room(); }

  /// Why an entry of our own is not in its log.
  struct CommitError {
    std::optional<StoreError> store{};  ///< set when it could not be written
    AddOutcome outcome{};               ///< otherwise what the log made of it
  };
  using Committed = std::move_only_function<void(std::expected<void, CommitError>, base::Instant)>;
  /// Writes an entry of our own first, and only then adds it to its log. One at a time.
  void commit(Entry entry, Committed committed);

  /// So many records were given to the journal, and so many are in the index too.
  [[nodiscard]] std::uint64_t recorded() const noexcept { return recorded_; }
  [[nodiscard]] std::uint64_t indexed() const noexcept { return index_.applied(); }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  void finish_loading(const JournalReader::Outcome& outcome, base::Instant now);
  void committed(std::vector<JournalWriter::Item> items, std::uint64_t position, base::Instant now);
  void write(JournalWriter::Item item);
  void write_entry(const Entry& entry, const std::optional<multiformats::PeerId>& from,
                   std::vector<IndexChange> changes);
  void write_evictions(const std::vector<multiformats::PeerId>& evicted);
  void write_fork(const multiformats::PeerId& publisher, const Added& added);
  void spread_fork(const Fork& fork, base::Instant now);

  Context& context_;
  Catalog catalog_;
  JournalReader reader_;
  JournalWriter writer_;
  IndexUpdater index_;
  RecentEntries recent_;
  Loaded when_loaded_;
  bool loaded_ = false;
  std::uint64_t recorded_ = 0;
  std::optional<multiformats::PeerId> signing_;  // whose entry commit() is writing
  std::vector<IndexChange> own_changes_;         // of entries that commit() has just added
};

}  // namespace ggen::p2p::registry
