#include "engine_network.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

const LogSigner kSigner{30};

std::vector<Entry> history(std::size_t count) {
  std::vector<Entry> entries = {kSigner.first(31)};
  for (std::size_t i = 1; i <= count; ++i) {
    const auto release = publish("a", "0.0." + std::to_string(i));
    entries.push_back(kSigner.after(entries.back(), 30, release));
  }
  return entries;
}

void append(sim::MemoryStorage& storage, const std::vector<Entry>& entries) {
  store::Append op;
  for (const Entry& entry : entries) {
    op.records.push_back({JournalRecord::Kind::kEntry, entry.envelope});
  }
  REQUIRE(storage.run(std::move(op)));
}

}  // namespace

TEST_CASE("load: a restart gives the same catalog, index and archives") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  REQUIRE(net.publish_now(1, "tool", "1.0.0").result);
  const auto heads = net.heads(0);
  REQUIRE(heads.size() == 2);
  net.clear_events();
  net.restart(0);
  net.run_for(1s);
  REQUIRE(net.events<event::Loaded>(0).size() == 1);
  CHECK(net.events<event::Loaded>(0)[0].entries == 4);
  CHECK(net.heads(0) == heads);
  CHECK(net.engine(0).stats().archives == 1);
  const auto found = net.search(0, {.words = {"pad"}}, 0s);
  REQUIRE(found.hits.size() == 1);
  CHECK(found.hits[0].held);
}

TEST_CASE("load: the archives that are here go to the DHT together, without a lookup for each") {
  EngineNetwork net;
  net.add();
  net.add();
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  REQUIRE(net.publish_now(0, "tool", "1.0.0").result);
  net.restart(0);
  net.clear_events();
  net.run_for(1s);
  CHECK(net[0].node->kad().provide_stats(net.now).records == 2);
  net.connect(0, 1);
  net.run_for(60s);
  CHECK(net.events<event::Provided>(0).empty());
}

TEST_CASE("load: an index that is gone is made anew") {
  EngineNetwork net;
  net.add();
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net[0].storage.drop_index();
  net.restart(0);
  net.run_for(1s);
  CHECK(net.search(0, {.words = {"pad"}}, 0s).hits.size() == 1);
}

TEST_CASE("load: an index that knows more than the journal is made anew") {
  EngineNetwork net;
  net.add();
  append(net[0].storage, history(2));
  REQUIRE(net[0].storage.run(store::IndexApply{{}, 1000}));
  net.restart(0);
  net.run_for(1s);
  CHECK(net.search(0, {.words = {"a"}}, 0s).hits.size() == 1);
}

TEST_CASE("load: an index that cannot be written misses nothing after the next start") {
  EngineNetwork net;
  net.add();
  append(net[0].storage, history(2));
  net[0].storage.fail_next<store::IndexApply>({StoreError::Kind::kFull, "no room"});
  net.restart(0);
  net.run_for(1s);
  REQUIRE(net.events<event::Loaded>(0).size() == 1);
  // Were this in the index, nobody would see what is missing before it.
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.restart(0);
  net.run_for(1s);
  CHECK(net.search(0, {.words = {"pad"}}, 0s).hits.size() == 1);
  CHECK(net.search(0, {.words = {"a"}}, 0s).hits.size() == 1);
}

TEST_CASE("load: damaged records are counted, and the rest is there") {
  EngineNetwork net;
  net.add();
  append(net[0].storage, history(3));
  net[0].storage.damage_record(3);
  net.restart(0);
  net.run_for(1s);
  const auto loaded = net.events<event::Loaded>(0).back();
  CHECK(loaded.damaged == 1);
  CHECK(loaded.entries == 3);
}

TEST_CASE("load: the other branch that the next keys chose is found again in the journal") {
  EngineNetwork net;
  net.add();
  const auto ours = history(4);
  std::vector<Entry> theirs = {ours[0], ours[1]};
  for (int i = 0; i < 100; ++i) {
    const auto release = publish("b", "0.1." + std::to_string(i));
    theirs.push_back(kSigner.after(theirs.back(), 30, release));
  }
  const Entry chosen = kSigner.rotate(theirs.back(), 31, 32);
  const Entry after = kSigner.after(chosen, 31, publish("c", "1.0.0"));
  std::vector<Entry> journal = ours;
  journal.insert(journal.end(), theirs.begin() + 2, theirs.end());
  journal.push_back(chosen);
  journal.push_back(after);
  append(net[0].storage, journal);
  net.restart(0);
  net.run_for(1s);
  const PublisherLog* log = net.engine(0).catalog().log(kSigner.id());
  REQUIRE(log != nullptr);
  CHECK(log->head() == Head{after.statement.seq, after.id});
  CHECK_FALSE(log->is_frozen());
  CHECK(net.search(0, {.words = {"b"}}, 0s).hits.size() == 1);
  CHECK(net.search(0, {.words = {"c"}}, 0s).hits.size() == 1);
}

TEST_CASE("load: who went to make room is the same after a restart") {
  Config config = EngineNetwork::quick();
  config.catalog.max_publishers = 2;
  EngineNetwork net;
  net.add(config, false);
  net.add(config, false);
  net.connect(0, 1);
  net.run_for(5s);
  // The first publisher's package is used here: the second goes when the third comes.
  for (const std::uint8_t seed : std::to_array<std::uint8_t>({40, 50, 60})) {
    net.gossip(1, LogSigner{seed}.first(static_cast<std::uint8_t>(seed + 1)));
    net.run_for(1s);
    if (seed == 40) {
      net.call(0, [](Engine& engine) { engine.catalog().used(LogSigner{40}.id()); });
    }
  }
  const auto heads = net.heads(0);
  REQUIRE(heads.size() == 2);
  CHECK(net.engine(0).catalog().log(LogSigner{50}.id()) == nullptr);
  net.restart(0);
  net.run_for(1s);
  CHECK(net.heads(0) == heads);
}
