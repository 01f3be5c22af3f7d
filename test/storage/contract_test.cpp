// What every store must do: the one on the disk, and the one in memory that other tests stand on.

#include <memory>
#include <thread>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/memory_storage.hpp>
#include <ggen/p2p/storage/disk_storage.hpp>

#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using registry::StoreError;

namespace {

struct InMemory {
  sim::MemoryStorage storage;
  registry::Storage& operator*() { return storage; }
};
struct InPool {
  sim::BlobPool pool;
  sim::MemoryStorage storage{pool};
  registry::Storage& operator*() { return storage; }
};
struct OnDisk {
  TempFolder folder;
  std::unique_ptr<storage::DiskStorage> storage = storage::DiskStorage::open(folder.path()).value();
  registry::Storage& operator*() { return *storage; }
};

registry::Name name(std::string_view text) {
  return registry::Name::parse(text).value();
}
registry::IndexAdd release(std::string_view package, std::string description = {},
                           std::vector<std::string> tags = {}, std::string category = {},
                           std::uint8_t publisher = 1, std::uint64_t seq = 0) {
  static std::uint64_t next = 1;
  return {.entry = {},
          .publisher = peer_id(publisher),
          .seq = seq != 0 ? seq : next++,
          .name = name(package),
          .version = "1.0.0",
          .description = std::move(description),
          .category = std::move(category),
          .tags = std::move(tags)};
}
void apply(registry::Storage& storage, std::vector<registry::IndexChange> changes,
           std::uint64_t position = 0) {
  value<store::Done>(storage.run(store::IndexApply{std::move(changes), position}));
}
std::vector<std::string> search(registry::Storage& storage, registry::SearchRequest query) {
  std::vector<std::string> names;
  const auto found = value<store::Matches>(storage.run(store::IndexQuery{std::move(query)}));
  double last = 1e300;
  for (const auto& match : found.matches) {
    names.push_back(match.name.text());
    CHECK(match.score <= last);
    last = match.score;
  }
  return names;
}
std::vector<std::string> search(registry::Storage& storage, std::vector<std::string> words) {
  return search(storage, registry::SearchRequest{.words = std::move(words)});
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_TEMPLATE("an empty store", S, InMemory, InPool, OnDisk) {
  S s;
  CHECK(whole_journal(*s).empty());
  CHECK(value<store::Blobs>((*s).run(store::ListBlobs{})).blobs.empty());
  CHECK(value<store::Position>((*s).run(store::IndexPosition{})).position == 0);
  CHECK(search(*s, Names{"word"}).empty());
  const crypto::Sha256Digest root{7};
  CHECK(failure((*s).run(store::ReadChunk{root, 0})) == StoreError::Kind::kMissing);
  CHECK(failure((*s).run(store::ReadList{root})) == StoreError::Kind::kMissing);
  CHECK(failure((*s).run(store::WriteChunk{root, 0, {}})) == StoreError::Kind::kMissing);
  value<store::Done>((*s).run(store::RemoveBlob{root}));
}

TEST_CASE_TEMPLATE("the journal gives back what was appended, from any position", S, InMemory,
                   InPool, OnDisk) {
  S s;
  std::vector<registry::JournalRecord> written;
  std::vector<std::pair<std::uint64_t, std::size_t>> positions{{0, 0}};
  for (std::uint8_t i = 0; i < 10; ++i) {
    std::vector<registry::JournalRecord> batch{entry_record(i), entry_record(i, 12'000)};
    const auto id = peer_id(i);
    batch.push_back({registry::JournalRecord::Kind::kEvicted, base::Buffer::copy_of(id.bytes())});
    for (const auto& record : batch) written.push_back(record);
    const auto done = value<store::Appended>((*s).run(store::Append{std::move(batch)}));
    CHECK(done.position > positions.back().first);
    positions.emplace_back(done.position, written.size());
  }
  for (const auto& [position, count] : positions) {
    const auto rest = whole_journal(*s, position);
    REQUIRE(rest.size() == written.size() - count);
    for (std::size_t i = 0; i < rest.size(); ++i) CHECK(same(rest[i], written[count + i]));
  }
  const auto beyond = value<store::JournalPage>((*s).run(store::ReadJournal{1U << 30U}));
  CHECK(beyond.records.empty());
  CHECK_FALSE(beyond.more);
  CHECK(beyond.next == positions.back().first);
}

TEST_CASE_TEMPLATE("a page of the journal is bounded", S, InMemory, InPool, OnDisk) {
  S s;
  std::vector<registry::JournalRecord> batch;
  for (std::uint8_t i = 0; i < 150; ++i) batch.push_back(entry_record(i, 15'000));
  value<store::Appended>((*s).run(store::Append{batch}));
  const auto page = value<store::JournalPage>((*s).run(store::ReadJournal{0}));
  CHECK(page.more);
  CHECK(page.records.size() < 80);
  CHECK(whole_journal(*s).size() == batch.size());
}

TEST_CASE_TEMPLATE("entries are found by their ids, in the order asked for", S, InMemory, InPool,
                   OnDisk) {
  S s;
  value<store::Appended>((*s).run(store::Append{{entry_record(1), entry_record(2)}}));
  value<store::Appended>((*s).run(store::Append{{entry_record(3)}}));
  store::ReadEntries op;
  op.ids = {entry_id(envelope(3)), registry::EntryId{}, entry_id(envelope(1))};
  const auto found = value<store::Entries>((*s).run(op)).envelopes;
  REQUIRE(found.size() == 3);
  REQUIRE(found[0]);
  CHECK(base::equal(found[0]->view(), envelope(3).view()));
  CHECK_FALSE(found[1]);
  REQUIRE(found[2]);
  CHECK(base::equal(found[2]->view(), envelope(1).view()));
}

TEST_CASE_TEMPLATE("an archive arrives chunk by chunk", S, InMemory, InPool, OnDisk) {
  S s;
  const TestArchive a(600'000);
  REQUIRE(a.archive.chunk_count() == 3);
  const auto made = value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks}));
  CHECK(made.archive == a.archive);
  CHECK(made.held.held() == 0);
  for (const std::uint64_t i : {2U, 0U}) {
    value<store::Done>((*s).run(store::WriteChunk{a.archive.root, i, a.chunk(i)}));
  }
  CHECK(failure((*s).run(store::ReadChunk{a.archive.root, 1})) == StoreError::Kind::kMissing);
  const auto again = value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks}));
  CHECK((again.held.has(0) && !again.held.has(1) && again.held.has(2)));
  value<store::Done>((*s).run(store::WriteChunk{a.archive.root, 1, a.chunk(1)}));
  value<store::Done>((*s).run(store::WriteChunk{a.archive.root, 1, a.chunk(1)}));
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto chunk = value<store::Chunk>((*s).run(store::ReadChunk{a.archive.root, i}));
    CHECK(base::equal(chunk.bytes.view(), a.view(i)));
  }
  CHECK(value<store::ChunkList>((*s).run(store::ReadList{a.archive.root})).chunks == a.chunks);
  const auto all = value<store::Blobs>((*s).run(store::ListBlobs{})).blobs;
  REQUIRE(all.size() == 1);
  CHECK(all[0].archive == a.archive);
  CHECK(all[0].held.is_full());
  CHECK(failure((*s).run(store::ReadChunk{a.archive.root, 3})) == StoreError::Kind::kMissing);

  value<store::Done>((*s).run(store::RemoveBlob{a.archive.root}));
  CHECK(failure((*s).run(store::ReadChunk{a.archive.root, 0})) == StoreError::Kind::kMissing);
  CHECK(value<store::Blobs>((*s).run(store::ListBlobs{})).blobs.empty());
  CHECK(value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks})).held.held() == 0);
}

TEST_CASE_TEMPLATE("wrong bytes are not written", S, InMemory, InPool, OnDisk) {
  S s;
  const TestArchive a(300'000);
  value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks}));
  auto wrong = base::to_bytes(a.view(0));
  wrong[5] ^= 1;
  const auto write = [&](std::uint64_t index, base::BytesView bytes) {
    return (*s).run(store::WriteChunk{a.archive.root, index, base::Buffer::copy_of(bytes)});
  };
  CHECK(failure(write(0, wrong)) == StoreError::Kind::kWrongHash);
  CHECK(failure(write(0, a.view(1))) == StoreError::Kind::kWrongHash);
  CHECK(failure(write(0, a.view(0).first(100))) == StoreError::Kind::kWrongHash);
  CHECK(failure(write(2, a.view(0))) == StoreError::Kind::kMissing);
  CHECK(value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks})).held.held() == 0);

  auto chunks = a.chunks;
  std::swap(chunks[0], chunks[1]);
  CHECK(failure((*s).run(store::CreateBlob{a.archive, chunks})) == StoreError::Kind::kWrongHash);
  chunks.pop_back();
  CHECK(failure((*s).run(store::CreateBlob{a.archive, chunks})) == StoreError::Kind::kWrongHash);
}

TEST_CASE_TEMPLATE("an entry that lies about a root cannot keep the true one out", S, InMemory,
                   InPool, OnDisk) {
  S s;
  const TestArchive a(300'000);
  auto lie = a.archive;
  lie.packed_size += 1;
  lie.tar_size = 1;
  value<store::Blob>((*s).run(store::CreateBlob{lie, a.chunks}));
  value<store::Done>((*s).run(store::WriteChunk{a.archive.root, 0, a.chunk(0)}));
  CHECK(failure((*s).run(store::WriteChunk{a.archive.root, 1, a.chunk(1)})) ==
        StoreError::Kind::kWrongHash);
  const auto blob = value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks}));
  CHECK(blob.archive == a.archive);
  CHECK(blob.held.has(0));
  value<store::Done>((*s).run(store::WriteChunk{a.archive.root, 1, a.chunk(1)}));
  CHECK(failure((*s).run(store::CreateBlob{lie, a.chunks})) == StoreError::Kind::kWrongHash);
  CHECK(value<store::Blobs>((*s).run(store::ListBlobs{})).blobs.at(0).held.is_full());
}

TEST_CASE_TEMPLATE("a list of inner nodes, which has the same root, cannot keep the true one out",
                   S, InMemory, InPool, OnDisk) {
  S s;
  const TestArchive a(1'000'000);
  REQUIRE(a.archive.chunk_count() == 4);
  auto lie = a.archive;
  lie.packed_size = 400'000;
  const std::span<const crypto::Sha256Digest> leaves(a.chunks);
  const std::vector inner{registry::merkle_root(leaves.first(2)),
                          registry::merkle_root(leaves.subspan(2))};
  REQUIRE(registry::merkle_root(inner) == a.archive.root);
  CHECK(value<store::Blob>((*s).run(store::CreateBlob{lie, inner})).held.count() == 2);
  CHECK(value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks})).held.count() == 4);
  value<store::Done>((*s).run(store::WriteChunk{a.archive.root, 3, a.chunk(3)}));
  CHECK(value<store::Blob>((*s).run(store::CreateBlob{lie, inner})).held.held() == 0);
  value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks}));
  for (std::uint64_t i = 0; i < 4; ++i) {
    value<store::Done>((*s).run(store::WriteChunk{a.archive.root, i, a.chunk(i)}));
  }
  CHECK(failure((*s).run(store::CreateBlob{lie, inner})) == StoreError::Kind::kWrongHash);
  CHECK(value<store::ChunkList>((*s).run(store::ReadList{a.archive.root})).chunks == a.chunks);
}

TEST_CASE_TEMPLATE("two threads write and read one archive", S, InMemory, InPool, OnDisk) {
  S s;
  const TestArchive a(4'000'000);
  value<store::Blob>((*s).run(store::CreateBlob{a.archive, a.chunks}));
  const auto work = [&](std::uint64_t from) {
    for (std::uint64_t i = from; i < a.archive.chunk_count(); i += 2) {
      (void)(*s).run(store::WriteChunk{a.archive.root, i, a.chunk(i)});
      (void)(*s).run(store::ReadChunk{a.archive.root, i});
      (void)(*s).run(store::Append{});
    }
  };
  std::thread other([&] {
    for (std::uint64_t i = 1; i < a.archive.chunk_count(); i += 2) {
      (void)(*s).run(store::WriteChunk{a.archive.root, i, a.chunk(i)});
      (void)(*s).run(store::ReadJournal{0});
    }
  });
  work(0);
  other.join();
  CHECK(value<store::Blobs>((*s).run(store::ListBlobs{})).blobs.at(0).held.is_full());
  for (std::uint64_t i = 0; i < a.archive.chunk_count(); ++i) {
    value<store::Chunk>((*s).run(store::ReadChunk{a.archive.root, i}));
  }
}

TEST_CASE_TEMPLATE("search finds beginnings of words, all of them, in any field", S, InMemory,
                   InPool, OnDisk) {
  S s;
  apply(*s,
        {release("left-pad", "Pads text on the left", {"strings"}, "text"),
         release("json-reader", "Reads JSON quickly", {"parser", "data"}, "text"),
         release("image_tools", "Crops pictures, writes JSON metadata", {"pictures"}, "media")},
        77);
  CHECK(value<store::Position>((*s).run(store::IndexPosition{})).position == 77);
  CHECK(search(*s, Names{"left"}) == Names{"left-pad"});
  CHECK(search(*s, Names{"LEFT-PAD"}) == Names{"left-pad"});
  CHECK(search(*s, Names{"leftpad"}) == Names{"left-pad"});
  CHECK(search(*s, Names{"left-p"}) == Names{"left-pad"});
  CHECK(search(*s, Names{"pict"}) == Names{"image_tools"});
  CHECK(search(*s, Names{"json", "crops"}) == Names{"image_tools"});
  CHECK(search(*s, Names{"json", "nothing"}).empty());
  CHECK(search(*s, Names{"son"}).empty());
  CHECK(search(*s, Names{"json"}) == Names{"json-reader", "image_tools"});
  CHECK(search(*s, Names{"med"}) == Names{"image_tools"});
}

TEST_CASE_TEMPLATE("category and tag are exact, and need no words", S, InMemory, InPool, OnDisk) {
  S s;
  apply(*s, {release("c", "", {"tag"}, "text"), release("a", "", {"tag", "more"}, "text"),
             release("b", "", {"tags"}, "texts")});
  CHECK(search(*s, registry::SearchRequest{.category = "text"}) == Names{"a", "c"});
  CHECK(search(*s, registry::SearchRequest{.tag = "tag"}) == Names{"a", "c"});
  CHECK(search(*s, registry::SearchRequest{.category = "text", .tag = "more"}) == Names{"a"});
  CHECK(search(*s, registry::SearchRequest{.words = {"c"}, .category = "text", .tag = "tag"}) ==
        Names{"c"});
  CHECK(search(*s, registry::SearchRequest{.category = "tex"}).empty());
  CHECK(search(*s, registry::SearchRequest{}) == Names{"a", "b", "c"});
  CHECK(search(*s, registry::SearchRequest{.limit = 2}).size() == 2);
}

TEST_CASE_TEMPLATE("names weigh more than tags, and tags more than descriptions", S, InMemory,
                   InPool, OnDisk) {
  S s;
  apply(*s, {release("one", "about widget things", {"other"}), release("two", "", {"widget"}),
             release("widget-maker", "", {"x"}), release("zzz", "none of it")});
  CHECK(search(*s, Names{"widget"}) == Names{"widget-maker", "two", "one"});
  apply(*s, {release("widget", "with a long text that says many things, but not what it is")});
  CHECK(search(*s, Names{"widget"}).front() == "widget");
}

TEST_CASE_TEMPLATE("a package is found once, whatever its releases", S, InMemory, InPool, OnDisk) {
  S s;
  apply(*s, {release("pad", "first", {}, "", 1, 1), release("pad", "second", {}, "", 1, 2),
             release("pad", "stranger", {}, "", 2, 1)});
  CHECK(search(*s, Names{"pad"}) == Names{"pad", "pad"});
  CHECK(search(*s, Names{"second"}) == Names{"pad"});
  CHECK(search(*s, Names{"first", "second"}).empty());  // no release has both
  apply(*s, {registry::IndexRemove{peer_id(1), 2}}, 3);
  CHECK(search(*s, Names{"second"}).empty());
  CHECK(search(*s, Names{"first"}) == Names{"pad"});
  apply(*s, {release("pad", "changed", {}, "", 1, 1)});
  CHECK(search(*s, Names{"first"}).empty());
  apply(*s, {registry::IndexRemove{peer_id(1), 0}});
  CHECK(search(*s, Names{"pad"}) == Names{"pad"});
}

TEST_CASE_TEMPLATE("what a search language might mean is only text", S, InMemory, InPool, OnDisk) {
  S s;
  apply(*s, {release("plain", "a word OR two", {"near"}), release("other", "say \"hello\" there")});
  for (const char* word :
       {"\"", "*", "OR", "AND", "NOT plain", "name:plain", "-plain", "plain*", "(plain", "plain)",
        "^plain", "NEAR(plain other)", "{name} : plain", "';--", "say \"hello", "++", ""}) {
    CAPTURE(word);
    CHECK((*s).run(store::IndexQuery{{.words = {word}}}).has_value());
  }
  CHECK(search(*s, Names{"OR"}) == Names{"plain"});
  CHECK(search(*s, Names{"AND"}).empty());
  CHECK(search(*s, Names{"NOT plain"}).empty());
  CHECK(search(*s, Names{"name:plain"}).empty());
  CHECK(search(*s, Names{"plain*"}) == Names{"plain"});
  CHECK(search(*s, Names{"say \"hello\" th"}) == Names{"other"});
  CHECK(search(*s, Names{"++"}).empty());
  CHECK(search(*s, Names{"plain", "++"}).empty());
  CHECK(search(*s, Names{std::string("plain\0", 6)}) == Names{"plain"});
}
