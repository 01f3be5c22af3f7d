#include "journal_format.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <ggen/p2p/crypto/sha256.hpp>

namespace ggen::p2p::storage {
namespace {

constexpr std::string_view kMagic("ggen-journal-v1\n", 16);
constexpr std::size_t kCheck = 8;
constexpr std::size_t kFields = kRecordHeader - kCheck;
constexpr std::size_t kWindow = 256 * 1024;

using Check = std::array<std::uint8_t, kCheck>;

Check check_of(const JournalSalt& salt, std::uint64_t offset, base::BytesView fields,
               base::BytesView bytes) {
  std::array<std::uint8_t, 8> place{};
  base::store_big_endian(place.data(), offset);
  const auto digest =
      crypto::Sha256().update(salt).update(place).update(fields).update(bytes).finish();
  Check check{};
  std::ranges::copy_n(digest.begin(), kCheck, check.begin());
  return check;
}

}  // namespace

base::Bytes journal_header(const JournalSalt& salt) {
  base::Bytes header = base::to_bytes(base::as_bytes(kMagic));
  base::append(header, salt);
  const auto digest = crypto::sha256(header);
  base::append(header, base::BytesView(digest).first(kCheck));
  return header;
}

std::optional<JournalSalt> read_journal_header(base::BytesView header) {
  JournalSalt salt{};
  if (header.size() != kJournalHeader) return std::nullopt;
  std::ranges::copy(header.subspan(kMagic.size(), salt.size()), salt.begin());
  if (!base::equal(journal_header(salt), header)) return std::nullopt;
  return salt;
}

void append_record(base::Bytes& to, const JournalSalt& salt, std::uint64_t offset,
                   const registry::JournalRecord& record, bool first) {
  std::array<std::uint8_t, kFields> fields{'g', 'J', static_cast<std::uint8_t>(record.kind),
                                           static_cast<std::uint8_t>(first ? 1 : 0)};
  base::store_big_endian(fields.data() + 4, static_cast<std::uint32_t>(record.bytes.size()));
  base::append(to, fields);
  base::append(to, check_of(salt, offset, fields, record.bytes.view()));
  base::append(to, record.bytes.view());
}

Outcome<std::optional<RecordView>> JournalReader::next() {
  for (std::uint64_t at = position_; at < end_ && end_ - at >= kRecordHeader; ++at) {
    auto header = view(at, kRecordHeader);
    if (!header) return std::unexpected(std::move(header.error()));
    if ((*header)[0] != 'g' || (*header)[1] != 'J') continue;
    const auto length = base::load_big_endian<std::uint32_t>(header->data() + 4);
    if (length > kMaxRecord || length > end_ - at - kRecordHeader) continue;
    auto whole = view(at, kRecordHeader + length);
    if (!whole) return std::unexpected(std::move(whole.error()));
    const auto bytes = whole->subspan(kRecordHeader);
    const auto fields = whole->first(kFields);
    if (!base::equal(check_of(salt_, at, fields, bytes), whole->subspan(kFields, kCheck))) continue;
    position_ = at + kRecordHeader + length;
    return RecordView{at, fields[2], fields[3] == 1, bytes};
  }
  return std::nullopt;
}

// `at` + `size` is at most end_.
Outcome<base::BytesView> JournalReader::view(std::uint64_t at, std::size_t size) {
  if (at < window_at_ || at + size > window_at_ + window_.size()) {
    window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, end_ - at)));
    window_at_ = at;
    auto got = file_.read(at, window_);
    if (!got) {
      window_.clear();
      return std::unexpected(std::move(got.error()));
    }
    // A file that somebody made shorter behind our back: its missing bytes are no record.
    std::fill(window_.begin() + static_cast<std::ptrdiff_t>(*got), window_.end(), std::uint8_t{0});
  }
  return base::BytesView(window_).subspan(static_cast<std::size_t>(at - window_at_), size);
}

}  // namespace ggen::p2p::storage
