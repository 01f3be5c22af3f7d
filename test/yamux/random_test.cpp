#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>

#include "pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::yamux;
using namespace ggen::p2p::yamux::test;
using base::Prng;

namespace {

/// What one side has done with one stream. The bytes follow from stream, side and offset.
struct Use {
  std::size_t written = 0;
  bool finished = false;
  bool reset = false;
};

Bytes content(StreamId stream, std::size_t side, std::size_t from, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t at = from + i + (std::uint64_t{stream.value} << 40);
    bytes[i] = static_cast<std::uint8_t>((at * 0x9e3779b97f4a7c15 + side) >> 56);
  }
  return bytes;
}

/// Two owners that do anything they may, at random, and know what must come of it.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed)
      : prng_(seed), pair_(random_link(prng_), random_config(prng_)) {
    for (Owner* owner : owners_) owner->consume_all = false;
  }

  void run() {
    const auto steps = 100 + prng_.below(300);
    for (std::uint64_t i = 0; i < steps; ++i) {
      act();
      if (prng_.chance(0.02)) pair_.set_reading(*owners_[prng_.below(2)], prng_.chance(0.5));
      if (prng_.chance(0.7)) pair_.run(std::chrono::microseconds{prng_.below(3000)});
    }
    settle();
    check();
  }

 private:
  static Link random_link(Prng& prng) {
    Link link;
    link.latency = std::chrono::microseconds{prng.below(20'000)};
    if (prng.chance(0.5)) link.bytes_per_second = 1'000'000 + prng.below(100'000'000);
    if (prng.chance(0.5)) link.span = Session::kMinTransmit + prng.below(3000);
    if (prng.chance(0.5)) link.cut = 1 + prng.below(5000);
    link.socket = 10'000 + prng.below(3'000'000);
    return link;
  }
  static Config random_config(Prng& prng) {
    Config config;
    config.max_inbound_streams = 1 + prng.below(50);
    config.max_unacknowledged_inbound = 1 + prng.below(50);
    config.max_ack_backlog = 1 + prng.below(50);
    config.max_stream_window = static_cast<std::uint32_t>(kInitialWindow + prng.below(2'000'000));
    config.max_window_growth = prng.below(8'000'000);
    config.send_queue_limit = 1 + prng.below(400'000);
    config.max_pending_refusals = 1'000'000;
    // While nobody reads, virtual time must not end the session.
    config.keep_alive_timeout = 24h;
    return config;
  }

  void act() {
    const auto side = prng_.below(2);
    Owner& owner = *owners_[side];
    if (prng_.chance(0.1)) {
      if (const auto stream = owner.session.open(pair_.now())) {
        known_[side].push_back(*stream);
        uses_[side][stream->value];
      }
      return;
    }
    for (; taken_[side] < owner.opened.size(); ++taken_[side]) {
      known_[side].push_back(owner.opened[taken_[side]]);
    }
    if (known_[side].empty()) return;
    const StreamId stream = known_[side][prng_.below(known_[side].size())];
    switch (prng_.below(20)) {
      case 0:
        return finish(side, stream);
      case 1:
        return prng_.chance(0.3) ? reset(side, stream) : void();
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        return consume(side, stream);
      default:
        return write(side, stream, prng_.below(prng_.chance(0.2) ? 300'000 : 2000));
    }
  }

  void write(std::size_t side, StreamId stream, std::size_t size) {
    Use& use = uses_[side][stream.value];
    const Bytes bytes = content(stream, side, use.written, size);
    const std::size_t room = owners_[side]->session.writable(stream);
    const std::size_t taken = owners_[side]->session.write(stream, bytes);
    REQUIRE(taken == std::min(size, room));
    if (use.finished || use.reset) REQUIRE(taken == 0);
    use.written += taken;
  }
  void finish(std::size_t side, StreamId stream) {
    owners_[side]->session.finish(stream);
    uses_[side][stream.value].finished = true;
  }
  void reset(std::size_t side, StreamId stream) {
    if (!owners_[side]->at(stream).end) uses_[side][stream.value].reset = true;
    owners_[side]->session.reset(stream);
    owners_[side]->drain(pair_.now());
    REQUIRE(owners_[side]->at(stream).end);
  }
  void consume(std::size_t side, StreamId stream) {
    const std::size_t size = prng_.below(owners_[side]->at(stream).unconsumed + 1);
    owners_[side]->consume(stream, size, pair_.now());
  }

  /// Lets everything end: all is read and consumed, all streams are finished.
  void settle() {
    for (Owner* owner : owners_) pair_.set_reading(*owner, true);
    pair_.run(60s, [&] {
      for (std::size_t side = 0; side < 2; ++side) {
        for (auto& [id, seen] : owners_[side]->streams) {
          if (!uses_[side][id].finished) finish(side, {id});
          if (seen.unconsumed > 0) owners_[side]->consume({id}, seen.unconsumed, pair_.now());
        }
      }
    });
  }

  void check() {
    for (std::size_t side = 0; side < 2; ++side) {
      Owner& owner = *owners_[side];
      REQUIRE_FALSE(owner.closed);
      REQUIRE(owner.session.stream_count() == 0);
      for (const auto& [id, seen] : owner.streams) {
        const Use& mine = uses_[side][id];
        const Use& theirs = uses_[1 - side][id];
        CAPTURE(id);
        // Refused streams are known to the side that opened them only.
        REQUIRE((seen.end || (seen.received.empty() && mine.written == 0)));
        REQUIRE(seen.received == content({id}, 1 - side, 0, seen.received.size()));
        REQUIRE(seen.received.size() <= theirs.written);
        if (seen.finished) REQUIRE(seen.received.size() == theirs.written);
        if (seen.end == StreamEnd::kClosed) REQUIRE(seen.finished);
        if (seen.end == StreamEnd::kLocalReset) REQUIRE(mine.reset);
      }
    }
  }

  Prng prng_;
  Pair pair_;
  std::array<Owner*, 2> owners_{&pair_.client(), &pair_.server()};
  std::array<std::vector<StreamId>, 2> known_;
  std::array<std::size_t, 2> taken_{};
  std::array<std::map<std::uint32_t, Use>, 2> uses_;
};

}  // namespace

TEST_CASE("random: whatever two owners do, streams stay whole, in order, and end") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Chaos{seed}.run();
  }
}
