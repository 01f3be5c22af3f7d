#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/connection/secure_channel.hpp>

namespace ggen::p2p::connection::test {

inline crypto::KeyPair identity(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return crypto::KeyPair::from_seed(bytes);
}

/// One end of a Pair: a channel, what it has reported, and the bytes on their way to it.
struct End {
  End(Direction channel_direction, std::uint8_t seed, const Config& config,
      std::vector<std::string> muxers, std::optional<multiformats::PeerId> expected,
      crypto::Crypto& crypto)
      : direction(channel_direction),
        key(identity(seed)),
        id(multiformats::PeerId::of(key.public_key())),
        static_key(noise::StaticKey::create(crypto, key, std::move(muxers))),
        shared{config, static_key, crypto},
        channel(shared, direction, std::move(expected), protocols, base::Instant{}) {}

  Direction direction;
  crypto::KeyPair key;
  multiformats::PeerId id;
  noise::StaticKey static_key;
  SecureChannel::Shared shared;
  ProtocolSet protocols;
  SecureChannel channel;

  std::optional<event::Secured> secured;
  std::optional<event::Closed> closed;
  std::vector<event::StreamOpened> opened;
  std::map<StreamId, base::Bytes> received;
  std::map<StreamId, StreamEnd> ended;
  std::vector<StreamId> finished;
  std::vector<StreamId> writable;
  bool consuming = true;
  base::Bytes incoming;

  [[nodiscard]] std::string text(StreamId id_of_stream) const {
    const auto found = received.find(id_of_stream);
    return found == received.end() ? "" : std::string{base::as_text(found->second)};
  }
};

struct PairOptions {
  Config config;
  std::vector<std::string> dialer_muxers{std::string{kYamuxProtocol}};
  std::vector<std::string> listener_muxers{std::string{kYamuxProtocol}};
  bool expect_listener = true;
  std::size_t chunk = SIZE_MAX;
};

/// Two channels joined by a byte stream that delivers everything at once, in pieces of `chunk`
/// bytes at most.
class Pair {
 public:
  explicit Pair(PairOptions options = {})
      : crypto_(crypto::make_system_crypto()),
        chunk(options.chunk),
        listener(Direction::kInbound, 2, options.config, options.listener_muxers, std::nullopt,
                 *crypto_),
        dialer(Direction::kOutbound, 1, options.config, options.dialer_muxers,
               options.expect_listener ? std::optional{listener.id} : std::nullopt, *crypto_) {}

  /// Lets `act` work on one end, and delivers what follows until nothing moves.
  template <class Act>
  void at(End& end, Act&& act) {
    step(end, act);
    settle();
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
        base::earlier(dialer.channel.next_deadline(), listener.channel.next_deadline());
    if (!next) return false;
    now = *next;
    step(dialer, [](SecureChannel&) {});
    step(listener, [](SecureChannel&) {});
    settle();
    return true;
  }

  [[nodiscard]] bool secured() const { return dialer.secured && listener.secured; }

  base::Instant now;

 private:
  std::unique_ptr<crypto::Crypto> crypto_;

 public:
  std::size_t chunk;
  End listener;
  End dialer;

 private:
  template <class Act>
  void step(End& end, Act&& act) {
    std::vector<std::pair<StreamId, std::size_t>> to_consume;
    const auto sink = [&](ChannelEvent event) { note(end, std::move(event), to_consume); };
    base::step(end.channel, now, act, sink);
    while (!to_consume.empty()) {
      auto batch = std::move(to_consume);
      to_consume.clear();
      for (const auto& [stream, size] : batch) {
        base::step(
            end.channel, now, [&](SecureChannel& channel) { channel.consume(stream, size, now); },
            sink);
      }
    }
  }

  bool move(End& from, End& to) {
    bool moved = false;
    while (from.channel.wants_transmit()) {
      std::array<std::uint8_t, 70'000> out{};
      std::size_t size = 0;
      step(from, [&](SecureChannel& channel) { size = channel.transmit(out, now); });
      REQUIRE(size > 0);
      for (std::size_t at = 0; at < size;) {
        const std::size_t piece = std::min(chunk, size - at);
        step(to, [&](SecureChannel& channel) {
          channel.receive(base::MutableBytes{out}.subspan(at, piece), now);
        });
        at += piece;
      }
      moved = true;
    }
    return moved;
  }

  static void note(End& end, ChannelEvent event,
                   std::vector<std::pair<StreamId, std::size_t>>& to_consume) {
    REQUIRE_FALSE(end.closed);  // Closed is the last event
    if (auto* secured = std::get_if<event::Secured>(&event)) end.secured = *secured;
    if (auto* opened = std::get_if<event::StreamOpened>(&event)) end.opened.push_back(*opened);
    if (auto* data = std::get_if<event::StreamData>(&event)) {
      REQUIRE_FALSE(end.ended.contains(data->stream));
      base::append(end.received[data->stream], data->data.view());
      if (end.consuming) to_consume.emplace_back(data->stream, data->data.size());
    }
    if (auto* writable = std::get_if<event::StreamWritable>(&event)) {
      end.writable.push_back(writable->stream);
    }
    if (auto* finished = std::get_if<event::StreamFinished>(&event)) {
      end.finished.push_back(finished->stream);
    }
    if (auto* ended = std::get_if<event::StreamClosed>(&event)) {
      REQUIRE_FALSE(end.ended.contains(ended->stream));
      end.ended[ended->stream] = ended->end;
    }
    if (auto* closed = std::get_if<event::Closed>(&event)) end.closed = *closed;
  }
};

}  // namespace ggen::p2p::connection::test
