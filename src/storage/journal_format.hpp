#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <ggen/p2p/base/bytes.hpp>
#include <ggen/p2p/registry/storage.hpp>

#include "file.hpp"

// The file: a header, then records.
//
// | header | 16 bytes | kJournalMagic                                                |
// |        | 16 bytes | salt                                                         |
// |        | 8 bytes  | the first of the SHA-256 of the two                          |
// | record | 2 bytes  | `gJ`                                                         |
// |        | 1 byte   | registry::JournalRecord::Kind                                |
// |        | 1 byte   | 1 for the first record of an append, 0 for those that follow |
// |        | 4 bytes  | length of what follows the check, big-endian                 |
// |        | 8 bytes  | check                                                        |
// |        |          | the bytes                                                    |
//
// The check is the first 8 bytes of the SHA-256 of salt, offset of the record in the file, kind,
// first, length and bytes. With it, a record is known wherever a reader stands, so that damage
// costs only the records that it touches; and nobody else can make bytes inside an entry look like
// a record, because nobody else knows the salt.
namespace ggen::p2p::storage {

inline constexpr std::size_t kJournalHeader = 40;
inline constexpr std::size_t kRecordHeader = 16;
// Bytes of a record: an entry takes at most 16 KiB.
inline constexpr std::size_t kMaxRecord = 32 * 1024;

using JournalSalt = std::array<std::uint8_t, 16>;

[[nodiscard]] base::Bytes journal_header(const JournalSalt& salt);
// Nothing when it is not the header of a journal that this version reads.
[[nodiscard]] std::optional<JournalSalt> read_journal_header(base::BytesView header);

// Appends a record that will stand at `offset`.
void append_record(base::Bytes& to, const JournalSalt& salt, std::uint64_t offset,
                   const registry::JournalRecord& record, bool first);

struct RecordView {
  std::uint64_t offset = 0;
  std::uint8_t kind = 0;
  bool first = false;  // begins an append
  base::BytesView bytes;
};

// Walks over the good records between two positions.
class JournalReader {
 public:
  JournalReader(const File& file, const JournalSalt& salt, std::uint64_t from, std::uint64_t end)
      : file_(file), salt_(salt), position_(from), end_(end) {}

  // The next good record; its bytes are valid until the next call. Nothing at the end.
  [[nodiscard]] Outcome<std::optional<RecordView>> next();
  // Behind the last good record that next() gave.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

 private:
  [[nodiscard]] Outcome<base::BytesView> view(std::uint64_t at, std::size_t size);

  const File& file_;
  const JournalSalt& salt_;
  std::uint64_t position_;
  std::uint64_t end_;
  base::Bytes window_;  // bytes of the file from window_at_ on
  std::uint64_t window_at_ = 0;
};

}  // namespace ggen::p2p::storage
