// What only a disk can do to a store: crashes, damage, no room, another process.

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ggen/p2p/storage/disk_storage.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using registry::JournalRecord;
using registry::StoreError;
using storage::DiskStorage;
using storage::Failure;

namespace {

using Records = std::vector<JournalRecord>;

std::unique_ptr<DiskStorage> open(const fs::path& folder) {
  auto opened = DiskStorage::open(folder);
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}
std::uint64_t append(DiskStorage& store, Records records) {
  return value<store::Appended>(store.run(store::Append{std::move(records)})).position;
}
bool is_prefix(const Records& part, const Records& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin(), same);
}

// A journal of two appends, the second one of three records, and where they end.
struct Written {
  TempFolder temp;
  Records records{entry_record(1), entry_record(2, 300), entry_record(3), entry_record(4, 200)};
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  base::Bytes bytes;

  Written() {
    const auto store = open(temp / "store");
    first = append(*store, {records[0]});
    second = append(*store, {records[1], records[2], records[3]});
    bytes = read_all(journal());
  }
  [[nodiscard]] fs::path journal() const { return temp / "store/journal"; }
};

TestArchive put(DiskStorage& store, std::size_t size, std::uint64_t chunks) {
  TestArchive a(size);
  value<store::Blob>(store.run(store::CreateBlob{a.archive, a.chunks}));
  for (std::uint64_t i = 0; i < chunks; ++i) {
    value<store::Done>(store.run(store::WriteChunk{a.archive.root, i, a.chunk(i)}));
  }
  return a;
}
fs::path blob_file(const TempFolder& temp, const TestArchive& a, std::string_view suffix) {
  return temp / "store/blobs" / base::to_hex(a.archive.root).append(suffix);
}
void flip(const fs::path& file, std::size_t at) {
  auto bytes = read_all(file);
  bytes.at(at) ^= 1;
  write_all(file, bytes);
}

// Files of this process may be no larger than so many bytes: as good as a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  sighandler_t handler_;
};

}  // namespace

TEST_CASE("a store is the same after it was closed") {
  Written written;
  const auto store = open(written.temp / "store");
  const auto all = whole_journal(*store);
  CHECK(all.size() == 4);
  CHECK(is_prefix(all, written.records));
  CHECK(append(*store, {entry_record(5)}) > written.second);
  CHECK(whole_journal(*store, written.second).size() == 1);
  store::ReadEntries op;
  op.ids = {entry_id(envelope(3)), entry_id(envelope(5))};
  const auto found = value<store::Entries>(store->run(op)).envelopes;
  CHECK((found[0] && found[1]));
}

TEST_CASE("whatever a crash leaves of an append, a prefix of the records survives") {
  Written written;
  for (std::size_t size = 0; size <= written.bytes.size(); ++size) {
    CAPTURE(size);
    write_all(written.journal(), base::BytesView(written.bytes).first(size));
    const auto store = open(written.temp / "store");
    const auto rest = whole_journal(*store);
    CHECK(is_prefix(rest, written.records));
    if (size >= written.first) CHECK(rest.size() >= 1);
    if (size == written.bytes.size()) CHECK(rest.size() == 4);
    // And what follows is found behind it.
    append(*store, {entry_record(9)});
    CHECK(whole_journal(*store).size() == rest.size() + 1);
    const auto again = whole_journal(*store);
    CHECK(same(again.back(), entry_record(9)));
  }
}

TEST_CASE("pages of an append that reached the disk out of order give a prefix, too") {
  Written written;
  for (std::size_t at = written.first; at < written.bytes.size(); at += 5) {
    CAPTURE(at);
    auto torn = written.bytes;
    std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(at),
                std::min<std::size_t>(8, torn.size() - at), std::uint8_t{0});
    write_all(written.journal(), torn);
    const auto store = open(written.temp / "store");
    const auto rest = whole_journal(*store);
    CHECK(is_prefix(rest, written.records));
    CHECK(rest.size() >= 1);
  }
  // What was cut off is kept.
  CHECK(fs::exists(written.temp / ("store/journal.cut-" + std::to_string(written.first))));
}

TEST_CASE("damage to older records costs only those") {
  Written written;
  {
    const auto store = open(written.temp / "store");
    append(*store, {entry_record(7)});
  }
  const auto bytes = read_all(written.journal());
  for (std::size_t at = 40; at < written.second; ++at) {
    CAPTURE(at);
    auto damaged = bytes;
    damaged[at] ^= 0x10;
    write_all(written.journal(), damaged);
    const auto store = open(written.temp / "store");
    const auto rest = whole_journal(*store);
    CHECK(rest.size() == 4);
    CHECK(same(rest.back(), entry_record(7)));
    CHECK(fs::file_size(written.journal()) == bytes.size());
    store::ReadEntries op;
    op.ids = {entry_id(envelope(1)), entry_id(envelope(2, 300)), entry_id(envelope(3)),
              entry_id(envelope(4, 200)), entry_id(envelope(7))};
    const auto found = value<store::Entries>(store->run(op)).envelopes;
    CHECK(std::ranges::count_if(found, [](const auto& one) { return one.has_value(); }) == 4);
  }
}

TEST_CASE("bytes inside an entry cannot pose as a record") {
  Written written;
  const auto store = open(written.temp / "store");
  // All of the journal so far, as it might be known to somebody, inside a record that is damaged.
  const auto whole = base::BytesView(written.bytes).subspan(40);
  append(*store, {{JournalRecord::Kind::kEntry, base::Buffer::copy_of(whole)}});
  append(*store, {entry_record(8)});
  flip(written.journal(), static_cast<std::size_t>(written.second) + 17);
  const auto rest = whole_journal(*store);
  CHECK(rest.size() == 5);
}

TEST_CASE("a journal that cannot be read is left as it is") {
  Written written;
  flip(written.journal(), 20);
  const auto before = read_all(written.journal());
  const auto opened = DiskStorage::open(written.temp / "store");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == Failure::Kind::kDamaged);
  CHECK(opened.error().message.find("move it away") != std::string::npos);
  CHECK(read_all(written.journal()) == before);

  auto newer = written.bytes;
  newer[14] = '2';
  write_all(written.journal(), newer);
  const auto refused = DiskStorage::open(written.temp / "store");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Failure::Kind::kTooNew);
}

TEST_CASE("an append for which there is no room leaves the journal as before") {
  Written written;
  const auto store = open(written.temp / "store");
  const auto size = written.bytes.size();
  {
    const FileLimit limit(size + 100);
    CHECK(failure(store->run(store::Append{{entry_record(6, 5000)}})) == StoreError::Kind::kFull);
    CHECK(read_all(written.journal()) == written.bytes);
    CHECK(whole_journal(*store).size() == 4);
  }
  append(*store, {entry_record(6, 5000)});
  CHECK(whole_journal(*store).size() == 5);
}

TEST_CASE("a chunk for which there is no room is not held") {
  const TempFolder temp;
  const auto store = open(temp / "store");
  const auto a = put(*store, 600'000, 1);
  const store::WriteChunk last{a.archive.root, 2, a.chunk(2)};
  {
    const FileLimit limit(550'000);
    CHECK(failure(store->run(last)) == StoreError::Kind::kFull);
  }
  CHECK(failure(store->run(store::ReadChunk{a.archive.root, 2})) == StoreError::Kind::kMissing);
  value<store::Done>(store->run(last));
}

TEST_CASE("a record that no entry can be is refused") {
  const TempFolder temp;
  const auto store = open(temp / "store");
  const auto large = base::Buffer::copy_of(random_bytes(33'000, 1));
  CHECK_FALSE(store->run(store::Append{{entry_record(1), {JournalRecord::Kind::kEntry, large}}}));
  CHECK(whole_journal(*store).empty());
}

TEST_CASE("what is held in part is found by hashing it") {
  const TempFolder temp;
  std::optional<TestArchive> a;
  {
    const auto store = open(temp / "store");
    a = put(*store, 900'000, 3);
  }
  REQUIRE(a->archive.chunk_count() == 4);
  flip(blob_file(temp, *a, ".part"), 300'000);
  const auto store = open(temp / "store");
  const auto blobs = value<store::Blobs>(store->run(store::ListBlobs{})).blobs;
  REQUIRE(blobs.size() == 1);
  CHECK(blobs[0].held.held() == 2);
  CHECK_FALSE(blobs[0].held.has(1));
  value<store::Done>(store->run(store::WriteChunk{a->archive.root, 3, a->chunk(3)}));
  CHECK_FALSE(fs::exists(blob_file(temp, *a, ".data")));
  value<store::Done>(store->run(store::WriteChunk{a->archive.root, 1, a->chunk(1)}));
  CHECK(fs::file_size(blob_file(temp, *a, ".data")) == 900'000);
  CHECK(read_all(blob_file(temp, *a, ".data")) == a->packed);
}

TEST_CASE("a chunk that the disk did not keep is fetched again, and nothing else") {
  const TempFolder temp;
  const auto store = open(temp / "store");
  const auto a = put(*store, 600'000, 3);
  flip(blob_file(temp, a, ".data"), 10);
  CHECK(failure(store->run(store::ReadChunk{a.archive.root, 0})) == StoreError::Kind::kCorrupt);
  CHECK(failure(store->run(store::ReadChunk{a.archive.root, 0})) == StoreError::Kind::kMissing);
  value<store::Chunk>(store->run(store::ReadChunk{a.archive.root, 1}));
  const auto held = value<store::Blob>(store->run(store::CreateBlob{a.archive, a.chunks})).held;
  CHECK(held.held() == 2);
  value<store::Done>(store->run(store::WriteChunk{a.archive.root, 0, a.chunk(0)}));
  CHECK(read_all(blob_file(temp, a, ".data")) == a.packed);
}

TEST_CASE("an archive without its data, or without its list") {
  const TempFolder temp;
  const auto a = put(*open(temp / "store"), 600'000, 3);
  SUBCASE("data gone") {
    fs::remove(blob_file(temp, a, ".data"));
    const auto blobs = value<store::Blobs>(open(temp / "store")->run(store::ListBlobs{})).blobs;
    CHECK(blobs.at(0).held.held() == 0);
  }
  SUBCASE("data cut off") {
    fs::resize_file(blob_file(temp, a, ".data"), 300'000);
    const auto blobs = value<store::Blobs>(open(temp / "store")->run(store::ListBlobs{})).blobs;
    CHECK(blobs.at(0).held.held() == 1);
  }
  SUBCASE("list damaged") {
    flip(blob_file(temp, a, ".list"), 130);
    const auto store = open(temp / "store");
    CHECK(value<store::Blobs>(store->run(store::ListBlobs{})).blobs.empty());
    CHECK(fs::exists(blob_file(temp, a, ".list.damaged")));
    CHECK(value<store::Blob>(store->run(store::CreateBlob{a.archive, a.chunks})).held.is_full());
  }
  SUBCASE("one that was being made") {
    write_all(temp / "store/blobs/something.tmp", "half");
    write_all(temp / "store/scratch/package", "half");
    open(temp / "store");
    CHECK_FALSE(fs::exists(temp / "store/blobs/something.tmp"));
    CHECK_FALSE(fs::exists(temp / "store/scratch/package"));
  }
}

TEST_CASE("the index may vanish, be damaged, or be ahead: it begins anew") {
  const TempFolder temp;
  std::uint64_t end = 0;
  const auto position = [&] {
    return value<store::Position>(open(temp / "store")->run(store::IndexPosition{})).position;
  };
  {
    const auto store = open(temp / "store");
    append(*store, {entry_record(1)});
    end = append(*store, {entry_record(2)});
    value<store::Done>(store->run(store::IndexApply{{}, end}));
  }
  CHECK(position() == end);
  const fs::path file = temp / "store/index.sqlite";
  SUBCASE("gone") {
    fs::remove(file);
  }
  SUBCASE("not SQLite") {
    write_all(file, random_bytes(20'000, 1));
  }
  SUBCASE("cut off") {
    fs::resize_file(file, fs::file_size(file) / 2);
  }
  SUBCASE("damaged") {
    auto bytes = read_all(file);
    for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = 0xa5;
    write_all(file, bytes);
  }
  SUBCASE("another version") {
    flip(file, 63);
  }  // the header's user version
  SUBCASE("ahead of the journal") {
    fs::resize_file(temp / "store/journal", fs::file_size(temp / "store/journal") - 1);
  }
  CHECK(position() == 0);
  CHECK(position() == 0);
}

TEST_CASE("a second process in the folder is told who is there; death lets go") {
  const TempFolder temp;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = DiskStorage::open(temp / "store");
    (void)!::write(ready[1], store ? "y" : "n", 1);
    while (true) ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  const auto second = DiskStorage::open(temp / "store");
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == Failure::Kind::kInUse);
  CHECK(second.error().message.find("process " + std::to_string(child)) != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(DiskStorage::open(temp / "store"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a folder that cannot be") {
  const TempFolder temp;
  write_all(temp / "file", "x");
  CHECK_FALSE(DiskStorage::open(temp / "file"));
  const auto none = DiskStorage::open(temp / "none/store");
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == Failure::Kind::kNotFound);
  CHECK((fs::status(temp / "none").type() == fs::file_type::not_found));
  (void)open(temp / "store");
  CHECK(fs::status(temp / "store").permissions() == fs::perms::owner_all);
}
