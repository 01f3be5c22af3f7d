#include "../../src/registry/archives.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "../../src/registry/chunk_plan.hpp"
#include "support.hpp"

using namespace ggen::p2p::registry;

namespace {

// 300,000 bytes: two chunks.
store::Blob part(std::uint8_t fill, std::initializer_list<std::uint64_t> held) {
  store::Blob blob{archive(fill), ChunkSet(archive(fill).chunk_count())};
  for (const auto index : held) blob.held.insert(index);
  return blob;
}
constexpr std::uint64_t kLast = 300'000 - Archive::kUsualChunk;

ChunkSet chunks(std::uint64_t count, std::uint64_t first, std::uint64_t end) {
  ChunkSet set(count);
  for (std::uint64_t i = first; i < end; ++i) set.insert(i);
  return set;
}

}  // namespace

TEST_CASE("archives: counts what is held") {
  Archives archives;
  archives.load({{part(1, {0}), part(2, {0, 1}), part(3, {})}});
  CHECK(archives.whole() == 1);
  CHECK(archives.partial() == 2);
  CHECK(archives.bytes() == Archive::kUsualChunk + 300'000);
  CHECK(archives.all().size() == 3);

  archives.chunk_written(archive(1).root, 1);
  archives.chunk_written(archive(1).root, 1);
  CHECK(archives.is_whole(archive(1).root));
  CHECK(archives.bytes() == 600'000);
  archives.chunk_lost(archive(1).root, 0);
  archives.chunk_lost(archive(1).root, 0);
  CHECK_FALSE(archives.is_whole(archive(1).root));
  CHECK(archives.find(archive(1).root)->held.has(1));
  CHECK(archives.bytes() == 300'000 + kLast);
  archives.remove(archive(1).root);
  archives.remove(archive(1).root);
  archives.remove(archive(2).root);
  CHECK(archives.whole() == 0);
  CHECK(archives.bytes() == 0);
  CHECK(archives.find(archive(1).root) == nullptr);

  // What is not known, or no chunk of it, changes nothing.
  archives.chunk_written(archive(9).root, 0);
  archives.chunk_written(archive(3).root, 2);
  archives.chunk_lost(archive(9).root, 0);
  CHECK(archives.bytes() == 0);
  CHECK(archives.partial() == 1);
}

TEST_CASE("archives: an old answer of the store loses nothing that came since") {
  Archives archives;
  CHECK(archives.create(part(1, {})));
  archives.chunk_written(archive(1).root, 1);
  CHECK(archives.create(part(1, {0})));
  CHECK(archives.is_whole(archive(1).root));
  CHECK(archives.bytes() == 300'000);
}

TEST_CASE("archives: knows a bounded number") {
  Archives archives{2};
  CHECK(archives.add_whole(archive(1)));
  CHECK(archives.create(part(2, {})));
  CHECK(archives.is_full());
  CHECK_FALSE(archives.create(part(3, {})));
  CHECK_FALSE(archives.add_whole(archive(4)));
  CHECK(archives.add_whole(archive(2)));  // known already
  CHECK(archives.whole() == 2);
  CHECK(archives.find(archive(3).root) == nullptr);
}

TEST_CASE("chunk plan: picks what nobody was asked for, in order") {
  ChunkPlan plan(chunks(10, 0, 2));
  CHECK(plan.open() == 8);
  const ChunkSet all = chunks(10, 0, 10);
  CHECK(plan.pick(all, 3) == ChunkRange{2, 5});
  plan.ask({2, 5});
  CHECK(plan.open() == 5);
  CHECK(plan.pick(all, 16) == ChunkRange{5, 10});
  CHECK(plan.pick(chunks(10, 0, 7), 16) == ChunkRange{5, 7});
  CHECK(plan.pick(chunks(10, 0, 4), 16) == std::nullopt);
  plan.release({3, 5});
  CHECK(plan.pick(all, 16) == ChunkRange{3, 10});
  CHECK(plan.pick(all, 2) == ChunkRange{3, 5});
}

TEST_CASE("chunk plan: begins where it is told, and goes around") {
  ChunkPlan plan(chunks(10, 3, 4), 8);
  const ChunkSet all = chunks(10, 0, 10);
  CHECK(plan.pick(all, 16) == ChunkRange{8, 10});
  plan.ask({8, 10});
  CHECK(plan.pick(all, 16) == ChunkRange{0, 3});
  plan.ask({0, 3});
  CHECK(plan.pick(all, 16) == ChunkRange{4, 8});
}

TEST_CASE("chunk plan: asks for a chunk a second time, not a third, and not while it is written") {
  ChunkPlan plan(ChunkSet(6));
  const ChunkSet all = chunks(6, 0, 6);
  plan.ask({0, 6});
  CHECK(plan.pick(all, 6) == std::nullopt);
  CHECK(plan.pick_again(all, {0, 6}, 3) == ChunkRange{3, 6});
  plan.ask({3, 6});
  CHECK(plan.pick_again(all, {0, 6}, 6) == ChunkRange{0, 3});
  CHECK(plan.pick_again(all, {3, 6}, 6) == std::nullopt);
  plan.begin_write(2);
  CHECK(plan.pick_again(all, {0, 6}, 6) == ChunkRange{0, 2});
  CHECK(plan.pick_again(chunks(6, 0, 1), {0, 6}, 6) == ChunkRange{0, 1});
  CHECK_FALSE(plan.needs(2));
  CHECK(plan.needs_any({0, 3}));
  CHECK_FALSE(plan.needs_any({2, 3}));

  // A write that failed opens it again.
  plan.end_write(2, false);
  CHECK(plan.pick(all, 6) == ChunkRange{2, 3});
  plan.ask({2, 3});
  plan.begin_write(2);
  plan.end_write(2, true);
  CHECK(plan.held().has(2));
  CHECK(plan.wants(all));
  CHECK_FALSE(plan.wants(chunks(6, 2, 3)));
  for (const std::uint64_t i : {0, 1, 3, 4, 5}) {
    plan.begin_write(i);
    plan.end_write(i, true);
  }
  CHECK(plan.is_complete());
  CHECK(plan.open() == 0);
}
