#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/entry.hpp>
#include <ggen/p2p/registry/releases.hpp>

/// One publisher's log: which entries belong to it, in which order, and whether it can be trusted.
///
/// Each entry names the one before it by its id, so the head stands for the whole log. The log is
/// cut into eras by its `keys` entries: an era's keys sign its other entries, and the digest of the
/// next era's keys stands in the entry that opens it.
///
/// **Forks.** Two entries of a publisher that cannot stand in one chain (two ids at one sequence
/// number, or one whose `prev` is not the entry before it) show that somebody signed two histories.
/// The log is then frozen: it takes no entries and nothing of it should be installed, until an
/// entry with the keys announced for the next era closes this one. Its `prev` chooses the branch;
/// what it leaves out is dropped. A thief of the current keys cannot make such an entry, and so can
/// stop a publisher but not speak for it.
///
/// An era that we have seen open stays: another first entry of it, which only the holder of the
/// keys announced for it can make, freezes the log until the era after it opens on our branch.
/// Which of two *first* entries of a log somebody sees first is up to the network; nothing in a log
/// of self-certified keys could decide it.
namespace ggen::p2p::registry {

/// Sequence numbers, both included.
struct SeqRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const SeqRange&) const = default;
};

/// The last entry of a log, as somebody claims it or as we have it.
struct Head {
  std::uint64_t seq = 0;
  EntryId id;
  bool operator==(const Head&) const = default;
};

struct LogLimits {
  /// Entries of one log, and bytes of their envelopes: above, they are kFull. Some room is kept for
  /// `keys` entries, so that a thief of the current keys cannot fill the log against the next ones;
  /// choosing another branch of a fork may bring the bytes to twice the limit.
  std::size_t max_entries = 16 * 1024;
  std::size_t max_bytes = 16 * 1024 * 1024;
  /// Entries that wait for those before them, and their bytes.
  std::size_t max_pending = 64;
  std::size_t max_pending_bytes = 128 * 1024;
  /// Entries that wanted() asks for at a time.
  std::size_t max_wanted = 64;
};

/// What became of an entry.
enum class AddOutcome : std::uint8_t {
  kAccepted,      ///< it is part of the log
  kDuplicate,     ///< we have it: it is our head, history below it, or waits already
  kGap,           ///< entries before it are missing: ask for `wanted`. It may or may not be kept
  kUnverifiable,  ///< signed with keys that we do not know: those of an era that we have not seen
                  ///< open, or a stranger's. Not kept; `wanted` would tell
  kEquivocation,  ///< it shows a fork that was not known: keep it for proof, and pass it on
  kForked,        ///< it is on the other side of a known fork, or the log is frozen by one
  kWrongKey,      ///< signed with keys that were not its era's: nobody should have passed it on
  kReusedKeys,    ///< announces keys that were announced or used before: the same
  kFull,          ///< above LogLimits
};
[[nodiscard]] std::string_view to_string(AddOutcome outcome) noexcept;

/// What an entry brought about.
struct Added {
  AddOutcome outcome{};
  /// New entries of the log in their order: the one added, and those that had waited for it.
  std::vector<Entry> accepted{};
  /// Set when entries were dropped for those accepted: all from this sequence number on.
  std::optional<std::uint64_t> dropped_from{};
  /// A fork was found, by the entry added or by one that had waited for it.
  bool fork_found = false;
  /// What to ask peers for next. With entries fed highest first, progress never depends on the room
  /// for waiting ones.
  std::optional<SeqRange> wanted{};
};

/// The proof that a publisher signed two histories.
struct Fork {
  std::uint64_t seq = 0;  ///< the first sequence number in doubt
  EntryId ours;  ///< an entry of our log when the fork was found; its envelope is in the journal
  EntryId theirs;
  base::Buffer theirs_envelope;
  bool settled = false;  ///< an entry of a later era chose a branch
};

/// How somebody's claim of a head compares with ours.
enum class HeadStanding : std::uint8_t {
  kSame,
  kBehind,   ///< stale: they know less than we do
  kAhead,    ///< ask them for the entries after our head
  kDiffers,  ///< another entry than ours at this number: ask for it, it proves a fork
};

/// The log. Knows ids and releases; the entries themselves are the journal's. Signatures were
/// verified when the entries were opened. Not thread-safe.
///
/// To restore it, add the journal's entries in the order in which they were written (accepted ones,
/// and those that were kEquivocation), then, while there is wanted(), those of them that lie in it,
/// highest first.
class PublisherLog {
 public:
  explicit PublisherLog(multiformats::PeerId publisher, LogLimits limits = {});

  /// The entry must be of this publisher.
  Added add(Entry entry);

  [[nodiscard]] const multiformats::PeerId& publisher() const noexcept { return publisher_; }
  [[nodiscard]] std::optional<Head> head() const;
  [[nodiscard]] std::optional<EntryId> entry(std::uint64_t seq) const;
  [[nodiscard]] std::size_t size() const noexcept { return chain_.size(); }
  [[nodiscard]] HeadStanding compare(const Head& claim) const;
  /// Packages and releases. Of a frozen log, those from fork()->seq on are in doubt.
  [[nodiscard]] const Releases& releases() const noexcept { return releases_; }

  /// The keys that may sign the next entry, and the digest of the next ones. Null, nothing: empty.
  [[nodiscard]] const Keys* current_keys() const noexcept;
  /// The entries that opened an era, in their order.
  [[nodiscard]] std::vector<EntryId> keys_entries() const;

  /// The fork to show: one that freezes the log, otherwise the first one that was settled.
  [[nodiscard]] const std::optional<Fork>& fork() const noexcept { return fork_; }
  [[nodiscard]] bool is_frozen() const noexcept { return fork_ && !fork_->settled; }

  /// Entries that are missing, below one that waits.
  [[nodiscard]] std::optional<SeqRange> wanted() const;
  /// Bytes of the log's envelopes, and of those that wait.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept {
    return pending_bytes_ + opening_bytes_;
  }
  /// Forgets what waits, to make room: sync brings it again.
  void forget_waiting();

 private:
  struct Record {
    EntryId id;
    std::uint32_t bytes = 0;
  };
  struct Era {
    std::uint64_t first = 0;  // sequence number of its keys entry
    Keys keys;
  };
  // The first entry of the next era when entries between it and our log are missing.
  struct Opening {
    Entry entry;
    std::vector<Entry> before{};  // downwards from it, each named by the last one's prev
    [[nodiscard]] const Entry& lowest() const noexcept {
      return before.empty() ? entry : before.back();
    }
  };

  [[nodiscard]] std::uint64_t next_seq() const noexcept { return chain_.size(); }
  [[nodiscard]] bool has(const Entry& entry) const;
  [[nodiscard]] bool has_id(std::uint64_t seq, const EntryId& id) const;
  [[nodiscard]] bool fits(const Entry& entry) const;
  [[nodiscard]] bool is_within_limits(const Entry& entry) const noexcept;
  [[nodiscard]] std::size_t era_before(std::uint64_t seq) const;
  [[nodiscard]] bool announced_before(const Keys& keys) const;

  AddOutcome take(Entry entry, Added& added);
  AddOutcome take_ordinary(Entry entry, Added& added);
  AddOutcome take_keys(Entry entry, Added& added);
  AddOutcome take_opening(Entry entry, Added& added);
  AddOutcome take_before_opening(Entry entry);
  [[nodiscard]] bool is_before_opening(const Entry& entry) const;
  void forget_opening();
  AddOutcome unknown_keys(const Entry& entry, Added& added) const;
  AddOutcome wait(Entry entry);
  [[nodiscard]] bool is_of_opening(const Entry& entry) const;
  void fill_opening();
  [[nodiscard]] std::optional<Entry> next_waiting();
  Entry take_pending(std::map<std::pair<std::uint64_t, EntryId>, Entry>::iterator at);
  void take_waiting(Added& added);

  void append(Entry entry, Added& added);
  void truncate(std::uint64_t size, Added& added);
  bool open_era(Added& added);
  void found_fork(std::uint64_t seq, const EntryId& ours, const Entry& theirs, bool settled,
                  Added& added);
  AddOutcome contradict(const Entry& entry, bool settled, Added& added);

  multiformats::PeerId publisher_;
  LogLimits limits_;
  std::vector<Record> chain_;
  std::vector<Era> eras_;
  Releases releases_;
  std::optional<Fork> fork_;
  std::optional<Opening> opening_;
  std::map<std::pair<std::uint64_t, EntryId>, Entry> pending_;
  std::size_t bytes_ = 0;
  std::size_t pending_bytes_ = 0;
  std::size_t opening_bytes_ = 0;
};

}  // namespace ggen::p2p::registry
