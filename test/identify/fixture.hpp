#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/identify/engine.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"

namespace ggen::p2p::test {

inline multiformats::Multiaddr address(std::string_view text) {
  return multiformats::Multiaddr::parse(text).value();
}

/// What peer `number` says about itself.
inline identify::Info info_of(std::uint8_t number) {
  identify::Info info;
  info.protocol_version = "ipfs/0.1.0";
  info.agent_version = "peer/" + std::to_string(number);
  info.public_key = key_pair(number).public_key();
  info.listen_addrs = {address("/ip4/127.0.0.1/tcp/4001")};
  info.protocols = {std::string{identify::kProtocol}, std::string{identify::kPushProtocol}};
  return info;
}

inline base::Bytes framed(const identify::Info& info) {
  base::Bytes frames;
  for (const auto& message : identify::encode_messages(info, 4096, 10)) {
    base::append(frames, base::encode_frame(message).view());
  }
  return frames;
}

/// Reads what an engine has written to a stream.
inline identify::Info read_info(base::BytesView written) {
  identify::Info info;
  base::FrameDecoder decoder{8192};
  base::Buffer data = base::Buffer::copy_of(written);
  while (!data.empty()) {
    auto frame = decoder.take(data);
    REQUIRE(frame);
    REQUIRE(*frame);
    REQUIRE(identify::merge_message(info, (*frame)->view(), {}));
  }
  return info;
}

/// Peer 1 with a connection to peer 2, which is scripted.
struct IdentifyFixture {
  identify::Engine engine{identify::Config{}, info_of(1)};
  ScriptedPeer<identify::Engine> remote{engine, peer_id(2)};
  static constexpr connection::ConnectionId kConnection =
      ScriptedPeer<identify::Engine>::kConnection;

  void connect() {
    remote.call([&](identify::Engine& e) {
      e.connected(kConnection, peer_id(2), address("/ip4/192.0.2.7/tcp/50000"), remote.now());
    });
  }
  /// Connects and answers the question, so that only what follows matters.
  void connect_and_identify(const identify::Info& info = info_of(2)) {
    connect();
    const auto stream = remote.accept_open();
    remote.send(stream, framed(info));
    remote.finish(stream);
    remote.close(stream, connection::StreamEnd::kClosed);
    CHECK(remote.take_events<identify::Identified>().size() == 1);
  }
  void set_local(const identify::Info& info) {
    remote.call([&](identify::Engine& e) { e.set_local(info, remote.now()); });
  }
  void check_failed(identify::Error error) {
    const auto events = remote.take_events<identify::IdentifyFailed>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].connection == kConnection);
    CHECK(events[0].peer == peer_id(2));
    CHECK(events[0].error == error);
    CHECK(remote.no_events());
    CHECK_FALSE(remote.deadline());
  }
  void check_dropped(connection::StreamRef stream, identify::Error error) {
    CHECK(remote.seen(stream).reset);
    const auto events = remote.take_events<identify::InboundDropped>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].connection == kConnection);
    CHECK(events[0].peer == peer_id(2));
    CHECK(events[0].error == error);
    CHECK(remote.no_events());
  }
};

}  // namespace ggen::p2p::test
