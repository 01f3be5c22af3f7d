// Random work at both ends of a channel, on a transport that cuts bytes anywhere: every byte
// arrives in order and once, and what may not be lost is not.
#include <doctest/doctest.h>

#include <ggen/p2p/base/prng.hpp>

#include "channel_pair.hpp"

using namespace ggen::p2p;
using namespace ggen::p2p::connection;
using sim::test::ChannelKind;
using sim::test::End;
using sim::test::Pair;
using sim::test::PairOptions;

namespace {

/// What one end has done with a stream. A stream has the same id at both ends.
struct Written {
  base::Bytes bytes;
  bool finished = false;
  bool reset = false;
};

class World {
 public:
  World(ChannelKind kind, std::uint64_t seed) : prng_(seed), pair_(kind, options()) {
    for (End* end : {&pair_.dialer, &pair_.listener}) end->protocols.add("/echo/1");
    pair_.settle();
    for (End* end : {&pair_.dialer, &pair_.listener}) end->consuming = false;
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) act();
  }

  /// Lets everything arrive, finishes what is open, and compares.
  void finish() {
    for (const int side : {0, 1}) {
      end(side).consuming = true;
      pair_.consume_all(end(side));
    }
    deliver_all();
    for (const int side : {0, 1}) {
      for (const StreamId stream : known(side)) finish_stream(side, stream);
    }
    deliver_all();
    check_arrived(0, 1);
    check_arrived(1, 0);
    REQUIRE_FALSE(pair_.dialer.closed);
    REQUIRE_FALSE(pair_.listener.closed);
    check_observed();
  }

 private:
  static PairOptions options() {
    PairOptions options;
    options.config.max_outbound_streams = 6;
    options.config.max_inbound_streams = 5;
    options.config.send_queue_limit = 100'000;
    return options;
  }

  End& end(int side) { return side == 0 ? pair_.dialer : pair_.listener; }

  std::vector<StreamId> known(int side) {
    std::vector<StreamId> streams;
    for (const auto& [stream, written] : written_[side]) {
      if (!end(side).ended.contains(stream)) streams.push_back(stream);
    }
    for (const auto& opened : end(side).opened) {
      const bool here = written_[side].contains(opened.stream);
      if (!here && !end(side).ended.contains(opened.stream)) streams.push_back(opened.stream);
    }
    return streams;
  }

  void act() {
    const int side = static_cast<int>(prng_.below(2));
    const std::uint64_t choice = prng_.below(12);
    if (choice < 2) return open(side);
    if (choice < 4) return transmit(side, 1024 + prng_.below(40'000));
    if (choice < 6) return deliver(side, 1 + prng_.below(30'000));
    const auto streams = known(side);
    if (streams.empty()) return;
    const StreamId stream = streams[prng_.below(streams.size())];
    if (choice < 9) return write(side, stream, 1 + prng_.below(prng_.chance(0.2) ? 80'000 : 300));
    if (choice < 10) return consume(side, stream);
    if (prng_.chance(0.3)) return finish_stream(side, stream);
    if (prng_.chance(0.1)) reset(side, stream);
  }

  void open(int side) {
    std::vector<std::string> protocols{"/echo/1"};
    if (prng_.chance(0.3)) protocols.insert(protocols.begin(), "/unknown");
    if (prng_.chance(0.1)) protocols = {"/unknown"};
    pair_.step(end(side), [&](Channel& channel) {
      const auto opened = channel.open(protocols, pair_.now);
      if (opened) written_[side][*opened];
    });
  }

  void write(int side, StreamId stream, std::size_t size) {
    Written& written = written_[side][stream];
    base::Bytes bytes(size);
    prng_.fill(bytes);
    std::size_t taken = 0;
    pair_.step(end(side),
               [&](Channel& channel) { taken = channel.write(stream, bytes, pair_.now); });
    if (written.finished || written.reset) REQUIRE(taken == 0);
    base::append(written.bytes, base::BytesView{bytes}.first(taken));
  }

  void finish_stream(int side, StreamId stream) {
    written_[side][stream].finished = true;
    pair_.step(end(side), [&](Channel& channel) { channel.finish(stream, pair_.now); });
  }

  void reset(int side, StreamId stream) {
    written_[side][stream].reset = true;
    pair_.step(end(side), [&](Channel& channel) { channel.reset(stream, pair_.now); });
  }

  void consume(int side, StreamId stream) {
    std::size_t& unconsumed = end(side).unconsumed[stream];
    const std::size_t size = prng_.below(unconsumed + 1);
    unconsumed -= size;
    pair_.step(end(side), [&](Channel& channel) { channel.consume(stream, size, pair_.now); });
  }

  void transmit(int side, std::size_t span) {
    if (!end(side).channel->wants_transmit()) return;
    base::Bytes out(span);
    std::size_t size = 0;
    pair_.step(end(side), [&](Channel& channel) { size = channel.transmit(out, pair_.now); });
    REQUIRE(size > 0);
    base::append(pipe_[side], base::BytesView{out}.first(size));
  }

  // Bytes that `side` has sent.
  void deliver(int side, std::size_t limit) {
    base::Bytes& pipe = pipe_[side];
    const std::size_t size = std::min(limit, pipe.size());
    if (size == 0) return;
    pair_.step(end(1 - side), [&](Channel& channel) {
      channel.receive(base::MutableBytes{pipe}.first(size), pair_.now);
    });
    pipe.erase(pipe.begin(), pipe.begin() + static_cast<std::ptrdiff_t>(size));
  }

  void deliver_all() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const int side : {0, 1}) {
        transmit(side, 50'000);
        moved = moved || !pipe_[side].empty();
        deliver(side, SIZE_MAX);
      }
    }
  }

  // All streams are finished or reset by both ends that know of them.
  void check_arrived(int from, int to) {
    for (const auto& [stream, written] : written_[from]) {
      REQUIRE(end(from).ended.contains(stream));
      const base::Bytes& arrived = end(to).received[stream];
      REQUIRE(arrived.size() <= written.bytes.size());
      REQUIRE(std::equal(arrived.begin(), arrived.end(), written.bytes.begin()));
      // The other end may have reset it when its own last bytes were on their way already.
      if (end(from).ended.at(stream) != StreamEnd::kClosed || written_[to][stream].reset) continue;
      REQUIRE(end(to).ended.at(stream) == StreamEnd::kClosed);
      REQUIRE(arrived.size() == written.bytes.size());
      ++complete;
    }
  }

  void check_observed() {
    for (const int side : {0, 1}) {
      for (const auto& [ref, seen] : end(side).observer.streams) {
        REQUIRE(seen.end == end(side).ended.at(ref.stream));
        REQUIRE(seen.sent == written_[side][ref.stream].bytes);
        REQUIRE(seen.received == end(side).received[ref.stream]);
      }
    }
  }

 public:
  int complete = 0;

 private:
  base::Prng prng_;
  Pair pair_;
  std::map<StreamId, Written> written_[2];
  base::Bytes pipe_[2];  // sent by each end, and not delivered
};

}  // namespace

TEST_CASE("channels: random work at both ends gives every byte in order and once") {
  for (const ChannelKind kind : sim::test::kChannelKinds) {
    int complete = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const std::string name = to_string(kind);
      CAPTURE(name);
      CAPTURE(seed);
      World world{kind, seed};
      world.run(400);
      world.finish();
      complete += world.complete;
    }
    CHECK(complete > 100);
  }
}
