#include "event_text.hpp"

#include <doctest/doctest.h>

using namespace ggen::p2p;
using namespace ggen::p2p::cli;

namespace {

swarm::ConnectionRecord record() {
  swarm::ConnectionRecord record;
  record.direction = connection::Direction::kInbound;
  record.remote = *multiformats::Multiaddr::parse("/ip4/192.0.2.1/tcp/9");
  record.cause = connection::CloseReason::kSecurityFailed;
  return record;
}

}  // namespace

TEST_CASE("event text: a connection that ends says why, with the detail of its channel") {
  EventText text;
  node::output::ChannelClosed detail;
  detail.detail = "bad signature";
  CHECK_FALSE(text(node::Output{detail}));
  const swarm::Output closed = swarm::event::ConnectionClosed{record()};
  const auto line = text(node::Output{closed});
  REQUIRE(line);
  CHECK(line->starts_with("gave up: /ip4/192.0.2.1/tcp/9, inbound: "));
  CHECK(line->ends_with(" (bad signature)"));
}

TEST_CASE("event text: a refusal says whom and why; routine says nothing") {
  EventText text;
  swarm::event::ConnectionRefused refused;
  refused.remote = record().remote;
  refused.reason = swarm::RefuseReason::kTooFast;
  const auto line = text(node::Output{swarm::Output{refused}});
  REQUIRE(line);
  CHECK(line->starts_with("refused: /ip4/192.0.2.1/tcp/9: "));
  CHECK_FALSE(text(node::Output{node::output::Transmit{}}));
}

TEST_CASE("event text: that providing falls behind is a warning, with how far") {
  EventText text;
  const auto line = text(node::Output{kad::ReprovideBehind{12, std::chrono::minutes{61}}});
  REQUIRE(line);
  CHECK(line->starts_with("warning: "));
  CHECK(line->contains(" 12 keys, "));
  CHECK(line->contains(" 61 minutes "));
}

TEST_CASE("event text: what a peer calls itself cannot touch the terminal") {
  EventText text;
  const std::string id = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  identify::Identified event{{}, *multiformats::PeerId::parse(id), {}};
  event.info.agent_version = "evil\x1b[2J\n";
  CHECK(text(node::Output{event}) == "identified " + id + ": evil?[2J?");
}
