// Each invariant by itself, shown what must not be.
#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/kad/message.hpp>
#include <ggen/p2p/registry/fetch.hpp>

#include "../../src/sim/invariant_answers.hpp"
#include "../../src/sim/invariant_chunks.hpp"
#include "../../src/sim/invariant_deadlines.hpp"
#include "../../src/sim/invariant_leaks.hpp"
#include "../../src/sim/invariant_lookups.hpp"
#include "../../src/sim/invariant_queues.hpp"
#include "../../src/sim/recent_ids.hpp"

using namespace ggen::p2p;
using namespace std::chrono_literals;
using sim::Invariant;

namespace {

/// Two machines that are switched off: nobody disturbs what a rule is shown.
struct Bench {
  explicit Bench(const sim::NodeSpec& spec = {}) {
    simulation.add(spec);
    simulation.add(spec);
  }

  [[nodiscard]] std::string detail() const { return invariant.check().detail; }

  sim::Simulation simulation{{}};
  Invariant invariant{"it holds", "looks"};
};

base::Buffer frame_of(const kad::Message& message) {
  return base::encode_frame(kad::encode_message(message));
}
base::Buffer frame_of(const reqresp::MapBuilder& map) {
  return base::encode_frame(map.encode());
}

}  // namespace

TEST_CASE("invariant: a check says how often it was looked at, or that it never was") {
  Bench bench;
  CHECK(bench.invariant.check() == sim::Check{"invariant: it holds", true, "never came up"});
  bench.invariant.look(3);
  CHECK(bench.detail() == "3 looks");
  bench.invariant.excuse("of them late");
  CHECK(bench.detail() == "3 looks; 1 of them late");
}

TEST_CASE("invariant: of many violations the first are told, and how many there were") {
  Bench bench;
  for (int i = 0; i < 100; ++i) {
    bench.invariant.violate(base::Instant{} + 1500ms, 7, "it fell over");
  }
  CHECK_FALSE(bench.invariant.check().passed);
  CHECK(bench.detail().starts_with("100 times; at 1.500 s, node 7: it fell over; "));
  CHECK(bench.invariant.violations().size() == Invariant::kKept);
}

TEST_CASE("invariant: what a node leaves behind is a leak") {
  Bench bench;
  sim::LeaksInvariant leaks{bench.simulation, bench.invariant};
  leaks.started(0);
  leaks.opened(0);
  leaks.opened(0);
  leaks.closed(0);
  leaks.crashing(0);
  leaks.stopped(0);
  CHECK(bench.invariant.check().passed);  // what crashes closes nothing

  leaks.started(0);
  leaks.opened(0);
  leaks.opened(0);
  leaks.closed(0);
  leaks.stopped(0);
  CHECK(bench.detail().ends_with("it left 1 streams"));
}

TEST_CASE("invariant: an operation of a store is answered once") {
  Bench bench;
  sim::LeaksInvariant leaks{bench.simulation, bench.invariant};
  leaks.started(0);
  leaks.storing(0, {1, 1});
  leaks.stored(0, {1, 1});
  CHECK(bench.invariant.check().passed);
  leaks.stored(0, {1, 1});
  CHECK(bench.detail().ends_with("answered an operation that is not under way"));
  leaks.storing(0, {2, 1});
  leaks.storing(0, {2, 1});
  CHECK(bench.detail().ends_with("two operations of its store have one id"));
}

TEST_CASE("invariant: memory that is left of a run is a leak") {
  Bench bench;
  sim::LeaksInvariant leaks{bench.simulation, bench.invariant};
  leaks.ended(true, 0);
  CHECK(bench.invariant.check().passed);
  const base::Buffer kept = base::Buffer::allocate(10);
  leaks.ended(true, 1);
  CHECK(bench.invariant.check().passed);  // somebody says that it is theirs
  leaks.ended(true, 0);
  CHECK(bench.detail().ends_with("1 blocks of memory are left of the run"));
}

TEST_CASE("invariant: what does not end with its nodes is a leak") {
  Bench bench;
  sim::LeaksInvariant leaks{bench.simulation, bench.invariant};
  static_cast<void>(bench.simulation.disk(1).begin({{1, 1}, registry::store::ListBlobs{}}, {}));
  leaks.ended(false, 0);
  CHECK(bench.detail().ends_with("0 connections and 1 operations of stores are left"));
}

TEST_CASE("invariant: a queue above its limit") {
  Bench bench;
  sim::QueuesInvariant queues{bench.simulation, bench.invariant};
  queues.compare(1, "messages", 10, 10);
  CHECK(bench.invariant.check().passed);
  queues.compare(1, "messages", 11, 10);
  CHECK(bench.detail().ends_with("node 1: 11 messages, of which 10 are allowed"));
}

TEST_CASE("invariant: a deadline for which nobody wakes a node") {
  Bench bench;
  sim::DeadlinesInvariant deadlines{bench.simulation, bench.invariant};
  const base::Instant now = base::Instant{} + 5s;
  deadlines.compare(0, "kad", std::nullopt, now);
  deadlines.compare(0, "kad", now, now);
  CHECK(bench.invariant.check().passed);
  deadlines.compare(0, "kad", now - 1ns, now);
  CHECK(bench.detail().ends_with("kad wants to be called at 5.000 s, and nobody will"));
  const auto before = bench.invariant.violations().size();
  deadlines.compare(0, "kad", now, std::nullopt);
  CHECK(bench.invariant.violations().size() == before + 1);
}

TEST_CASE("invariant: a provider record is answered only for as long as it is kept") {
  sim::NodeSpec spec;
  spec.node.kad.emplace();
  spec.node.kad->providers.lifetime = 60s;
  Bench bench{spec};
  sim::AnswersInvariant answers{bench.simulation, bench.invariant};
  answers.started(0);
  const base::Bytes key(34, 5);
  const auto& provider = bench.simulation.id(1);
  kad::Message add{.type = kad::MessageType::kAddProvider, .key = key};
  add.providers.push_back({provider, {}});
  const kad::Message ask{.type = kad::MessageType::kGetProviders, .key = key};
  kad::Message answer = ask;
  answer.providers.push_back({provider, {}});
  answer.providers.push_back({bench.simulation.id(0), {}});  // its own

  const auto stream = answers.watch(0, 1);
  stream->received(frame_of(add).view());
  bench.simulation.run_for(60s);
  stream->received(frame_of(ask).view());
  bench.simulation.run_for(5s);  // in which the answer is held up
  stream->sent(frame_of(answer).view());
  CHECK(bench.detail() == "1 looks");
  stream->received(frame_of(ask).view());
  stream->sent(frame_of(answer).view());
  CHECK(bench.detail().ends_with("answered with a provider record that is 65 s old"));
}

TEST_CASE("invariant: nobody is named as a provider who did not say so") {
  sim::NodeSpec spec;
  spec.node.kad.emplace();
  Bench bench{spec};
  sim::AnswersInvariant answers{bench.simulation, bench.invariant};
  answers.started(0);
  kad::Message answer{.type = kad::MessageType::kGetProviders, .key = base::Bytes(34, 5)};
  answer.providers.push_back({bench.simulation.id(1), {}});
  answers.watch(0, 1)->sent(frame_of(answer).view());
  CHECK(bench.detail().ends_with("answered with a provider record that nobody gave it"));
}

TEST_CASE("invariant: a value is answered only for as long as it is kept, an own one for ever") {
  sim::NodeSpec spec;
  spec.node.kad.emplace();
  spec.node.kad->values.lifetime = 60s;
  Bench bench{spec};
  sim::AnswersInvariant answers{bench.simulation, bench.invariant};
  answers.started(0);
  const base::Bytes key(10, 1);
  const kad::Record record{key, base::Bytes(20, 2), {}};
  const kad::Message put{.type = kad::MessageType::kPutValue, .key = key, .record = record};
  const kad::Message ask{.type = kad::MessageType::kGetValue, .key = key};
  const kad::Message answer{.type = kad::MessageType::kGetValue, .key = key, .record = record};
  const auto stream = answers.watch(0, 1);
  stream->received(frame_of(put).view());
  stream->sent(frame_of(put).view());  // the echo is no answer
  bench.simulation.run_for(61s);
  stream->received(frame_of(ask).view());
  answers.put_value(0, key, record.value);
  stream->sent(frame_of(answer).view());
  CHECK(bench.detail() == "1 looks");

  answers.started(0);  // forgets all of it
  stream->received(frame_of(put).view());
  bench.simulation.run_for(61s);
  stream->received(frame_of(ask).view());
  stream->sent(frame_of(answer).view());
  CHECK(bench.detail().ends_with("answered with a value that is 61 s old"));
}

TEST_CASE("invariant: one wrong byte in a chunk that is served") {
  const auto package = sim::Package::make("tabs", "1.0.0", "Tabs", 300'000);
  const auto chunk = package.bytes.slice(256 * 1024, 300'000 - 256 * 1024);
  const auto serve = [&](base::BytesView body) {
    Bench bench;
    sim::ChunksInvariant chunks{bench.simulation, bench.invariant};
    chunks.published(package);
    const auto stream = chunks.watch(0);
    const auto request =
        frame_of(registry::encode(registry::ChunksRequest{package.archive.root, 0, 2}));
    stream->received(request.view().first(3));
    stream->received(request.view().subspan(3));
    stream->sent(frame_of(registry::encode(registry::ChunkResponse{0, true})).view());
    auto head = registry::encode(registry::ChunkResponse{1, false});
    head.uint(reqresp::kBodyKey, body.size());
    stream->sent(frame_of(head).view());
    stream->sent(body.first(1000));
    stream->sent(body.subspan(1000));
    return bench.detail();
  };
  CHECK(serve(chunk.view()) == "1 looks");
  base::Bytes damaged = base::to_bytes(chunk.view());
  damaged[20'000] ^= 1;
  CHECK(serve(damaged).ends_with("chunk 1 that it served is not what was published"));
  damaged = base::to_bytes(chunk.view());
  damaged.pop_back();
  CHECK(serve(damaged).ends_with("chunk 1 that it served is of another size"));
}

TEST_CASE("invariant: a chunk list that is served must be the archive's") {
  const auto package = sim::Package::make("tabs", "1.0.0", "Tabs", 300'000);
  const auto serve = [&](base::BytesView body) {
    Bench bench;
    sim::ChunksInvariant chunks{bench.simulation, bench.invariant};
    chunks.published(package);
    const auto stream = chunks.watch(0);
    stream->received(
        frame_of(registry::encode(registry::ListRequest{package.archive.root})).view());
    auto head = registry::encode(registry::ListResponse{registry::ChunkSet{2}});
    head.uint(reqresp::kBodyKey, body.size());
    stream->sent(frame_of(head).view());
    stream->sent(body);
    return bench.detail();
  };
  base::Bytes list = registry::chunk_list_body(package.hashes);
  CHECK(serve(list) == "1 looks");
  list[40] ^= 1;
  CHECK(serve(list).ends_with("the chunk list that it served is not what was published"));
}

TEST_CASE("invariant: a store that takes a wrong chunk") {
  const auto package = sim::Package::make("tabs", "1.0.0", "Tabs", 1000);
  Bench bench;
  sim::ChunksInvariant chunks{bench.simulation, bench.invariant};
  chunks.published(package);
  const auto write = [&](registry::StoreId id, base::Buffer bytes) {
    chunks.storing(0, {id, registry::store::WriteChunk{package.archive.root, 0, std::move(bytes)}});
  };
  write({1, 1}, package.bytes);
  chunks.stored(0, {{1, 1}, registry::store::Done{}});
  write({2, 1}, base::Buffer::copy_of(base::Bytes(1000)));
  chunks.stored(
      0,
      {{2, 1}, std::unexpected(registry::StoreError{registry::StoreError::Kind::kWrongHash, ""})});
  CHECK(bench.detail() == "2 looks");
  write({3, 1}, base::Buffer::copy_of(base::Bytes(1000)));
  chunks.stored(0, {{3, 1}, registry::store::Done{}});
  CHECK(bench.detail().ends_with("its store took a chunk that was not published"));
}

TEST_CASE("invariant: a lookup that does not end in time, or late") {
  using Lookup = sim::Invariants::Lookup;
  Bench bench;
  sim::LookupsInvariant lookups{bench.simulation, bench.invariant};
  lookups.began(0, Lookup::kSearch, 1, 3s);
  lookups.began(0, Lookup::kFetch, 1, 10s);
  lookups.began(1, Lookup::kFetch, 1, 3s);
  bench.simulation.run_for(2s);
  lookups.stopped(1);
  lookups.output(0, registry::Output{registry::event::SearchDone{.id = 1, .hits = {}}});
  bench.simulation.run_for(7s);
  lookups.output(0, registry::Output{registry::event::FetchProgress{.id = 1}});
  bench.simulation.run_for(10s);
  lookups.sample();
  CHECK(bench.detail() == "1 looks");
  bench.simulation.run_for(1s);
  lookups.sample();
  CHECK(bench.detail().ends_with("a fetch has not ended in time"));

  lookups.began(0, Lookup::kSearch, 2, 3s);
  bench.simulation.run_for(3500ms);
  lookups.output(0, registry::Output{registry::event::SearchDone{.id = 2, .hits = {}}});
  CHECK(bench.detail().ends_with("a search ended 0.500 s late"));
}

TEST_CASE("recent ids: what was put in is there for one call of age() at least, for two at most") {
  sim::RecentIds ids;
  base::Prng prng{1};
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 1000; ++i) all.push_back(prng.next());
  const auto has_all = [&] {
    return std::ranges::all_of(all, [&](std::uint64_t id) { return ids.contains(id); });
  };
  CHECK_FALSE(ids.contains(all[0]));
  for (const std::uint64_t id : all) ids.insert(id);
  CHECK(has_all());
  CHECK_FALSE(ids.contains(1));
  ids.age();
  CHECK(has_all());
  ids.age();
  CHECK_FALSE(ids.contains(all[0]));
}
