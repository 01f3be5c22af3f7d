// A publisher whose machine loses power at any moment, on real engines.

#include <algorithm>

#include "engine_network.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

bool is_durable(const sim::MemoryStorage& storage, const Entry& entry) {
  return std::ranges::any_of(storage.journal(), [&](const JournalRecord& record) {
    return base::equal(record.bytes.view(), entry.envelope.view());
  });
}
// Entries of a publisher that a node heard of, and that are not on the publisher's disk.
std::size_t announced_too_early(EngineNetwork& net, EngineNetwork::Index listener) {
  const auto publisher = *net.engine(0).publisher();
  const auto added = net.events<event::EntryAdded>(listener);
  return static_cast<std::size_t>(std::ranges::count_if(added, [&](const auto& one) {
    return one.entry.statement.publisher == publisher && !is_durable(net[0].storage, one.entry);
  }));
}
// Releases that the publisher was told are durable, and that are not.
std::size_t forgotten(EngineNetwork& net) {
  const auto done = net.events<event::PublishDone>(0);
  return static_cast<std::size_t>(std::ranges::count_if(done, [&](const auto& one) {
    if (!one.result) return false;
    store::ReadEntries read{{*one.result}};
    const auto found = net[0].storage.run(std::move(read));
    return !std::get<store::Entries>(*found).envelopes.at(0);
  }));
}

}  // namespace

TEST_CASE("crash: what was announced is durable, whenever the power fails") {
  std::size_t published = 0;
  std::uint64_t torn = 0;
  std::uint64_t interrupted = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    base::Prng prng(seed);
    EngineNetwork net;
    net.add();
    net.add();
    net[0].disk.set_model({.min_latency = 1ms, .max_latency = 30ms, .fail = 0.02, .tear = 0.5});
    for (int round = 0; round < 6; ++round) {
      CAPTURE(round);
      net.connect(0, 1);
      net.run_for(8s);
      REQUIRE(net.engine(0).is_loaded());
      for (int i = 0; i < 3; ++i) {
        net.publish(0, "pad", std::to_string(round) + "." + std::to_string(i) + ".0");
      }
      net.run_for(prng.below(100) * 1ms);
      net.crash(0);
      CHECK(announced_too_early(net, 1) == 0);
      CHECK(forgotten(net) == 0);
      CHECK(net[0].disk.under_way() > 0);  // it reads its journal again
    }
    net.connect(0, 1);
    // Who asks while the journal is still being read hears of no heads, and asks again later.
    net.run_for(2 * SyncConfig{}.interval);
    for (const auto& loaded : net.events<event::Loaded>(0)) CHECK(loaded.damaged == 0);
    const auto publisher = *net.engine(0).publisher();
    const PublisherLog* ours = net.engine(0).catalog().log(publisher);
    const PublisherLog* theirs = net.engine(1).catalog().log(publisher);
    REQUIRE(ours != nullptr);
    REQUIRE(theirs != nullptr);
    CHECK_FALSE(theirs->fork());
    CHECK(ours->head()->id == theirs->head()->id);
    published += ours->size();
    torn += net[0].disk.counters().torn;
    interrupted += net[0].disk.counters().interrupted;
  }
  // Otherwise the crashes came when nothing could go wrong.
  CHECK(published > 100);
  CHECK(torn > 5);
  CHECK(interrupted > 20);
}

TEST_CASE("crash: who lost records to a disk that lies takes them from peers before it signs") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net[0].disk.set_model({.lose_write = 1});
  REQUIRE(net.publish_now(0, "pad", "1.1.0").result);
  net.crash(0);
  CHECK(announced_too_early(net, 1) == 1);
  CHECK(forgotten(net) == 1);
  net[0].disk.set_model({});
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.2.0").result);
  const auto publisher = *net.engine(0).publisher();
  CHECK(net.engine(1).catalog().log(publisher)->size() == 4);
  CHECK_FALSE(net.engine(1).catalog().log(publisher)->fork());
}
