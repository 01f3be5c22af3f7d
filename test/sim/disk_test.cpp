#include <algorithm>
#include <chrono>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/sim/disk.hpp>

#include "../storage/support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::test;
using namespace std::chrono_literals;
using registry::StoreError;
using sim::Disk;
using sim::DiskModel;

namespace {

registry::StoreId store_id(std::uint32_t number) {
  return {number, 1};
}

// Begins an operation, and does it at once.
registry::StoreResult run(Disk& disk, registry::StoreOp op) {
  const auto planned = disk.begin({store_id(1), std::move(op)}, {});
  auto done = disk.finish(planned.ticket);
  REQUIRE(done);
  CHECK(done->id == store_id(1));
  return std::move(done->result);
}
void begin(Disk& disk, registry::StoreOp op) {
  static_cast<void>(disk.begin({store_id(1), std::move(op)}, {}));
}
store::Append append_of(std::uint8_t first, std::uint8_t count, std::size_t size = 20) {
  store::Append append;
  for (std::uint8_t i = 0; i < count; ++i) {
    append.records.push_back(entry_record(static_cast<std::uint8_t>(first + i), size));
  }
  return append;
}
void create(Disk& disk, const TestArchive& a) {
  value<store::Blob>(run(disk, store::CreateBlob{a.archive, a.chunks}));
}
registry::StoreResult write(Disk& disk, const TestArchive& a, std::uint64_t index) {
  return run(disk, store::WriteChunk{a.archive.root, index, a.chunk(index)});
}
registry::StoreResult read(Disk& disk, const TestArchive& a, std::uint64_t index) {
  return run(disk, store::ReadChunk{a.archive.root, index});
}
// True when the journal is the beginning of these records.
bool is_prefix(const Disk& disk, const std::vector<registry::JournalRecord>& records) {
  const auto journal = disk.storage().journal();
  return journal.size() <= records.size() &&
         std::equal(journal.begin(), journal.end(), records.begin(), same);
}

}  // namespace

TEST_CASE("disk: operations take their latency, and their transfers queue") {
  Disk disk({.min_latency = 2ms, .max_latency = 2ms, .bytes_per_second = 1'000'000}, base::Prng{1});
  const TestArchive a(400'000);
  const base::Instant now{1s};
  create(disk, a);
  const auto chunk = [&](std::uint64_t i) {
    registry::StoreOp op = store::WriteChunk{a.archive.root, i, a.chunk(i)};
    return disk.begin({store_id(1), std::move(op)}, now);
  };
  const auto first = chunk(0);
  const auto second = chunk(1);
  CHECK(first.done_at == now + 262'144us + 2ms);
  CHECK(second.done_at == now + 400ms + 2ms);
  CHECK(disk.under_way() == 2);
  // Any order will do.
  value<store::Done>(disk.finish(second.ticket)->result);
  value<store::Done>(disk.finish(first.ticket)->result);
  CHECK_FALSE(disk.finish(first.ticket));
  CHECK(disk.under_way() == 0);
  const auto later = disk.begin({store_id(1), store::ListBlobs{}}, now + 10s);
  CHECK(later.done_at == now + 10s + 2ms);
  CHECK(disk.counters().operations == 3);
  CHECK(disk.counters().bytes == 400'000 + 2 * 32);
}

TEST_CASE("disk: latencies lie between their bounds, and are drawn") {
  Disk disk({.min_latency = 1ms, .max_latency = 9ms}, base::Prng{1});
  base::Duration least = 1s;
  base::Duration most{};
  for (int i = 0; i < 200; ++i) {
    const auto planned = disk.begin({store_id(1), store::ListBlobs{}}, {});
    static_cast<void>(disk.finish(planned.ticket));
    least = std::min(least, planned.done_at - base::Instant{});
    most = std::max(most, planned.done_at - base::Instant{});
  }
  CHECK((least >= 1ms && least < 2ms));
  CHECK((most <= 9ms && most > 8ms));
}

TEST_CASE("disk: a failure does nothing and says so") {
  Disk disk({.fail = 1}, base::Prng{1});
  CHECK(failure(run(disk, append_of(1, 2))) == StoreError::Kind::kIo);
  CHECK(failure(run(disk, store::ListBlobs{})) == StoreError::Kind::kIo);
  CHECK(disk.storage().journal_size() == 0);
  CHECK(disk.counters().failed == 2);
  disk.set_model({});
  CHECK(value<store::Appended>(run(disk, append_of(1, 2))).position == 2);
}

TEST_CASE("disk: one that is full takes nothing more until there is room") {
  Disk disk({.capacity = 400'000}, base::Prng{1});
  const TestArchive a(300'000, 1);
  const TestArchive b(300'000, 2);
  create(disk, a);
  create(disk, b);
  for (std::uint64_t i = 0; i < 2; ++i) value<store::Done>(write(disk, a, i));
  CHECK(failure(write(disk, b, 0)) == StoreError::Kind::kFull);
  value<store::Done>(write(disk, b, 1));
  CHECK(failure(run(disk, append_of(1, 5, 14'000))) == StoreError::Kind::kFull);
  CHECK(disk.storage().journal_size() == 0);
  CHECK(disk.counters().full == 2);
  value<store::Chunk>(read(disk, a, 0));
  value<store::Done>(run(disk, store::RemoveBlob{a.archive.root}));
  value<store::Done>(write(disk, b, 0));
  value<store::Appended>(run(disk, append_of(1, 5, 14'000)));
  CHECK(disk.storage().bytes_used() <= 400'000);
}

TEST_CASE("disk: a rotten chunk is reported once, and can be written again") {
  Disk disk({}, base::Prng{1});
  const TestArchive a(300'000);
  create(disk, a);
  for (std::uint64_t i = 0; i < 2; ++i) value<store::Done>(write(disk, a, i));
  disk.set_model({.rot = 1});
  CHECK(failure(read(disk, a, 0)) == StoreError::Kind::kCorrupt);
  CHECK(failure(read(disk, a, 0)) == StoreError::Kind::kMissing);
  CHECK(disk.counters().rotted == 1);
  disk.set_model({});
  value<store::Done>(write(disk, a, 0));
  CHECK(base::equal(value<store::Chunk>(read(disk, a, 0)).bytes.view(), a.view(0)));
}

TEST_CASE("disk: a crash leaves an Append done, not done, or torn; always a beginning") {
  std::vector<std::size_t> seen(6);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Disk disk({.tear = 0.5}, base::Prng{seed});
    const auto before = append_of(1, 2);
    const auto batch = append_of(10, 5);
    value<store::Appended>(run(disk, before));
    begin(disk, batch);
    disk.crash();
    auto all = before.records;
    all.insert(all.end(), batch.records.begin(), batch.records.end());
    CHECK(is_prefix(disk, all));
    REQUIRE(disk.storage().journal_size() >= 2);
    ++seen[disk.storage().journal_size() - 2];
    CHECK(disk.under_way() == 0);
    CHECK(disk.counters().interrupted == 1);
  }
  for (std::size_t kept = 0; kept < seen.size(); ++kept) {
    CAPTURE(kept);
    CHECK(seen[kept] > 0);
  }
}

TEST_CASE("disk: nothing that a crash interrupted is answered, and an honest answer holds") {
  std::size_t happened = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Disk disk({}, base::Prng{seed});
    const TestArchive a(300'000);
    create(disk, a);
    value<store::Done>(write(disk, a, 1));
    const auto planned =
        disk.begin({store_id(1), store::WriteChunk{a.archive.root, 0, a.chunk(0)}}, {});
    disk.crash();
    CHECK_FALSE(disk.finish(planned.ticket));
    const auto listed = value<store::Blobs>(run(disk, store::ListBlobs{})).blobs;
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].held.has(1));
    happened += listed[0].held.has(0) ? 1 : 0;
  }
  CHECK((happened > 20 && happened < 80));
}

TEST_CASE("disk: what a liar called durable is gone after a crash, and not before") {
  Disk disk({}, base::Prng{1});
  value<store::Appended>(run(disk, append_of(1, 2)));
  disk.set_model({.lose_write = 1});
  CHECK(value<store::Appended>(run(disk, append_of(3, 3))).position == 5);
  value<store::Appended>(run(disk, append_of(6, 1)));
  CHECK(disk.storage().journal_size() == 6);
  store::ReadEntries ids{{entry_id(envelope(2)), entry_id(envelope(4))}};
  CHECK(value<store::Entries>(run(disk, ids)).envelopes[1]);
  disk.crash();
  CHECK(is_prefix(disk, append_of(1, 2).records));
  CHECK(disk.storage().journal_size() == 2);
  CHECK(disk.counters().lost_records == 4);
  const auto left = value<store::Entries>(run(disk, ids)).envelopes;
  CHECK(left[0]);
  CHECK_FALSE(left[1]);
}

TEST_CASE("disk: what a crash interrupts does not end up where the lost records were") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Disk disk({.lose_write = 1, .tear = 0.5}, base::Prng{seed});
    value<store::Appended>(run(disk, append_of(1, 2)));
    disk.set_model({.tear = 0.5});
    begin(disk, append_of(3, 2));
    disk.crash();
    CHECK(disk.storage().journal_size() == 0);
  }
}

TEST_CASE("disk: an honest Append makes those before it durable") {
  Disk disk({.lose_write = 1}, base::Prng{1});
  value<store::Appended>(run(disk, append_of(1, 2)));
  disk.set_model({});
  value<store::Appended>(run(disk, append_of(3, 1)));
  disk.crash();
  CHECK(disk.storage().journal_size() == 3);
  CHECK(disk.counters().lost_records == 0);
}

TEST_CASE("disk: a lost chunk is missing in a part, and corrupt in a whole archive") {
  Disk disk({}, base::Prng{1});
  const TestArchive part(600'000, 1);
  const TestArchive whole(300'000, 2);
  create(disk, part);
  create(disk, whole);
  value<store::Done>(write(disk, part, 0));
  value<store::Done>(write(disk, whole, 0));
  disk.set_model({.lose_write = 1});
  value<store::Done>(write(disk, part, 1));
  value<store::Done>(write(disk, whole, 1));
  value<store::Chunk>(read(disk, part, 1));
  disk.crash();
  disk.set_model({});
  for (const auto& blob : value<store::Blobs>(run(disk, store::ListBlobs{})).blobs) {
    const bool is_whole = blob.archive == whole.archive;
    CHECK(blob.held.has(0));
    CHECK(blob.held.has(1) == is_whole);
  }
  CHECK(failure(read(disk, part, 1)) == StoreError::Kind::kMissing);
  CHECK(failure(read(disk, whole, 1)) == StoreError::Kind::kCorrupt);
  CHECK(disk.counters().lost_chunks == 2);
  // Written again, they stay.
  value<store::Done>(write(disk, part, 1));
  disk.crash();
  value<store::Chunk>(read(disk, part, 1));
}

TEST_CASE("disk: a new disk is empty") {
  sim::BlobPool pool;
  Disk disk({.lose_write = 0.5}, base::Prng{1}, pool);
  const TestArchive a(300'000);
  create(disk, a);
  value<store::Done>(write(disk, a, 0));
  value<store::Appended>(run(disk, append_of(1, 2)));
  value<store::Done>(run(disk, store::IndexApply{{}, 7}));
  begin(disk, append_of(3, 1));
  disk.wipe();
  CHECK(disk.storage().journal().empty());
  CHECK(disk.storage().bytes_used() == 0);
  CHECK(value<store::Blobs>(run(disk, store::ListBlobs{})).blobs.empty());
  CHECK(value<store::Position>(run(disk, store::IndexPosition{})).position == 0);
  pool.sweep();
  CHECK(pool.stats().bytes == 0);
}

namespace {

// All that a disk with every fault answers to a mixed load, with its times.
std::string history(std::uint64_t seed, sim::BlobPool* pool) {
  const DiskModel model{.min_latency = 1ms,
                        .max_latency = 20ms,
                        .bytes_per_second = 50'000'000,
                        .capacity = 900'000,
                        .fail = 0.1,
                        .lose_write = 0.2,
                        .rot = 0.1,
                        .tear = 0.5};
  Disk disk =
      pool == nullptr ? Disk(model, base::Prng{seed}) : Disk(model, base::Prng{seed}, *pool);
  const TestArchive a(600'000);
  base::Prng choices(99);
  std::vector<std::pair<base::Instant, Disk::Ticket>> pending;
  std::string log;
  const auto op = [&](std::uint64_t choice) -> registry::StoreOp {
    const std::uint64_t index = choices.below(3);
    if (choice == 0) return append_of(static_cast<std::uint8_t>(index), 3);
    if (choice == 1) return store::CreateBlob{a.archive, a.chunks};
    if (choice == 2) return store::WriteChunk{a.archive.root, index, a.chunk(index)};
    if (choice == 3) return store::ReadChunk{a.archive.root, index};
    return store::ReadJournal{0};
  };
  base::Instant now{};
  for (int step = 0; step < 300; ++step) {
    now += 1ms;
    const auto planned = disk.begin({store_id(1), op(choices.below(5))}, now);
    pending.emplace_back(planned.done_at, planned.ticket);
    std::ranges::sort(pending);
    while (!pending.empty() && pending.front().first <= now) {
      const auto done = disk.finish(pending.front().second);
      log += std::to_string(pending.front().first.time_since_epoch().count()) + ":";
      log += !done
                 ? "-"
                 : std::to_string(done->result ? 99 : static_cast<int>(done->result.error().kind));
      log += " ";
      pending.erase(pending.begin());
    }
    if (step % 60 == 59) disk.crash();
    log += std::to_string(disk.storage().journal_size()) + "/";
    log += std::to_string(disk.storage().bytes_used()) + "\n";
  }
  return log;
}

}  // namespace

TEST_CASE("disk: the same seed gives the same results and times, with a pool and without") {
  sim::BlobPool pool;
  const std::string first = history(7, nullptr);
  CHECK(first == history(7, nullptr));
  CHECK(first == history(7, &pool));
  CHECK(first == history(7, &pool));  // and when the pool knows everything
  CHECK(first != history(8, nullptr));
}

TEST_CASE("disk: a fault that is switched on shifts nothing else") {
  const auto times = [](const DiskModel& model) {
    Disk disk(model, base::Prng{5});
    std::vector<base::Instant> all;
    for (std::uint8_t i = 0; i < 20; ++i) {
      const auto planned = disk.begin({store_id(1), append_of(i, 1)}, {});
      all.push_back(planned.done_at);
      static_cast<void>(disk.finish(planned.ticket));
    }
    return all;
  };
  const DiskModel plain{.min_latency = 1ms, .max_latency = 9ms};
  DiskModel faulty = plain;
  faulty.fail = 0.3;
  faulty.lose_write = 0.3;
  CHECK(times(plain) == times(faulty));
}
