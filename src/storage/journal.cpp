#include "journal.hpp"

#include <algorithm>
#include <string>

#include <fcntl.h>
#include <sys/random.h>

#include <ggen/p2p/crypto/signed_envelope.hpp>

namespace ggen::p2p::storage {

using registry::EntryId;
using registry::JournalRecord;
using registry::StoreError;
namespace store = registry::store;

namespace {

constexpr std::size_t kPage = 1024 * 1024;

std::unexpected<StoreError> error(StoreError::Kind kind, std::string detail) {
  return std::unexpected(StoreError{kind, std::move(detail)});
}

// Nothing for bytes that are no envelope: they are kept, but nobody can ask for them.
std::optional<EntryId> id_of(std::uint8_t kind, base::BytesView bytes) {
  if (kind != static_cast<std::uint8_t>(JournalRecord::Kind::kEntry)) return std::nullopt;
  const auto envelope = crypto::SignedEnvelope::decode(bytes);
  if (!envelope) return std::nullopt;
  return EntryId{crypto::sha256(envelope->payload)};
}

Outcome<> create(const std::filesystem::path& path) {
  JournalSalt salt{};
  if (::getentropy(salt.data(), salt.size()) != 0) {
    return error(StoreError::Kind::kIo, "the system has no random numbers");
  }
  return replace_file(path, journal_header(salt));
}

// A journal with less than a header holds nothing. It is kept beside the new one all the same.
Outcome<> create_if_empty(const std::filesystem::path& path) {
  auto file = File::open(path, O_RDONLY);
  if (!file && file.error().kind == StoreError::Kind::kMissing) return create(path);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = file->size();
  if (!size) return std::unexpected(size.error());
  if (*size >= kJournalHeader) return {};
  std::filesystem::path aside = path;
  aside += ".damaged";
  auto kept = rename_file(path, aside);
  return kept ? create(path) : kept;
}

Failure not_a_journal(const std::filesystem::path& path, base::BytesView header) {
  const std::string file = path.native();
  if (base::as_text(header).starts_with("ggen-journal-v") && header[14] != '1') {
    return {Failure::Kind::kTooNew,
            file + " was made by a newer version of this program: use that one"};
  }
  return {Failure::Kind::kDamaged,
          file +
              " does not begin as a journal does, so that nothing in it can be read. Put a copy "
              "of it back, or move it away: the node then starts with an empty journal and "
              "hears of other publishers' releases, and of yours, from its peers"};
}

}  // namespace

std::expected<std::unique_ptr<Journal>, Failure> Journal::open(const std::filesystem::path& path) {
  if (auto made = create_if_empty(path); !made) return std::unexpected(as_failure(made.error()));
  auto file = File::open(path, O_RDWR);
  if (!file) return std::unexpected(as_failure(file.error()));
  base::Bytes header(kJournalHeader);
  const auto got = file->read(0, header);
  if (!got) return std::unexpected(as_failure(got.error()));
  const auto salt = read_journal_header(header);
  if (!salt) return std::unexpected(not_a_journal(path, header));
  std::unique_ptr<Journal> journal(new Journal(std::move(*file), *salt));
  if (auto done = journal->recover(); !done) return std::unexpected(as_failure(done.error()));
  return journal;
}

// Finds the records. Damage with another append behind it is the disk's: those records were durable
// once, and the others are kept. Damage with no append behind it is taken for a crash within the
// last one, which nobody was told of: the file is cut off there, so that what remains of an append
// is always its beginning.
Outcome<> Journal::recover() {
  const auto size = file_.size();
  if (!size) return std::unexpected(size.error());
  std::vector<std::pair<EntryId, Span>> doubtful;
  std::optional<std::uint64_t> damage;  // where it began, while no append has followed
  JournalReader reader(file_, salt_, kJournalHeader, *size);
  std::uint64_t good = kJournalHeader;
  while (true) {
    auto record = reader.next();
    if (!record) return std::unexpected(std::move(record.error()));
    if (!*record) break;
    if ((*record)->offset != good && !damage) damage = good;
    if ((*record)->first && damage) {
      ++damaged_;
      for (auto& [id, span] : doubtful) ids_.insert_or_assign(id, span);
      doubtful.clear();
      damage.reset();
    }
    if (const auto id = id_of((*record)->kind, (*record)->bytes)) {
      const Span span{(*record)->offset, static_cast<std::uint32_t>((*record)->bytes.size())};
      if (damage) {
        doubtful.emplace_back(*id, span);
      } else {
        ids_.insert_or_assign(*id, span);
      }
    }
    good = reader.position();
  }
  end_ = damage.value_or(good);
  return end_ == *size ? Outcome<>{} : cut_off(end_, *size);
}

// What is cut off is kept: should the disk have damaged it, somebody may want to look.
Outcome<> Journal::cut_off(std::uint64_t from, std::uint64_t size) {
  std::filesystem::path aside = file_.path();
  aside += ".cut-" + std::to_string(from);
  auto copy = File::open(aside, O_WRONLY | O_CREAT | O_TRUNC);
  if (!copy) return std::unexpected(std::move(copy.error()));
  base::Bytes piece;
  for (std::uint64_t at = from; at < size; at += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPage, size - at)));
    const auto got = file_.read(at, piece);
    if (!got) return std::unexpected(got.error());
    if (auto put = copy->write(at - from, piece); !put) return put;
  }
  auto done = copy->sync();
  if (done) done = sync_folder(aside.parent_path());
  if (done) done = file_.truncate(from);
  if (done) done = file_.sync();
  return done;
}

std::uint64_t Journal::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

Outcome<store::JournalPage> Journal::read(std::uint64_t from) const {
  const std::uint64_t end = this->end();
  store::JournalPage page;
  page.next = std::min(std::max<std::uint64_t>(from, kJournalHeader), end);
  JournalReader reader(file_, salt_, page.next, end);
  std::size_t bytes = 0;
  while (true) {
    auto record = reader.next();
    if (!record) return std::unexpected(std::move(record.error()));
    if (!*record) {
      page.next = end;
      return page;
    }
    bytes += kRecordHeader + (*record)->bytes.size();
    if (bytes > kPage) break;
    const auto kind = static_cast<JournalRecord::Kind>((*record)->kind);
    // Kinds of newer versions mean nothing to this one.
    if (kind == JournalRecord::Kind::kEntry || kind == JournalRecord::Kind::kEvicted) {
      page.records.push_back({kind, base::Buffer::copy_of((*record)->bytes)});
    }
    page.next = reader.position();
  }
  page.more = true;
  return page;
}

Outcome<store::Entries> Journal::read_entries(const std::vector<EntryId>& ids) const {
  store::Entries found;
  for (const EntryId& id : ids) {
    std::optional<Span> span;
    {
      const std::lock_guard lock(mutex_);
      if (const auto at = ids_.find(id); at != ids_.end()) span = at->second;
    }
    auto& envelope = found.envelopes.emplace_back();
    if (!span) continue;
    const std::uint64_t end = span->offset + kRecordHeader + span->length;
    JournalReader reader(file_, salt_, span->offset, end);
    auto record = reader.next();
    if (!record) return std::unexpected(std::move(record.error()));
    if (*record) envelope = base::Buffer::copy_of((*record)->bytes);
  }
  return found;
}

Outcome<store::Appended> Journal::append(const std::vector<JournalRecord>& records) {
  if (torn_) {
    if (auto cut = file_.truncate(end()); !cut) return std::unexpected(std::move(cut.error()));
    torn_ = false;
  }
  const std::uint64_t start = end();
  base::Bytes bytes;
  std::vector<std::pair<EntryId, Span>> fresh;
  for (const JournalRecord& record : records) {
    if (record.bytes.size() > kMaxRecord) {
      return error(StoreError::Kind::kIo, "a record is larger than any entry may be");
    }
    const std::uint64_t offset = start + bytes.size();
    append_record(bytes, salt_, offset, record, offset == start);
    const auto length = static_cast<std::uint32_t>(record.bytes.size());
    if (auto id = id_of(static_cast<std::uint8_t>(record.kind), record.bytes.view())) {
      fresh.emplace_back(*id, Span{offset, length});
    }
  }
  if (auto written = write_at_end(bytes); !written) {
    return std::unexpected(std::move(written.error()));
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [id, span] : fresh) ids_.insert_or_assign(id, span);
  end_ = start + bytes.size();
  return store::Appended{end_};
}

Outcome<> Journal::write_at_end(const base::Bytes& bytes) {
  const std::uint64_t start = end();
  auto done = file_.write(start, bytes);
  if (done) done = file_.sync();
  // What is left of it must not stand there when something shorter is written over it.
  if (!done) torn_ = !file_.truncate(start);
  return done;
}

}  // namespace ggen::p2p::storage
