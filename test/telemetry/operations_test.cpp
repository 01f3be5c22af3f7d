#include <doctest/doctest.h>

#include "watched.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::telemetry;
using namespace ggen::p2p::telemetry::test;
using node::test::Package;
namespace event = registry::event;

namespace {

void publish(Watched& watched, std::size_t index, const Package& what, Parent parent = {}) {
  node::test::publish(watched.net, index, what, [&](registry::OperationId id) {
    watched.tracker(index).publish_started(id, *watched.net.node(index).registry()->publisher(),
                                           what.metadata, what.archive, watched.net.now, parent);
  });
}

SpanTracker lone_tracker(const SpanLimits& limits = {}) {
  return SpanTracker{base::Prng{1}, kWall, limits};
}

}  // namespace

TEST_CASE("telemetry: a publish, its record in the DHT, and what others see of it") {
  Watched watched;
  watched.add_many(4);
  const Package tabs = node::test::package("tabs", 1000);
  publish(watched, 2, tabs);
  watched.net.run_for(1s);

  const Span published = watched.only(2, "p2p.package.publish");
  CHECK_FALSE(published.error);
  CHECK(text_of(published, "package.name") == "tabs");
  CHECK(text_of(published, "package.version") == "1.0.0");
  const std::string publisher = watched.net.node(2).registry()->publisher()->to_string();
  CHECK(text_of(published, "publisher") == publisher);

  const Span put = watched.only(2, "p2p.dht.put");
  CHECK(put.parent == published.context.span);
  CHECK(put.context.trace == published.context.trace);
  CHECK(put.start == published.start);
  CHECK(put.end > put.start);
  CHECK(number_of(put, "dht.stored") == 3);
  CHECK(number_of(put, "dht.failed") == 0);
  CHECK(text_of(put, "dht.key") == "1220" + base::to_hex(tabs.archive.root));

  // Entry 0 of the log holds the keys, and 1 the release.
  const auto received = watched.named(0, "p2p.package.receive");
  REQUIRE(received.size() == 2);
  CHECK(number_of(received[1], "seq") == 1);
  CHECK(text_of(received[1], "entry.id") == text_of(published, "entry.id"));
  CHECK(text_of(received[1], "package.name") == "tabs");
  CHECK(text_of(received[1], "publisher") == publisher);
  CHECK(text_of(received[1], "from") != watched.net.node(0).id().to_string());
  CHECK(watched.named(2, "p2p.package.receive").empty());

  for (const auto& [name, found] : {std::pair{"tabs", true}, std::pair{"spaces", false}}) {
    const auto reference = *registry::Reference::parse(name);
    const Parent span = watched.tracker(0).resolve_started(reference, watched.net.now);
    watched.tracker(0).resolve_done(
        span, watched.net.node(0).registry()->catalog().resolve(reference), watched.net.now);
    const Span resolve = watched.named(0, "p2p.package.resolve").back();
    CHECK(text_of(resolve, "reference") == name);
    CHECK(flag_of(resolve, "found") == found);
    CHECK(resolve.error.has_value() == !found);
    if (found) CHECK(text_of(resolve, "version") == "1.0.0");
  }
}

TEST_CASE("telemetry: a record that nobody took is tried again, as a part of the same publish") {
  Watched watched;
  const auto lonely = watched.add();
  publish(watched, lonely, node::test::package("tabs", 1000));
  watched.net.run_for(1s);
  const Span published = watched.only(lonely, "p2p.package.publish");
  CHECK(watched.only(lonely, "p2p.dht.put").error == "nobody took it");
  watched.add({watched.net[lonely].address});
  watched.net.run_until([&] { return watched.named(lonely, "p2p.dht.put").size() == 2; });
  const auto puts = watched.named(lonely, "p2p.dht.put");
  CHECK_FALSE(puts[1].error);
  CHECK(number_of(puts[1], "dht.stored") == 1);
  for (const Span& put : puts) CHECK(put.parent == published.context.span);
}

TEST_CASE("telemetry: publishes with one parent are siblings") {
  Watched watched;
  watched.add_many(3);
  const SpanContext all{{1, 2}, {3}};
  for (const std::size_t i : {0, 1, 2}) {
    publish(watched, i, node::test::package("tabs", 1000 + i), all);
  }
  for (const std::size_t i : {0, 1, 2}) {
    const Span span = watched.only(i, "p2p.package.publish");
    CHECK(span.parent == all.span);
    CHECK(span.context.trace == all.trace);
  }
}

TEST_CASE("telemetry: a publish that is refused fails, and no record is a part of it") {
  Watched watched;
  watched.add_many(2);
  const Package tabs = node::test::package("tabs", 1000);
  registry::OperationId id = 0;
  watched.net.drive(1, [&](Node& n) {  // the archive is not there
    id = n.registry(watched.net.now).publish(tabs.metadata, tabs.archive, watched.net.now);
    watched.tracker(1).publish_started(id, n.id(), tabs.metadata, tabs.archive, watched.net.now);
  });
  watched.net.run_until([&] { return !watched.named(1, "p2p.package.publish").empty(); });
  const Span refused = watched.only(1, "p2p.package.publish");
  CHECK(refused.error == std::string(to_string(registry::PublishError::kNoArchive)));
  CHECK(find(refused.attributes, "entry.id") == nullptr);
  watched.tracker(1).observe(registry::Output{event::Provided{tabs.archive.root, {}, {1, 0}, {}}},
                             watched.net.now);
  CHECK_FALSE(watched.only(1, "p2p.dht.put").parent);
}

TEST_CASE("telemetry: a fetch says what it brought, and from how many") {
  Watched watched;
  watched.add_many(3);
  const Package tabs = node::test::package("tabs", 3 * 256 * 1024 + 7);
  publish(watched, 1, tabs);
  watched.net.run_for(1s);
  node::test::fetch(watched.net, 2, tabs, [&](registry::OperationId id) {
    watched.tracker(2).fetch_started(id, tabs.archive, watched.net.now);
  });
  const Span fetch = watched.only(2, "p2p.package.fetch");
  CHECK_FALSE(fetch.error);
  CHECK(text_of(fetch, "result") == "fetched");
  CHECK(number_of(fetch, "bytes") == static_cast<std::int64_t>(tabs.archive.packed_size));
  CHECK(number_of(fetch, "providers") == 1);
  CHECK(number_of(fetch, "resumed_chunks") == 0);
  REQUIRE(fetch.events.size() == 1);
  CHECK(fetch.events[0].name == "source");
  const Attributes source{{"peer.id", watched.net.node(1).id().to_string()},
                          {"chunks", std::int64_t{4}},
                          {"bytes", number_of(fetch, "bytes")},
                          {"bad_chunks", std::int64_t{0}}};
  CHECK(fetch.events[0].attributes == source);
  // Whoever has fetched provides, and nobody here published it.
  watched.net.run_for(1s);
  CHECK_FALSE(watched.only(2, "p2p.dht.put").parent);
}

TEST_CASE("telemetry: a fetch that goes on counts what was there, and says why it failed") {
  SpanTracker tracker = lone_tracker();
  const Package tabs = node::test::package("tabs", 10 * 256 * 1024);
  const base::Instant at{1s};
  const event::FetchSource source{multiformats::PeerId::of(node::test::key_of(7).public_key()), 4,
                                  4 * 256 * 1024, 1};
  for (const registry::OperationId id : {1, 2}) {
    tracker.fetch_started(id, tabs.archive, at);
    tracker.observe(registry::Output{event::FetchProgress{id, 10, 7, 4 * 256 * 1024, 1}}, at);
  }
  tracker.observe(registry::Output{event::FetchDone{
                      1, std::unexpected(registry::FetchError::kUnavailable), {source}, 1s}},
                  at + 1s);
  const auto failed = tracker.poll();
  REQUIRE(failed);
  CHECK(failed->error == std::string(to_string(registry::FetchError::kUnavailable)));
  CHECK(number_of(*failed, "resumed_chunks") == 3);
  CHECK(failed->end - failed->start == 1s);
  tracker.observe(registry::Output{event::FetchDone{2, {}, {source}, 1s}}, at + 1s);
  const auto done = tracker.poll();
  REQUIRE(done);
  CHECK_FALSE(done->error);
  CHECK(number_of(*done, "resumed_chunks") == 6);
  CHECK(number_of(*done, "bytes") == 4 * 256 * 1024);
}

TEST_CASE("telemetry: a search tells what was asked and found") {
  Watched watched;
  watched.add_many(3);
  publish(watched, 1, node::test::package("tabs", 1000));
  watched.net.run_for(1s);
  registry::SearchRequest request;
  request.words = {"tabs"};
  request.tag = "";
  watched.net.drive(0, [&](Node& n) {
    const auto id = n.registry(watched.net.now).search(request, 2s, watched.net.now);
    watched.tracker(0).search_started(id, request, watched.net.now);
  });
  watched.net.run_until([&] { return !watched.named(0, "p2p.package.search").empty(); });
  const Span search = watched.only(0, "p2p.package.search");
  CHECK(text_of(search, "query") == "tabs");
  CHECK(number_of(search, "hits") == 1);
  CHECK(number_of(search, "asked") == 2);
  CHECK(number_of(search, "answered") == 2);
  CHECK_FALSE(flag_of(search, "timed_out"));
  CHECK_FALSE(search.error);
}

TEST_CASE("telemetry: a search that was not answered in time is an error, with what it has") {
  SpanTracker tracker = lone_tracker();
  registry::SearchRequest request;
  request.words = {"json", "parser"};
  request.category = "text";
  tracker.search_started(5, request, base::Instant{});
  tracker.observe(registry::Output{event::SearchDone{5, {}, 3, 1, true}}, base::Instant{1s});
  const auto search = tracker.poll();
  REQUIRE(search);
  CHECK(search->error == "Timeout");
  CHECK(text_of(*search, "query") == "json parser category:text");
  CHECK(flag_of(*search, "timed_out"));
  CHECK(number_of(*search, "answered") == 1);
  CHECK(search->end - search->start == 1s);
}

TEST_CASE("telemetry: queries of the DHT have their hops as events") {
  Watched watched;
  watched.add_many(5);
  auto& net = watched.net;
  const std::vector<std::uint8_t> key{1, 2, 3, 4};
  const auto ask = [&](std::size_t index, const auto& start) {
    const std::size_t before = watched.spans(index).size();
    net.drive(index, start);
    net.run_until([&] { return watched.spans(index).size() > before; });
    return watched.spans(index).back();
  };
  const Span put = ask(1, [&](Node& n) {
    watched.tracker(1).dht_put_started(*n.kad(net.now).provide(key, net.now), key, net.now);
  });
  CHECK(put.name == "p2p.dht.put");
  CHECK(text_of(put, "dht.key") == "01020304");
  CHECK(number_of(put, "dht.stored") == 4);
  CHECK_FALSE(put.error);

  const Span providers = ask(2, [&](Node& n) {
    watched.tracker(2).find_providers_started(*n.kad(net.now).find_providers(key, 0, net.now), key,
                                              net.now);
  });
  CHECK(providers.name == "p2p.dht.find_providers");
  CHECK(number_of(providers, "providers") == 1);
  REQUIRE_FALSE(providers.events.empty());
  CHECK(providers.events[0].name == "hop");
  CHECK(find(providers.events[0].attributes, "peer.id") != nullptr);
  CHECK(providers.events.size() == static_cast<std::size_t>(number_of(providers, "dht.asked")));

  const Span closest = ask(2, [&](Node& n) {
    watched.tracker(2).dht_closest_started(*n.kad(net.now).closest(key, net.now), key, net.now);
  });
  CHECK(closest.name == "p2p.dht.closest");
  CHECK(number_of(closest, "peers") == 4);
  CHECK_FALSE(closest.events.empty());

  const auto wanted = net.node(4).id();
  const Span peer = ask(3, [&](Node& n) {
    watched.tracker(3).find_peer_started(n.kad(net.now).find_peer(wanted, net.now), wanted,
                                         net.now);
  });
  CHECK(peer.name == "p2p.dht.find_peer");
  CHECK(text_of(peer, "peer.id") == wanted.to_string());
  CHECK(flag_of(peer, "found"));

  std::optional<kad::QueryId> cancelled;
  net.drive(3, [&](Node& n) {
    cancelled = n.kad(net.now).find_peer(wanted, net.now);
    watched.tracker(3).find_peer_started(*cancelled, wanted, net.now);
  });
  net.drive(3, [&](Node& n) { n.kad(net.now).cancel(*cancelled); });
  watched.tracker(3).query_cancelled(*cancelled, net.now);
  CHECK(watched.tracker(3).open() == 0);
}

TEST_CASE("telemetry: a value that is put and got, and one that is not there") {
  SpanTracker tracker = lone_tracker();
  const std::vector<std::uint8_t> key{'/', 'v', '/', 'x'};
  const kad::QueryId got{1, 1};
  const kad::QueryId late{2, 1};
  tracker.dht_get_started(got, key, base::Instant{});
  tracker.dht_get_started(late, key, base::Instant{});
  tracker.observe(kad::QueryDone{got,
                                 kad::result::FoundValue{base::Bytes{1}, 2, 1, 0},
                                 {kad::QueryEnd::kEnough, 5, 4, 1, 2, false, 1s}},
                  base::Instant{1s});
  tracker.observe(
      kad::QueryDone{
          late, kad::result::FoundValue{}, {kad::QueryEnd::kTimeout, 5, 0, 5, 0, false, 60s}},
      base::Instant{60s});
  const auto found = tracker.poll();
  REQUIRE(found);
  CHECK(found->name == "p2p.dht.get");
  CHECK(flag_of(*found, "found"));
  CHECK(number_of(*found, "dht.same") == 2);
  CHECK(number_of(*found, "dht.answered") == 4);
  CHECK_FALSE(found->error);
  const auto missed = tracker.poll();
  REQUIRE(missed);
  CHECK_FALSE(flag_of(*missed, "found"));
  CHECK(missed->error == "Timeout");
}

TEST_CASE("telemetry: memory is bounded, and what is left out is counted") {
  SpanTracker tracker = lone_tracker({.max_open = 3, .max_finished = 2, .max_events = 4});
  const registry::SearchRequest request;
  for (registry::OperationId id = 1; id <= 10; ++id) {
    CHECK(tracker.search_started(id, request, base::Instant{}).has_value() == (id <= 3));
  }
  CHECK(tracker.open() == 3);
  CHECK(tracker.dropped() == 7);
  for (registry::OperationId id = 1; id <= 10; ++id) {
    tracker.observe(registry::Output{event::SearchDone{id, {}, 0, 0, false}}, base::Instant{});
  }
  CHECK(tracker.open() == 0);
  CHECK(tracker.dropped() == 8);  // two finished ones wait for whoever polls

  const auto peer = multiformats::PeerId::of(node::test::key_of(7).public_key());
  const kad::QueryId query{1, 1};
  CHECK(tracker.poll());
  tracker.find_peer_started(query, peer, base::Instant{});
  for (int i = 0; i < 10; ++i) {
    tracker.observe(kad::QueryHop{query, peer, kad::MessageType::kFindNode}, base::Instant{});
  }
  tracker.query_cancelled(query, base::Instant{});
  CHECK(tracker.poll());
  const auto span = tracker.poll();
  REQUIRE(span);
  CHECK(span->events.size() == 4);
  CHECK(span->dropped_events == 6);
}

TEST_CASE("telemetry: dials without end stay within the limit") {
  SpanTracker tracker = lone_tracker({.max_open = 16});
  const auto address = *multiformats::Multiaddr::parse("/ip4/10.0.0.1/tcp/1");
  for (std::uint32_t i = 0; i < 1000; ++i) {
    tracker.observe(swarm::Output{swarm::output::Dial{{i, 1}, address}}, base::Instant{});
  }
  CHECK(tracker.open() == 16);
  CHECK(tracker.dropped() == 984);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    tracker.observe(swarm::Output{swarm::output::CancelDial{{i, 1}}}, base::Instant{});
  }
  CHECK(tracker.open() == 0);
}
