#include <doctest/doctest.h>

#include "watched.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::telemetry;
using namespace ggen::p2p::telemetry::test;

TEST_CASE("telemetry: finding the network is an init with its connections, then their check") {
  Watched watched;
  const auto first = watched.add();
  const auto second = watched.add({watched.net[first].address});
  watched.net.run_until([&] { return !watched.named(second, "p2p.network.init").empty(); });

  const Span init = watched.only(second, "p2p.network.init");
  const Span connect = watched.only(second, "p2p.peer.connect");
  const Span verify = watched.only(second, "p2p.peer.verify_connection");
  CHECK_FALSE(init.parent);
  CHECK(connect.parent == init.context.span);
  CHECK(verify.parent == connect.context.span);
  CHECK(connect.context.trace == init.context.trace);
  CHECK(verify.context.trace == init.context.trace);
  CHECK_FALSE(init.error);
  CHECK(text_of(init, "peer.id") == watched.net.node(second).id().to_string());
  CHECK(number_of(init, "bootstrap.addresses") == 1);

  CHECK(connect.kind == SpanKind::kClient);
  CHECK(text_of(connect, "peer.id") == watched.net.node(first).id().to_string());
  CHECK(text_of(connect, "net.address") == watched.net[first].address.to_string());
  CHECK(text_of(connect, "direction") == "outbound");
  CHECK(text_of(connect, "outcome") == "connected");
  CHECK(text_of(verify, "agent") == "ggen-p2p/0.1.0");
  CHECK(number_of(verify, "protocols") > 5);

  CHECK(init.start == kWall);
  CHECK(connect.start == kWall);  // the dial, not its success
  CHECK(connect.end - connect.start > 10ms);
  CHECK(verify.start == connect.end);
  CHECK(verify.end > verify.start);
  CHECK(init.end == verify.end);
  CHECK(watched.position(second, connect) < watched.position(second, verify));
  CHECK(watched.position(second, verify) < watched.position(second, init));

  // The other side: it waits for whoever comes.
  watched.net.run_until([&] { return !watched.named(first, "p2p.network.init").empty(); });
  const Span inbound = watched.only(first, "p2p.peer.connect");
  CHECK(inbound.kind == SpanKind::kServer);
  CHECK(text_of(inbound, "direction") == "inbound");
  CHECK(text_of(inbound, "peer.id") == watched.net.node(second).id().to_string());
  CHECK(inbound.parent == watched.only(first, "p2p.network.init").context.span);
}

TEST_CASE("telemetry: an init that reaches nobody fails, and the next attempt is another one") {
  Watched watched;
  const auto nowhere = *multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/1001");
  const auto node = watched.add({nowhere});
  watched.net.run_for(1s);
  const Span failed = watched.only(node, "p2p.network.init");
  CHECK(failed.error == "no bootstrap address could be reached");
  REQUIRE(failed.events.size() == 1);
  CHECK(failed.events[0].name == "bootstrap.failed");
  const Span refused = watched.only(node, "p2p.peer.connect");
  CHECK(refused.parent == failed.context.span);
  CHECK(refused.error == std::string(to_string(swarm::DialError::kRefused)));
  CHECK(text_of(refused, "outcome") == *refused.error);
  CHECK(watched.tracker(node).open() == 0);

  watched.add();  // listens at that address
  watched.net.run_until([&] { return watched.named(node, "p2p.network.init").size() == 2; });
  const auto inits = watched.named(node, "p2p.network.init");
  CHECK_FALSE(inits[1].error);
  CHECK(watched.named(node, "p2p.peer.connect").back().parent == inits[1].context.span);
}

TEST_CASE("telemetry: a connection after the init is a trace of its own") {
  Watched watched;
  watched.add_many(2);
  const auto third = watched.add();
  watched.net.connect(0, third);
  const auto connects = watched.named(0, "p2p.peer.connect");
  REQUIRE(connects.size() == 2);
  CHECK_FALSE(connects.back().parent);
  const Span verify = watched.named(0, "p2p.peer.verify_connection").back();
  CHECK(verify.parent == connects.back().context.span);
  CHECK(verify.context.trace == connects.back().context.trace);
}

TEST_CASE("telemetry: when a node stops, nothing stays open and nothing begins") {
  Watched watched;
  const auto first = watched.add();
  const auto second = watched.add({watched.net[first].address});
  watched.net.run_until([&] { return watched.net.node(second).connection_count() > 0; });
  CHECK(watched.tracker(second).open() > 1);
  watched.tracker(second).stop(watched.net.now);
  CHECK(watched.tracker(second).open() == 0);
  const auto& ended = watched.spans(second);
  REQUIRE(ended.size() == 2);
  CHECK(ended[0].name == "p2p.network.init");  // in the order in which they began
  CHECK(ended[1].name == "p2p.peer.connect");
  for (const Span& span : ended) CHECK(span.error == "the node stopped");

  watched.net.drive(second, [&](Node& n) { n.stop(watched.net.now); });
  watched.net.run_for(5s);
  const auto reference = *registry::Reference::parse("tabs");
  CHECK_FALSE(watched.tracker(second).resolve_started(reference, watched.net.now));
  CHECK(watched.tracker(second).open() == 0);
  CHECK(watched.spans(second).size() == 2);
}

TEST_CASE("telemetry: after goodbyes, a tracker that was told of everything holds nothing") {
  Watched watched;
  watched.add_many(4);
  for (std::size_t i = 0; i < 4; ++i) {
    watched.net.drive(i, [&](Node& n) { n.stop(watched.net.now); });
  }
  watched.net.run_for(5s);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(watched.net.node(i).connection_count() == 0);
    CHECK(watched.tracker(i).open() == 0);
  }
}

TEST_CASE("telemetry: the same seeds give the same spans") {
  const auto run = [] {
    Watched watched;
    watched.add_many(4);
    std::vector<Span> all;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto& spans = watched.spans(i);
      all.insert(all.end(), spans.begin(), spans.end());
    }
    return all;
  };
  const auto once = run();
  CHECK(once.size() > 12);
  CHECK(once == run());
}
