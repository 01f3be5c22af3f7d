#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include <ggen/p2p/registry/entry_id.hpp>
#include <ggen/p2p/registry/storage.hpp>
#include <ggen/p2p/storage/failure.hpp>

#include "file.hpp"
#include "journal_format.hpp"

namespace ggen::p2p::storage {

// The journal: records in one file, in the order in which they were appended. A position is an
// offset into the file.
//
// Threads: append() is not called twice at a time; everything else at any time, also meanwhile.
class Journal {
 public:
  // Opens or creates the file, and finds what a crash or the disk has done to it (see recover()).
  [[nodiscard]] static std::expected<std::unique_ptr<Journal>, Failure> open(
      const std::filesystem::path& path);

  [[nodiscard]] Outcome<registry::store::JournalPage> read(std::uint64_t from) const;
  [[nodiscard]] Outcome<registry::store::Entries> read_entries(
      const std::vector<registry::EntryId>& ids) const;
  // On failure the file is as before.
  [[nodiscard]] Outcome<registry::store::Appended> append(
      const std::vector<registry::JournalRecord>& records);

  [[nodiscard]] std::uint64_t end() const;
  // Stretches of damage between good records, found when it was opened.
  [[nodiscard]] std::size_t damaged() const noexcept { return damaged_; }

 private:
  struct Span {
    std::uint64_t offset;
    std::uint32_t length;  // of the record's bytes
  };
  using Ids = std::unordered_map<registry::EntryId, Span>;

  Journal(File file, const JournalSalt& salt) : file_(std::move(file)), salt_(salt) {}

  [[nodiscard]] Outcome<> recover();
  [[nodiscard]] Outcome<> cut_off(std::uint64_t from, std::uint64_t size);
  [[nodiscard]] Outcome<> write_at_end(const base::Bytes& bytes);

  File file_;
  JournalSalt salt_{};
  std::size_t damaged_ = 0;
  bool torn_ = false;  // a failed append could not be taken back: used by append() only

  mutable std::mutex mutex_;
  std::uint64_t end_ = kJournalHeader;  // what follows is no record yet
  Ids ids_;
};

}  // namespace ggen::p2p::storage
