#include <ggen/p2p/registry/search.hpp>

#include "engine_network.hpp"
#include "support.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::registry;

TEST_CASE("search: what a peer knows is fetched, verified and shown with its provider") {
  EngineNetwork net;
  net.add();
  net.add();
  // Published where the other one could not hear of it; asked before sync had its turn.
  REQUIRE(net.publish_now(1, "left-pad", "1.0.0").result);
  net.connect(0, 1);
  net.run_for(net.latency);
  CHECK(net.heads(0).empty());
  const auto again = net.search(0, {.words = {"left"}}, 2s);
  REQUIRE(again.hits.size() == 1);
  CHECK(again.asked == 1);
  CHECK(again.answered == 1);
  CHECK_FALSE(again.timed_out);
  CHECK(again.hits[0].providers == std::vector{net.id(1)});
  CHECK(again.hits[0].metadata.description == "the package left-pad");
}

TEST_CASE("search: a peer that is silent is waited for until the timeout, no longer") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net[1].silent = true;
  const auto begun = net.now;
  const auto done = net.search(0, {.words = {"pad"}}, 3s);
  CHECK(net.now - begun <= 4s);
  CHECK(done.timed_out);
  CHECK(done.asked == 1);
  CHECK(done.answered == 0);
  CHECK(done.hits.size() == 1);
  CHECK_FALSE(net.events<event::SearchLocal>(0).empty());
}

TEST_CASE("search: a slow disk does not hold it up for long") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net[0].disk.set_model({.min_latency = 5s, .max_latency = 5s});
  // Within a second after its timeout, or it would have no end here.
  const auto done = net.search(0, {.words = {"pad"}}, 2s);
  CHECK(done.timed_out);
  CHECK(done.answered == 1);
}

TEST_CASE("search: what was published just before is found, though the index is behind") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  net.run_for(5s);
  net[0].disk.set_model({.min_latency = 1ms, .max_latency = 200ms});
  for (int i = 0; i < 40; ++i) {
    const std::string package = "pad" + std::to_string(i);
    const OperationId operation = net.publish(0, package, "1.0.0");
    while (!net.published(0, operation)) net.run_for(1ms);
    const base::Duration timeout = i % 2 == 0 ? 0s : 2s;
    CHECK(net.search(0, {.words = {package}}, timeout).hits.size() == 1);
  }
}

TEST_CASE("search: an answer without a valid signature shows nothing, and is told") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  net.run_for(5s);
  Entry release = LogSigner{40}.after(LogSigner{40}.first(41), 40, publish("bad", "1.0.0"));
  base::Bytes forged = base::to_bytes(release.envelope.view());
  forged.back() ^= 1;
  net[1].node->liar = [&](reqresp::Request& request) {
    if (!decode_search_request(request.message.map())) return false;
    SearchResponse response;
    response.results.push_back({forged, true});
    net[1].node->requests().respond(request.id, encode(response), 0, net.now);
    net[1].node->requests().finish(request.id, net.now);
    return true;
  };
  const auto done = net.search(0, {.words = {"bad"}}, 2s);
  CHECK(done.hits.empty());
  CHECK(net.events<event::PeerMisbehaved>(0).size() == 1);
  CHECK(net.engine(0).standing(net.id(1), net.now).success < 0.5);
}

TEST_CASE("search: one that is cancelled ends at once, once") {
  EngineNetwork net;
  net.add();
  net.add();
  net.connect(0, 1);
  net.run_for(1s);
  net[1].silent = true;
  net.call(0, [&](Engine& engine) {
    const OperationId id = engine.search({.words = {"x"}}, 10s, net.now);
    engine.cancel(id, net.now);
    engine.cancel(id, net.now);
  });
  net.run_for(20s);
  CHECK(net.events<event::SearchDone>(0).size() == 1);
}

TEST_CASE("fetch: an archive comes from whoever the DHT names, and is provided on") {
  EngineNetwork net;
  for (int i = 0; i < 4; ++i) net.add();
  for (std::size_t i = 1; i < 4; ++i) net.connect(0, i);
  for (std::size_t i = 2; i < 4; ++i) net.connect(1, i);
  net.run_for(5s);
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  const SmallArchive packed(1);
  for (const std::size_t i : {1, 2}) {
    net.call(i, [&](Engine& engine) { engine.fetch(packed.archive, {}, net.now); });
    net.run_for(70s);
    const auto done = net.events<event::FetchDone>(i);
    REQUIRE(done.size() == 1);
    CHECK(done[0].result);
    CHECK(net.engine(i).stats().archives == 1);
    // The next one finds only who fetched it.
    net.isolate(i - 1);
  }
}

TEST_CASE("search: many at once ask the index one by one, and all are answered") {
  EngineNetwork net;
  net.add();
  REQUIRE(net.publish_now(0, "pad", "1.0.0").result);
  net.clear_events();
  net[0].disk.set_model({.min_latency = 1s, .max_latency = 1s});
  const std::size_t before = net[0].storage.runs<store::IndexQuery>();
  net.call(0, [&](Engine& engine) {
    for (int i = 0; i < 8; ++i) engine.search({.words = {"pad"}}, 0s, net.now);
  });
  CHECK(net[0].disk.under_way() == 1);
  net.run_for(30s);
  CHECK(net[0].storage.runs<store::IndexQuery>() == before + 8);
  const auto done = net.events<event::SearchDone>(0);
  REQUIRE(done.size() == 8);
  for (const auto& one : done) CHECK(one.hits.size() == 1);
}
