#include "engine_network.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

namespace {

PublishError refused(const event::PublishDone& done) {
  REQUIRE_FALSE(done.result);
  return done.result.error().error;
}

}  // namespace

TEST_CASE("publish: a release reaches everybody within a second, and is on every disk") {
  EngineNetwork net;
  for (int i = 0; i < 5; ++i) net.add();
  for (std::size_t i = 1; i < 5; ++i) net.connect(i - 1, i);
  net.run_for(10s);
  const OperationId operation = net.publish(0, "left-pad", "1.0.0");
  net.run_for(1s);
  const auto done = net.published(0, operation);
  REQUIRE(done);
  REQUIRE(done->result);
  const auto publisher = *net.engine(0).publisher();
  for (std::size_t i = 0; i < 5; ++i) {
    CAPTURE(i);
    const PublisherLog* log = net.engine(i).catalog().log(publisher);
    REQUIRE(log != nullptr);
    CHECK(log->head()->id == *done->result);
    CHECK(net.events<event::EntryAdded>(i).size() == 2);  // the keys, and the release
    CHECK(net[i].storage.journal().size() == 2);
    const auto found = net.search(i, {.words = {"left-pad"}}, 0s);
    REQUIRE(found.hits.size() == 1);
    CHECK(found.hits[0].publisher == publisher);
    CHECK(found.hits[0].held == (i == 0));
  }
  CHECK(net.engine(4).stats().releases == 1);
}

TEST_CASE("publish: words about a release travel too") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.call(0, [&](Engine& engine) {
    engine.deprecate(name("pad"), std::nullopt, "old", net.now);
    engine.yank(name("pad"), version("1.0.0"), "broken", net.now);
  });
  net.run_for(1s);
  const PublisherLog* log = net.engine(1).catalog().log(*net.engine(0).publisher());
  const Release* release = log->releases().release(name("pad"), version("1.0.0"));
  CHECK(release->yank.reason() == "broken");
  CHECK(log->releases().package(name("pad"))->deprecation.reason() == "old");
  CHECK(net.search(1, {.words = {"pad"}}, 0s).hits.empty());
  net.call(0, [&](Engine& engine) { engine.unyank(name("pad"), version("1.0.0"), net.now); });
  net.run_for(1s);
  const auto found = net.search(1, {.words = {"pad"}}, 0s);
  REQUIRE(found.hits.size() == 1);
  CHECK(found.hits[0].deprecated == "old");
}

TEST_CASE("publish: what cannot be published says why") {
  EngineNetwork net;
  net.add();
  net.add(EngineNetwork::quick(), false);
  CHECK(refused(net.publish_now(1, "pad", "1.0.0")) == PublishError::kNoSigner);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  CHECK(refused(net.publish_now(0, "pad", "1.0.0")) == PublishError::kVersionExists);
  OperationId no_archive = 0;
  OperationId no_release = 0;
  OperationId invalid = 0;
  net.call(0, [&](Engine& engine) {
    no_archive =
        engine.publish({.name = name("a"), .version = version("1.0.0")}, archive(), net.now);
    no_release = engine.yank(name("pad"), version("9.0.0"), "", net.now);
    invalid =
        engine.deprecate(name("pad"), std::nullopt, std::string(kMaxReason + 1, 'x'), net.now);
  });
  net.run_for(1s);
  CHECK(refused(*net.published(0, no_archive)) == PublishError::kNoArchive);
  CHECK(refused(*net.published(0, no_release)) == PublishError::kNoRelease);
  CHECK(refused(*net.published(0, invalid)) == PublishError::kInvalid);
}

TEST_CASE("publish: with a full disk nothing is announced, and later it works") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.clear_events();
  net[0].storage.fail_next<store::Append>({StoreError::Kind::kFull, "no room"});
  const auto done = net.publish_now(0, "pad", "2.0.0");
  CHECK(refused(done) == PublishError::kStorage);
  CHECK(done.result.error().detail == "no room");
  CHECK(net.events<event::EntryAdded>(0).empty());
  CHECK(net.events<event::EntryAdded>(1).empty());
  CHECK(net.engine(0).catalog().log(*net.engine(0).publisher())->size() == 2);
  CHECK(net.publish_now(0, "pad", "2.0.0").result);
  CHECK(net.engine(1).catalog().log(*net.engine(0).publisher())->size() == 3);
  CHECK_FALSE(net.engine(1).catalog().log(*net.engine(0).publisher())->fork());
}

TEST_CASE("publish: received entries survive a disk that fails for a while") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  net.run_for(5s);
  net[1].storage.fail_next<store::Append>({StoreError::Kind::kIo, "gone"}, 2);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  CHECK(net.events<event::StorageFailed>(1).size() == 2);
  CHECK(net[1].storage.journal().size() == 2);
  CHECK(net.events<event::EntryAdded>(1).size() == 2);
}

TEST_CASE("publish: who lost the disk takes its own log from peers before it signs again") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  REQUIRE(net.publish_now(0, "pad", "1.1.0").result);
  // The same keys on an empty disk.
  net.isolate(0);
  const auto again = net.add();
  net[again].publisher = net[0].publisher;
  net.restart(again);
  const OperationId operation = net.publish(again, "pad", "2.0.0");
  net.connect(again, 1);
  net.run_for(30s);
  const auto done = net.published(again, operation);
  REQUIRE(done);
  CHECK(done->result);
  const auto publisher = *net.engine(0).publisher();
  CHECK(net.engine(1).catalog().log(publisher)->size() == 4);
  CHECK_FALSE(net.engine(1).catalog().log(publisher)->fork());
}

TEST_CASE("publish: a peer that says nothing cannot stop it") {
  EngineNetwork net;
  net.add();
  net.add();
  net[1].silent = true;
  net.connect(0, 1);
  CHECK(net.publish_now(0, "pad", "1.0.0").result);
}

TEST_CASE("publish: nothing is signed while the journal cannot be read") {
  EngineNetwork net;
  net.add();
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.clear_events();  // operations are counted anew
  net[0].storage.fail_next<store::ReadJournal>({StoreError::Kind::kIo, "gone"});
  net.restart(0);
  const OperationId operation = net.publish(0, "pad", "2.0.0");
  net.run_for(100ms);
  CHECK(refused(*net.published(0, operation)) == PublishError::kNotLoaded);
  CHECK_FALSE(net.engine(0).is_loaded());
  net.run_for(10s);
  CHECK(net.engine(0).is_loaded());
  CHECK(net.publish_now(0, "pad", "2.0.0").result);
}

TEST_CASE("publish: what the DHT took of it is told, also when nobody took it at first") {
  EngineNetwork net;
  net.add();
  net.add();
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  const SmallArchive packed(1);
  const auto alone = net.events<event::Provided>(0);
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].root == packed.archive.root);
  CHECK(alone[0].placed.stored == 0);
  net.connect(0, 1);
  net.run_for(10s);
  const auto told = net.events<event::Provided>(0);
  REQUIRE(told.size() == 2);
  CHECK(told[1].root == packed.archive.root);
  CHECK(told[1].placed.stored == 1);
  CHECK(told[1].placed.failed == 0);
  CHECK(told[1].took > base::Duration{});
  REQUIRE(told[1].key.size() == 34);
  CHECK(base::equal(base::BytesView{told[1].key}.subspan(2), packed.archive.root));
}
