#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/node/channel_factory.hpp>
#include <ggen/p2p/sim/message_channel.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>

#include "../support/peers.hpp"

namespace ggen::p2p::sim::test {

/// An observer of which only what it must not do is checked.
class StrictObserver final : public StreamObserver {
 public:
  struct Seen {
    std::string protocol;
    connection::Direction direction{};
    base::Bytes sent;
    base::Bytes received;
    std::optional<connection::StreamEnd> end;
  };

  std::unique_ptr<StreamWatch> opened(connection::StreamRef stream, connection::Direction direction,
                                      std::string_view protocol) override {
    const auto [at, fresh] = streams.try_emplace(stream);
    REQUIRE(fresh);
    at->second.direction = direction;
    at->second.protocol = protocol;
    if (protocol == unwatched) return nullptr;
    return std::make_unique<Watch>(alive(stream));
  }
  void closed(connection::StreamRef stream, connection::StreamEnd end) override {
    alive(stream).end = end;
  }

  std::map<connection::StreamRef, Seen> streams;
  std::string unwatched;  // a protocol

 private:
  class Watch final : public StreamWatch {
   public:
    explicit Watch(Seen& seen) : seen_(seen) {}
    void sent(base::BytesView bytes) override {
      REQUIRE_FALSE(bytes.empty());
      REQUIRE_FALSE(seen_.end);
      base::append(seen_.sent, bytes);
    }
    void received(base::BytesView bytes) override {
      REQUIRE_FALSE(bytes.empty());
      REQUIRE_FALSE(seen_.end);
      base::append(seen_.received, bytes);
    }

   private:
    Seen& seen_;
  };

  Seen& alive(connection::StreamRef stream) {
    const auto at = streams.find(stream);
    REQUIRE(at != streams.end());
    REQUIRE_FALSE(at->second.end);
    return at->second;
  }
};

enum class ChannelKind { kSecure, kMessage, kObserved };
inline constexpr std::array kChannelKinds{ChannelKind::kSecure, ChannelKind::kMessage,
                                          ChannelKind::kObserved};
inline const char* to_string(ChannelKind kind) {
  constexpr std::array kNames{"secure", "message", "observed"};
  return kNames[static_cast<std::size_t>(kind)];
}

struct PairOptions {
  MessageChannelConfig config;
  bool expect_listener = true;
  bool expect_stranger = false;
  std::size_t chunk = SIZE_MAX;  ///< bytes delivered at once, at most
};

/// One end of a Pair: a channel and what it has reported.
struct End {
  End(ChannelKind kind, connection::Direction channel_direction, std::uint8_t number,
      std::optional<multiformats::PeerId> expected, const MessageChannelConfig& config)
      : key(p2p::test::key_pair(number)),
        id(multiformats::PeerId::of(key.public_key())),
        crypto(number),
        channels(make_channels(kind, config)),
        channel(channels->make({number, 1}, channel_direction, std::move(expected), protocols,
                               base::Instant{})) {}

  std::unique_ptr<node::ChannelFactory> make_channels(ChannelKind kind,
                                                      const MessageChannelConfig& config) {
    if (kind == ChannelKind::kMessage) return make_message_channels(config, key);
    if (kind == ChannelKind::kObserved)
      return observe(make_message_channels(config, key), observer);
    connection::Config real;
    real.handshake_timeout = config.handshake_timeout;
    real.stream_negotiation_timeout = config.stream_negotiation_timeout;
    real.max_outbound_streams = config.max_outbound_streams;
    real.yamux.max_inbound_streams = config.max_inbound_streams;
    real.yamux.max_pending_refusals = config.max_pending_refusals;
    real.yamux.send_queue_limit = config.send_queue_limit;
    return node::make_secure_channels(real, crypto, key);
  }

  [[nodiscard]] std::string text(connection::StreamId stream) const {
    const auto found = received.find(stream);
    return found == received.end() ? "" : std::string{base::as_text(found->second)};
  }

  crypto::KeyPair key;
  multiformats::PeerId id;
  p2p::test::SeededCrypto crypto;
  StrictObserver observer;
  connection::ProtocolSet protocols;
  std::unique_ptr<node::ChannelFactory> channels;
  std::unique_ptr<connection::Channel> channel;

  bool consuming = true;
  std::optional<connection::event::Secured> secured;
  std::optional<connection::event::Closed> closed;
  std::vector<connection::event::StreamOpened> opened;
  std::map<connection::StreamId, base::Bytes> received;
  std::map<connection::StreamId, std::size_t> unconsumed;
  std::map<connection::StreamId, connection::StreamEnd> ended;
  std::vector<connection::StreamId> finished;
  std::vector<connection::StreamId> writable;
  std::size_t pieces = 0;  // StreamData events
};

/// Two channels of one kind joined by a byte stream, stepped in virtual time. Checks of each event
/// that it may come now.
class Pair {
 public:
  explicit Pair(ChannelKind kind, PairOptions options = {})
      : listener(kind, connection::Direction::kInbound, 2, std::nullopt, options.config),
        dialer(kind, connection::Direction::kOutbound, 1, expected(options), options.config),
        chunk(options.chunk) {}

  Pair(const Pair&) = delete;  // the channels refer to what is in it
  Pair& operator=(const Pair&) = delete;

  /// Lets `act` work on the channel of one end, and delivers what follows until nothing moves.
  template <class Act>
  void at(End& end, Act&& act) {
    step(end, act);
    settle();
  }
  template <class Act>
  void step(End& end, Act&& act) {
    base::step(
        *end.channel, now, [&](connection::Channel& channel) { act(channel); },
        [&](connection::ChannelEvent event) { note(end, std::move(event)); });
    if (end.consuming) consume_all(end);
  }
  void consume_all(End& end) {
    for (auto& [stream, size] : end.unconsumed) {
      if (const std::size_t all = std::exchange(size, 0)) {
        step(end, [&](connection::Channel& channel) { channel.consume(stream, all, now); });
      }
    }
  }

  void settle() {
    for (bool moved = true; moved;) {
      moved = move(dialer, listener);
      moved = move(listener, dialer) || moved;
    }
  }

  /// Goes to the next deadline of either end. False when there is none.
  bool advance() {
    const auto next =
        base::earlier(dialer.channel->next_deadline(), listener.channel->next_deadline());
    if (!next) return false;
    now = *next;
    step(dialer, [](connection::Channel&) {});
    step(listener, [](connection::Channel&) {});
    settle();
    return true;
  }

  /// One span's worth from one end to the other. False when there was nothing.
  bool move(End& from, End& to) {
    if (!from.channel->wants_transmit()) return false;
    std::size_t size = 0;
    step(from, [&](connection::Channel& channel) { size = channel.transmit(span_, now); });
    REQUIRE(size > 0);
    for (std::size_t at = 0; at < size;) {
      const std::size_t piece = std::min(chunk, size - at);
      step(to, [&](connection::Channel& channel) {
        channel.receive(base::MutableBytes{span_}.subspan(at, piece), now);
      });
      at += piece;
    }
    return true;
  }

  base::Instant now;
  End listener;
  End dialer;
  std::size_t chunk;

 private:
  std::optional<multiformats::PeerId> expected(const PairOptions& options) const {
    if (options.expect_stranger) return p2p::test::peer_id(9);
    return options.expect_listener ? std::optional{listener.id} : std::nullopt;
  }

  // A stream about which there may still be events.
  static void check_alive(const End& end, connection::StreamId stream) {
    REQUIRE_FALSE(end.ended.contains(stream));
  }

  static void note(End& end, connection::ChannelEvent event) {
    namespace event_ = connection::event;
    REQUIRE_FALSE(end.closed);  // Closed is the last event
    if (auto* secured = std::get_if<event_::Secured>(&event)) {
      REQUIRE_FALSE(end.secured);
      end.secured = *secured;
    } else if (auto* opened = std::get_if<event_::StreamOpened>(&event)) {
      REQUIRE(end.secured);
      check_alive(end, opened->stream);
      for (const auto& other : end.opened) REQUIRE(other.stream != opened->stream);
      end.opened.push_back(*opened);
    } else if (auto* data = std::get_if<event_::StreamData>(&event)) {
      check_alive(end, data->stream);
      REQUIRE_FALSE(data->data.empty());
      REQUIRE(std::ranges::find(end.finished, data->stream) == end.finished.end());
      base::append(end.received[data->stream], data->data.view());
      end.unconsumed[data->stream] += data->data.size();
      ++end.pieces;
    } else if (auto* writable = std::get_if<event_::StreamWritable>(&event)) {
      check_alive(end, writable->stream);
      end.writable.push_back(writable->stream);
    } else if (auto* finished = std::get_if<event_::StreamFinished>(&event)) {
      check_alive(end, finished->stream);
      REQUIRE(std::ranges::find(end.finished, finished->stream) == end.finished.end());
      end.finished.push_back(finished->stream);
    } else if (auto* ended = std::get_if<event_::StreamClosed>(&event)) {
      check_alive(end, ended->stream);
      end.ended[ended->stream] = ended->end;
    } else if (auto* closed = std::get_if<event_::Closed>(&event)) {
      end.closed = *closed;
    }
  }

  base::Bytes span_ = base::Bytes(128 * 1024);
};

}  // namespace ggen::p2p::sim::test
