#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/multiformats/peer_id.hpp>
#include <ggen/p2p/registry/archive.hpp>
#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/fetch.hpp>
#include <ggen/p2p/registry/name.hpp>
#include <ggen/p2p/registry/search.hpp>

/// The seam between the registry and the disk. The engine gives Store{id, op}; whoever drives it
/// gives back exactly one StoreDone{id, result} for each, in any order, also when the operation
/// failed or the program is stopping.
///
/// **Truth** is the journal (signed entries, append-only) and the blobs (archives, chunk by chunk).
/// The index is a projection of the journal, for searches: it may be lost at any time.
namespace ggen::p2p::registry {

/// One record of the journal. Replaying them in their order gives the same catalog again.
struct JournalRecord {
  enum class Kind : std::uint8_t {
    kEntry = 1,    ///< the envelope of an entry that its log took, or that proves a fork
    kEvicted = 2,  ///< the binary id of a publisher whose log was dropped to make room
  };
  Kind kind{};
  base::Buffer bytes;
};

/// A release as the index has it.
struct IndexAdd {
  EntryId entry;
  multiformats::PeerId publisher;
  std::uint64_t seq = 0;
  Name name;
  std::string version{};
  std::string description{};
  std::string category{};
  std::vector<std::string> tags{};
  std::vector<std::string> authors{};
};
/// Takes a publisher's releases out again, from a sequence number on.
struct IndexRemove {
  multiformats::PeerId publisher;
  std::uint64_t from_seq = 0;
};
using IndexChange = std::variant<IndexAdd, IndexRemove>;

namespace store {

// Operations. Each is bounded: what it carries, and what its result may hold.

/// The records from a position on, as many as fit a page. Position 0 is the beginning. Gives
/// JournalPage. What a crash left half-written at the end is not there.
struct ReadJournal {
  std::uint64_t from = 0;
};
/// Writes records and waits until they are durable: all or, after a crash, a prefix of them. The
/// engine has one Append under way at a time. Gives Appended.
struct Append {
  std::vector<JournalRecord> records;
};
/// Envelopes by their ids, at most kMaxEntriesRead. Gives Entries.
struct ReadEntries {
  std::vector<EntryId> ids;
};
inline constexpr std::size_t kMaxEntriesRead = 256;

/// Which archives are here, whole or in part. Comes once, at the start: what is held in part is
/// hashed again. Gives Blobs.
struct ListBlobs {};
/// Makes room for an archive; `chunks` are the hashes of all its chunks and match its root. Gives
/// Blob: what is held of it already.
struct CreateBlob {
  Archive archive;
  std::vector<crypto::Sha256Digest> chunks;
};
/// Hashes a chunk and writes it. The last one that was missing completes the archive, which is then
/// durable. Gives Done, or kWrongHash: then nothing was written.
struct WriteChunk {
  crypto::Sha256Digest root{};
  std::uint64_t index = 0;
  base::Buffer bytes;
};
/// Reads a chunk and hashes it. Gives Chunk; kCorrupt when the disk did not keep it: the chunk is
/// then no longer held.
struct ReadChunk {
  crypto::Sha256Digest root{};
  std::uint64_t index = 0;
};
/// The hashes of all chunks. Gives ChunkList.
struct ReadList {
  crypto::Sha256Digest root{};
};
/// Deletes an archive; nothing happens when it is not here. Gives Done.
struct RemoveBlob {
  crypto::Sha256Digest root{};
};

/// Up to which position of the journal the index is; 0 when it had to be made anew. Gives Position.
struct IndexPosition {};
/// Brings the index up to a position of the journal, all or nothing. Gives Done.
struct IndexApply {
  std::vector<IndexChange> changes;
  std::uint64_t position = 0;
};
/// Packages with a release that has all the words, the category and the tag: best match first, at
/// most the query's limit. Gives Matches.
struct IndexQuery {
  SearchRequest query;
};

// Results.

struct Done {};
struct JournalPage {
  std::vector<JournalRecord> records;
  std::uint64_t next = 0;  ///< the position after them
  bool more = false;
};
struct Appended {
  std::uint64_t position = 0;  ///< after the last record
};
struct Entries {
  std::vector<std::optional<base::Buffer>> envelopes;  ///< as asked for, in the same order
};
struct Blob {
  Archive archive;
  ChunkSet held;
};
struct Blobs {
  std::vector<Blob> blobs;
};
struct Chunk {
  base::Buffer bytes;
};
struct ChunkList {
  std::vector<crypto::Sha256Digest> chunks;
};
struct Position {
  std::uint64_t position = 0;
};
struct Match {
  multiformats::PeerId publisher;
  Name name;
  double score = 0;  ///< higher is better; only the order within one answer means something
};
struct Matches {
  std::vector<Match> matches;
};

}  // namespace store

using StoreOp =
    std::variant<store::ReadJournal, store::Append, store::ReadEntries, store::ListBlobs,
                 store::CreateBlob, store::WriteChunk, store::ReadChunk, store::ReadList,
                 store::RemoveBlob, store::IndexPosition, store::IndexApply, store::IndexQuery>;

/// Why an operation came to nothing.
struct StoreError {
  enum class Kind : std::uint8_t {
    kIo,         ///< the disk failed: `detail` says how
    kFull,       ///< no room on the disk
    kMissing,    ///< nothing by that name
    kCorrupt,    ///< what is on the disk is not what was written
    kWrongHash,  ///< the bytes given are not those of the chunk
    kShutdown,   ///< the program is stopping
  };
  Kind kind{};
  std::string detail{};  ///< for logs
};
[[nodiscard]] std::string_view to_string(StoreError::Kind kind) noexcept;

using StoreValue =
    std::variant<store::Done, store::JournalPage, store::Appended, store::Entries, store::Blob,
                 store::Blobs, store::Chunk, store::ChunkList, store::Position, store::Matches>;
using StoreResult = std::expected<StoreValue, StoreError>;

struct StoreTag;
using StoreId = base::Id<StoreTag>;

/// An operation that the engine wants done.
struct Store {
  StoreId id;
  StoreOp op;
};
/// What came of it: the one answer to a Store.
struct StoreDone {
  StoreId id;
  StoreResult result;
};

/// Carries operations out, at once. The host calls it from several threads of its pool; Append is
/// never called twice at a time.
class Storage {
 public:
  virtual ~Storage() = default;
  [[nodiscard]] virtual StoreResult run(StoreOp op) = 0;
};

}  // namespace ggen::p2p::registry
