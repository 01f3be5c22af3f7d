#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <ggen/p2p/registry/catalog.hpp>

#include "context.hpp"

namespace ggen::p2p::registry {

/// Reads the journal at the start, page by page: gives the catalog what it held, and the index what
/// it missed. One operation of the store at a time.
class JournalReader {
 public:
  struct Outcome {
    std::size_t damaged = 0;
    /// The index could not be brought up to the end of the journal.
    bool index_behind = false;
  };
  using Finished = std::move_only_function<void(Outcome outcome, base::Instant now)>;

  JournalReader(Context& context, Catalog& catalog, Finished finished)
      : context_(context), catalog_(catalog), finished_(std::move(finished)) {}

  void start();
  /// The journal could not be read, so far: it is tried again.
  [[nodiscard]] bool has_failed() const noexcept { return retry_at_.has_value(); }

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<base::Instant> next_deadline() const { return retry_at_; }

 private:
  // Entries of one publisher that its log did not take when their turn came, because it knew of
  // another branch then: the next keys may have chosen them later.
  using SetAside = std::multimap<std::uint64_t, EntryId>;

  void read_page();
  void take_page(StoreResult result, base::Instant now);
  void replay(base::Instant now);
  void take(const JournalRecord& record);
  void take_entry(const JournalRecord& record);
  void feed(Entry entry);
  void reindex(const Entry& entry);
  bool refill();
  void refill_with(StoreResult result, base::Instant now);
  void update_index(base::Instant now);
  void next_page(base::Instant now);

  Context& context_;
  Catalog& catalog_;
  Finished finished_;
  Outcome outcome_;
  std::uint64_t index_position_ = 0;
  std::uint64_t from_ = 0;
  bool again_ = false;  // the index knew more than the journal holds: it is told everything
  store::JournalPage page_;
  std::size_t at_ = 0;  // in page_
  std::vector<IndexChange> changes_;
  std::map<multiformats::PeerId, SetAside> set_aside_;
  std::optional<multiformats::PeerId> refilling_;
  std::optional<SeqRange> refilled_;  // what was last given to it
  std::optional<base::Instant> retry_at_;
};

}  // namespace ggen::p2p::registry
