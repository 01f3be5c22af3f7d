#include "scheduler.hpp"

#include <deque>
#include <map>

#include <doctest/doctest.h>

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;

namespace {

constexpr std::size_t kQuantum = Scheduler::kQuantum;

/// Streams, and a sender that takes `span` bytes at a time.
struct Bench {
  Stream& add(std::size_t queued) {
    Stream& stream = streams.emplace_back(StreamId{next_id += 2}, true, base::Instant{});
    stream.greeted = true;
    stream.send_window = UINT32_MAX;
    put(stream, queued);
    return stream;
  }
  void put(Stream& stream, std::size_t size) {
    stream.queue.push_copy(base::Bytes(size));
    scheduler.update(stream);
  }
  /// Sends up to `span` bytes; who sent how much, in order.
  std::vector<std::pair<const Stream*, std::size_t>> send(std::size_t span) {
    std::vector<std::pair<const Stream*, std::size_t>> sent;
    while (span > 0) {
      const Scheduler::Turn turn = scheduler.next_data();
      if (turn.stream == nullptr) break;
      const std::size_t size = std::min({turn.limit, turn.stream->queue.size(), span});
      REQUIRE(size > 0);
      turn.stream->queue.pop(size);
      scheduler.sent(*turn.stream, size);
      span -= size;
      sent.emplace_back(turn.stream, size);
    }
    return sent;
  }
  std::deque<Stream> streams;
  Scheduler scheduler;
  std::uint32_t next_id = 1;
};

}  // namespace

TEST_CASE("scheduler: a single stream may use it all") {
  Bench bench;
  const Stream& only = bench.add(1'000'000);
  const auto sent = bench.send(65'000);
  REQUIRE(sent.size() == 1);
  CHECK(sent[0] == std::pair{&only, std::size_t{65'000}});
}

TEST_CASE("scheduler: streams with much to send take turns and get the same") {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.add(10'000'000);
  std::map<const Stream*, std::size_t> total;
  for (int i = 0; i < 100; ++i) {
    for (const auto& [stream, size] : bench.send(65'396)) total[stream] += size;
  }
  for (const auto& [stream, size] : total) {
    CHECK(size > 100 * 65'396 / 5 - 2 * kQuantum);
    CHECK(size < 100 * 65'396 / 5 + 2 * kQuantum);
  }
}

TEST_CASE("scheduler: a short message goes before bulk that was there first") {
  Bench bench;
  for (int i = 0; i < 20; ++i) bench.add(1'000'000);
  bench.send(20 * kQuantum + 100);  // every stream has had a turn
  const Stream& small = bench.add(32);
  const auto sent = bench.send(65'000);
  // The turn under way is finished at most.
  CHECK((sent[0].first == &small || (sent[1].first == &small && sent[0].second <= kQuantum)));
}

TEST_CASE("scheduler: short messages do not starve bulk") {
  Bench bench;
  const Stream& bulk = bench.add(10'000'000);
  bench.send(2 * kQuantum);
  std::deque<Stream*> small;
  for (int i = 0; i < 10; ++i) small.push_back(&bench.add(8000));
  std::size_t of_bulk = 0;
  for (int i = 0; i < 100; ++i) {
    for (const auto& [stream, size] : bench.send(64 * 1024)) of_bulk += stream == &bulk ? size : 0;
    for (Stream* stream : small) bench.put(*stream, 8000 - stream->queue.size());
  }
  CHECK(of_bulk >= 100 * 24 * 1024);
}

TEST_CASE("scheduler: streams without credit, content or life leave") {
  Bench bench;
  Stream& blocked = bench.add(1000);
  Stream& reset = bench.add(1000);
  Stream& gone = bench.add(1000);
  blocked.send_window = 0;
  bench.scheduler.update(blocked);
  reset.dead = true;
  bench.scheduler.update(reset);
  bench.scheduler.remove(gone);
  CHECK(bench.send(10'000).empty());
  CHECK(bench.scheduler.next_control() == &reset);
  bench.scheduler.remove(reset);
  CHECK(bench.scheduler.empty());
  blocked.send_window = 1;
  bench.scheduler.update(blocked);
  CHECK(bench.scheduler.next_data().stream == &blocked);
}
