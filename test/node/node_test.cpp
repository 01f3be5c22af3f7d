#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "network.hpp"

using namespace ggen::p2p;
using node::Node;
using node::test::Network;
using namespace std::chrono_literals;

namespace {

reqresp::Service echo_service() {
  reqresp::Service service;
  service.protocol = "/ggen/echo/1.0.0";
  return service;
}

}  // namespace

TEST_CASE("node: connects, identifies and pings in virtual time") {
  Network net;
  const auto a = net.add();
  const auto b = net.add();
  net.connect(a, b);
  const auto* identified = net.last<identify::Identified>(a);
  CHECK(identified->peer == net.node(b).id());
  CHECK(identified->info.agent_version == "ggen-p2p/0.1.0");
  CHECK(identified->info.listen_addrs == std::vector{net[b].address});
  // What identify said is in the address book, certified.
  CHECK_FALSE(net.node(a).swarm().signed_record(net.node(b).id()).empty());

  net.drive(a, [&](Node& n) { n.ping(net.now).ping(net.node(b).id(), std::nullopt, net.now); });
  net.run_until([&] { return net.last<ping::PingDone>(a) != nullptr; });
  const auto round_trip = net.last<ping::PingDone>(a)->round_trip;
  REQUIRE(round_trip);
  CHECK(*round_trip == 10ms);  // twice the latency: negotiation was lazy
}

TEST_CASE("node: a stream to a peer that is only known by address dials it first") {
  Network net;
  const auto a = net.add();
  const auto b = net.add();
  net.drive(b, [&](Node& n) { n.handle_protocol("/app/1", net.now); });
  net.drive(a, [&](Node& n) {
    n.swarm(net.now).add_addresses(net.node(b).id(), std::vector{net[b].address},
                                   swarm::AddressSource::kUser, 1h, net.now);
    n.open_stream(net.node(b).id(), {"/app/1"}, net.now);
  });
  net.run_until([&] { return net.last<connection::StreamInput>(b) != nullptr; });
  const auto* opened =
      std::get_if<connection::stream_input::Opened>(net.last<connection::StreamInput>(b));
  REQUIRE(opened);
  CHECK(opened->protocol == "/app/1");
  CHECK(opened->peer == net.node(a).id());
}

TEST_CASE("node: a stream to nobody fails with a reason") {
  Network net;
  const auto a = net.add();
  const auto stranger = multiformats::PeerId::of(
      crypto::KeyPair::from_seed(std::array<std::uint8_t, 32>{9}).public_key());
  net.drive(a, [&](Node& n) { n.open_stream(stranger, {"/app/1"}, net.now); });
  net.run_until([&] { return net.last<connection::StreamInput>(a) != nullptr; });
  const auto* failed =
      std::get_if<connection::stream_input::OpenFailed>(net.last<connection::StreamInput>(a));
  REQUIRE(failed);
  CHECK(failed->failure == connection::OpenFailure::kNotConnected);
}

TEST_CASE("node: requests and responses with a body") {
  Network net;
  const auto a = net.add();
  const auto b = net.add();
  reqresp::ServiceId at_a{};
  net.drive(a, [&](Node& n) { at_a = n.serve(echo_service(), net.now); });
  net.drive(b, [&](Node& n) { n.serve(echo_service(), net.now); });
  net.connect(a, b);

  net.drive(a, [&](Node& n) {
    reqresp::MapBuilder question;
    question.text("word", "hello");
    n.requests(net.now).request(net.node(b).id(), at_a, question, 5s, net.now);
  });
  net.run_until([&] { return net.last<reqresp::Request>(b) != nullptr; });
  const auto* request = net.last<reqresp::Request>(b);
  CHECK(request->peer == net.node(a).id());
  const base::Bytes body(100'000, 7);
  net.drive(b, [&](Node& n) {
    reqresp::MapBuilder answer;
    answer.text("word", "hello to you");
    n.requests(net.now).respond(request->id, answer, body.size(), net.now);
    n.requests(net.now).write_body(request->id, base::Buffer::copy_of(body), net.now);
    n.requests(net.now).finish(request->id, net.now);
  });
  net.run_until([&] {
    if (const auto* part = net.last<reqresp::ResponseBody>(a)) {
      net.drive(a, [&](Node& n) { n.requests(net.now).consume(part->id, 0, net.now); });
    }
    return net.last<reqresp::RequestDone>(a) != nullptr;
  });
  CHECK(net.last<reqresp::RequestDone>(a)->result.has_value());
  std::size_t received = 0;
  for (const auto& output : net[a].seen) {
    if (const auto* part = std::get_if<reqresp::ResponseBody>(&output)) {
      received += part->data.size();
    }
  }
  CHECK(received == body.size());
}

TEST_CASE("node: perf moves its bytes in both directions") {
  node::Config config;
  config.serve_perf = true;
  Network net;
  const auto a = net.add();
  const auto b = net.add(config);
  net.connect(a, b);
  net.drive(a,
            [&](Node& n) { n.perf(net.now).run(net.node(b).id(), 3'000'000, 2'000'000, net.now); });
  net.run_until([&] { return net.last<perf::PerfDone>(a) != nullptr; });
  const auto& result = net.last<perf::PerfDone>(a)->result;
  REQUIRE(result);
  CHECK(result->uploaded == 3'000'000);
  CHECK(result->downloaded == 2'000'000);
}

TEST_CASE("node: a new protocol is told to those who are connected") {
  Network net;
  const auto a = net.add();
  const auto b = net.add();
  net.connect(a, b);
  net.drive(b, [&](Node& n) { n.handle_protocol("/app/1", net.now); });
  net.run_until([&] { return net.last<identify::Pushed>(a) != nullptr; });
  const auto& protocols = net.last<identify::Pushed>(a)->info.protocols;
  CHECK(std::ranges::count(protocols, "/app/1") == 1);
}

TEST_CASE("node: an idle connection is kept alive, a dead one is found out") {
  Network net;
  const auto a = net.add();
  const auto b = net.add();
  net.connect(a, b);
  net.run_for(10min);
  CHECK(net.node(a).swarm().connected(net.node(b).id()));
  net.cut(b);
  net.run_until([&] { return !net.node(a).swarm().connected(net.node(b).id()); });
  CHECK(net.last<swarm::event::PeerDisconnected>(a)->peer == net.node(b).id());
}

TEST_CASE("node: after stop nothing is left, on either side") {
  Network net;
  const auto a = net.add();
  const auto b = net.add();
  net.drive(b, [&](Node& n) { n.handle_protocol("/app/1", net.now); });
  net.connect(a, b);
  net.drive(a, [&](Node& n) { n.open_stream(net.node(b).id(), {"/app/1"}, net.now); });
  net.run_for(1s);
  CHECK(net.node(a).stream_count() == 1);
  net.drive(a, [&](Node& n) { n.stop(net.now); });
  net.run_until(
      [&] { return net.node(a).connection_count() == 0 && net.node(b).connection_count() == 0; });
  CHECK(net.node(a).stream_count() == 0);
  CHECK(net.node(b).stream_count() == 0);
  CHECK(net.last<swarm::event::ConnectionClosed>(b)->record.cause.has_value());
}

TEST_CASE("node: the same run twice delivers the same bytes at the same times") {
  const auto run = [] {
    Network net;
    const auto a = net.add();
    const auto b = net.add();
    const auto c = net.add();
    net.connect(a, b);
    net.connect(c, b);
    net.run_for(2min);
    return net.trace();
  };
  CHECK(run() == run());
}
