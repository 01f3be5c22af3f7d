#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <ggen/p2p/registry/sync.hpp>

#include "ledger.hpp"

namespace ggen::p2p::registry {

/// Brings one log up to what one peer claims to have of it: says what to ask for next, and takes
/// the answers.
///
/// It always ends. What the log itself wants (PublisherLog::wanted) is asked for as long as that
/// changes; apart from it the log is walked upwards from our head, then, when it goes on with keys
/// that we never saw, downwards in search of the entry that brought them. Each range is asked for
/// once, and there is a limit to all of them.
class LogPull {
 public:
  /// Without a claim: whatever the peer has above our head. `forked`: it has a proof of a fork.
  LogPull(const multiformats::PeerId& publisher, std::optional<Head> claim, bool forked = false);

  [[nodiscard]] const multiformats::PeerId& publisher() const noexcept { return publisher_; }

  /// Nothing when there is no more to ask for.
  [[nodiscard]] std::optional<SyncRequest> next(const Catalog& catalog);
  /// The whole answer to what next() said: verified entries of the publisher in the range asked
  /// for, or both sides of a fork.
  void take(std::vector<Entry> entries, Ledger& ledger, const multiformats::PeerId& from,
            base::Instant now);
  /// The answer holds an entry of a newer program: the log ends here for us.
  void note_unreadable() noexcept { could_take_ = false; }
  /// At the end: the peer claimed more than we have, and gave nothing that the log could take,
  /// though the log would have taken it.
  [[nodiscard]] bool was_in_vain(const Catalog& catalog) const;

 private:
  enum class Stage : std::uint8_t { kPeek, kUp, kDown, kFork, kDone };
  static constexpr std::uint64_t kWindow = 64;

  [[nodiscard]] std::optional<SyncRequest> next_of_stage(const PublisherLog* log);
  [[nodiscard]] std::optional<SyncRequest> peek(const PublisherLog* log);
  [[nodiscard]] std::optional<SyncRequest> up(const PublisherLog* log);
  [[nodiscard]] std::optional<SyncRequest> down(const PublisherLog* log);
  [[nodiscard]] std::optional<SyncRequest> fork(const PublisherLog* log);
  [[nodiscard]] SyncRequest ask(const SeqRange& range);
  [[nodiscard]] bool is_ahead(const PublisherLog* log) const;
  void walk_on(const std::vector<Entry>& entries);
  void add(const Entry& entry, Ledger& ledger, const multiformats::PeerId& from, base::Instant now);

  multiformats::PeerId publisher_;
  std::optional<Head> claim_;
  bool forked_ = false;
  Stage stage_ = Stage::kPeek;
  std::size_t budget_;                  // of requests
  std::optional<SeqRange> wanted_{};    // what the log wanted when it was last asked for
  std::optional<SeqRange> asked_{};     // by the last request, if for entries
  bool walking_ = false;                // the last request was one of the way up
  std::uint64_t cursor_ = 0;            // kUp: where to go on
  std::optional<std::uint64_t> top_{};  // kDown: the highest that was not asked for
  bool unknown_keys_ = false;           // there were entries signed with keys that we do not know
  bool met_ = false;                    // the lowest entry of the last answer was one of ours
  bool walked_again_ = false;
  bool unserved_ = false;
  bool brought_ = false;    // something that was new here
  bool could_take_ = true;  // no entry was refused for a reason that is ours
};

}  // namespace ggen::p2p::registry
