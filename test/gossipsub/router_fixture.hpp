#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/varint.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "../support/peers.hpp"
#include "../support/scripted_peer.hpp"

namespace ggen::p2p::test {

inline constexpr std::string_view kTopic = "topic";

/// A router whose only peer does as the test says.
struct RouterFixture {
  explicit RouterFixture(const gossipsub::Config& config = {})
      : engine(config, crypto, key, 1000, base::Prng{3}) {
    remote.call([&](gossipsub::Engine& e) { e.subscribe(kTopic, remote.now()); });
  }

  void connect(std::vector<std::string> protocols = {"/meshsub/1.2.0"},
               connection::Direction direction = connection::Direction::kInbound) {
    remote.call([&](gossipsub::Engine& e) {
      e.peer_supports(peer_id(2), protocols, {direction}, remote.now());
    });
    outbound = remote.accept_open();
    inbound = remote.open(protocols.front());
  }
  void send(base::BytesView rpc) { remote.send(inbound, base::encode_frame(rpc).view()); }
  void send_control(base::BytesView control) {
    remote.send(inbound, gossipsub::control_frame({}, control).view());
  }
  // What the engine has written since the last call, as one RPC each.
  std::vector<base::Bytes> written() {
    base::Buffer data = base::Buffer::copy_of(remote.seen(outbound).written);
    data.remove_prefix(read);
    read += data.size();
    std::vector<base::Bytes> frames;
    base::FrameDecoder decoder{1 << 20};
    for (;;) {
      const auto frame = decoder.take(data);
      REQUIRE(frame.has_value());
      if (!*frame) return frames;
      frames.push_back(base::to_bytes((*frame)->view()));
    }
  }
  std::size_t prunes_written() {
    std::size_t count = 0;
    for (const auto& frame : written()) count += gossipsub::decode_rpc(frame, {})->prune.size();
    return count;
  }
  std::size_t offences(gossipsub::Offence offence) {
    std::size_t count = 0;
    for (const auto& event : remote.take_events<gossipsub::Misbehaved>()) {
      CHECK(event.peer == peer_id(2));
      count += event.offence == offence ? 1 : 0;
    }
    return count;
  }
  double score() { return *engine.score(peer_id(2)); }
  std::vector<gossipsub::Validate> asked() { return remote.take_events<gossipsub::Validate>(); }

  SeededCrypto crypto{1};
  crypto::KeyPair key = key_pair(1);
  gossipsub::Engine engine;
  ScriptedPeer<gossipsub::Engine> remote{engine, peer_id(2)};
  connection::StreamRef outbound;
  connection::StreamRef inbound;
  std::size_t read = 0;
};

/// A message as `author` signs it.
struct Draft {
  std::uint8_t author = 2;
  std::uint64_t seqno = 1;
  std::string data = "data";
  std::string topic{kTopic};

  [[nodiscard]] base::Bytes signed_message() const {
    const multiformats::PeerId from = peer_id(author);
    base::Bytes number(8);
    base::store_big_endian(number.data(), seqno);
    gossipsub::MessageView view;
    view.from = from.bytes();
    view.data = base::as_bytes(data);
    view.seqno = number;
    view.topic = topic;
    const auto signature = key_pair(author).sign(gossipsub::signed_bytes(view));
    view.signature = signature;
    return gossipsub::encode_message(view);
  }
  [[nodiscard]] base::Bytes rpc() const { return field(2, signed_message()); }

  static base::Bytes field(std::uint8_t number, base::BytesView contents) {
    base::Bytes out = {static_cast<std::uint8_t>(number << 3 | 2)};
    base::append_varint(out, contents.size());
    base::append(out, contents);
    return out;
  }
};

}  // namespace ggen::p2p::test
