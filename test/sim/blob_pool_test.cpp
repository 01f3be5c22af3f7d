#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/blob_pool.hpp>
#include <ggen/p2p/sim/memory_storage.hpp>

#include "../storage/support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using sim::BlobPool;
using sim::MemoryStorage;

namespace {

constexpr std::size_t kStores = 1000;

std::vector<std::unique_ptr<MemoryStorage>> stores(BlobPool& pool, std::size_t count = kStores) {
  std::vector<std::unique_ptr<MemoryStorage>> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(std::make_unique<MemoryStorage>(pool));
  return all;
}
void hold(MemoryStorage& storage, const TestArchive& a) {
  value<store::Blob>(storage.run(store::CreateBlob{a.archive, a.chunks}));
  for (std::uint64_t i = 0; i < a.archive.chunk_count(); ++i) {
    value<store::Done>(storage.run(store::WriteChunk{a.archive.root, i, a.chunk(i)}));
  }
}
registry::IndexAdd release(std::uint8_t number) {
  return {.entry = {{number}},
          .publisher = peer_id(1),
          .seq = number,
          .name = registry::Name::parse("pad").value(),
          .description = "release " + std::to_string(number)};
}

}  // namespace

TEST_CASE("blob pool: an archive that a thousand stores hold is here once") {
  BlobPool pool;
  const TestArchive a(1'000'000);
  auto all = stores(pool);
  for (auto& storage : all) hold(*storage, a);
  const auto stats = pool.stats();
  CHECK(stats.chunks == 4);
  CHECK(stats.lists == 1);
  CHECK(stats.bytes < 1'100'000);
  CHECK(stats.hashed == 4);
  const crypto::Sha256Digest& root = a.archive.root;
  const auto first = value<store::Chunk>(all.front()->run(store::ReadChunk{root, 2}));
  const auto last = value<store::Chunk>(all.back()->run(store::ReadChunk{root, 2}));
  CHECK(first.bytes.data() == last.bytes.data());
  CHECK(base::equal(last.bytes.view(), a.view(2)));
  CHECK(all.back()->bytes_used() == 1'000'000 + 4 * 32);
}

TEST_CASE("blob pool: damage is one store's own") {
  BlobPool pool;
  const TestArchive a(300'000);
  auto all = stores(pool, 2);
  for (auto& storage : all) hold(*storage, a);
  const store::ReadChunk read{a.archive.root, 0};
  CHECK(all[0]->damage_chunk(a.archive.root, 0));
  CHECK(failure(all[0]->run(read)) == registry::StoreError::Kind::kCorrupt);
  CHECK(failure(all[0]->run(read)) == registry::StoreError::Kind::kMissing);
  value<store::Chunk>(all[1]->run(read));
  CHECK_FALSE(all[0]->damage_chunk(a.archive.root, 0));
}

TEST_CASE("blob pool: bytes that are not the chunk are refused, also when the chunk is known") {
  BlobPool pool;
  const TestArchive a(300'000);
  auto all = stores(pool, 2);
  hold(*all[0], a);
  value<store::Blob>(all[1]->run(store::CreateBlob{a.archive, a.chunks}));
  auto wrong = base::to_bytes(a.view(0));
  wrong.back() ^= 1;
  const auto refused =
      all[1]->run(store::WriteChunk{a.archive.root, 0, base::Buffer::copy_of(wrong)});
  CHECK(failure(refused) == registry::StoreError::Kind::kWrongHash);
  CHECK(pool.stats().chunks == 2);
}

TEST_CASE("blob pool: entries and releases that a thousand stores hold are here once") {
  BlobPool pool;
  auto all = stores(pool);
  for (std::uint8_t i = 0; i < 20; ++i) {
    const auto record = entry_record(i, 300);
    for (auto& storage : all) {
      const auto copy = base::Buffer::copy_of(record.bytes.view());
      value<store::Appended>(storage->run(store::Append{{{record.kind, copy}}}));
      value<store::Done>(storage->run(store::IndexApply{{release(i)}, i}));
    }
  }
  CHECK(pool.stats().records == 20);
  CHECK(pool.stats().releases == 20);
  CHECK(all[3]->journal().front().bytes.data() == all[7]->journal().front().bytes.data());
  CHECK(all.back()->journal_size() == 20);
}

TEST_CASE("blob pool: releases that differ stay apart, whatever they say their entry is") {
  BlobPool pool;
  auto all = stores(pool, 2);
  auto other = release(1);
  other.description = "nothing of it";
  value<store::Done>(all[0]->run(store::IndexApply{{release(1)}, 1}));
  value<store::Done>(all[1]->run(store::IndexApply{{other}, 1}));
  const auto found = [&](std::size_t i, std::string word) {
    store::IndexQuery query{{.words = {std::move(word)}}};
    return value<store::Matches>(all[i]->run(std::move(query))).matches.size();
  };
  CHECK(found(0, "release") == 1);
  CHECK(found(0, "nothing") == 0);
  CHECK(found(1, "release") == 0);
  CHECK(found(1, "nothing") == 1);
}

TEST_CASE("blob pool: what nobody holds any more is swept, and what somebody holds is not") {
  BlobPool pool;
  const TestArchive a(600'000, 1);
  const TestArchive b(600'000, 2);
  auto all = stores(pool, 2);
  hold(*all[0], a);
  hold(*all[1], a);
  hold(*all[1], b);
  value<store::Appended>(all[1]->run(store::Append{{entry_record(1)}}));
  const auto read = value<store::Chunk>(all[1]->run(store::ReadChunk{b.archive.root, 0}));
  all.pop_back();
  pool.sweep();
  CHECK(pool.stats().chunks == 3 + 1);  // and the one that was read
  CHECK(pool.stats().lists == 1);
  CHECK(pool.stats().records == 0);
  value<store::Done>(all[0]->run(store::RemoveBlob{a.archive.root}));
  pool.sweep();
  CHECK(pool.stats().chunks == 1);
}

TEST_CASE("blob pool: it sweeps by itself, so that what comes and goes does not pile up") {
  BlobPool pool;
  MemoryStorage storage(pool);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const TestArchive a(500'000, seed);
    hold(storage, a);
    value<store::Done>(storage.run(store::RemoveBlob{a.archive.root}));
    CHECK(pool.stats().bytes < BlobPool::kSweepBytes + 1'000'000);
  }
}

TEST_CASE("blob pool: a chunk does not keep a larger block alive") {
  BlobPool pool;
  MemoryStorage storage(pool);
  const TestArchive a(1000);
  base::Bytes message(100'000);
  std::ranges::copy(a.view(0), message.begin());
  value<store::Blob>(storage.run(store::CreateBlob{a.archive, a.chunks}));
  const auto chunk = base::Buffer::copy_of(message).slice(0, 1000);
  value<store::Done>(storage.run(store::WriteChunk{a.archive.root, 0, chunk}));
  CHECK(pool.stats().bytes < 10'000);
}

TEST_CASE("blob pool: an empty store is small") {
  CHECK(sizeof(MemoryStorage) < 400);
}
