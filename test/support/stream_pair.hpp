#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/base/byte_queue.hpp>
#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/connection/stream_io.hpp>

namespace ggen::p2p::test {

/// How the streams between two engines behave. All sizes in bytes.
struct LinkOptions {
  std::uint64_t seed = 1;
  base::Duration latency = std::chrono::milliseconds{5};
  /// Received bytes that a side may leave unconsumed on a stream before the other one has to wait.
  std::size_t window = 256 * 1024;
  /// Bytes that a stream takes from Writes before the network has carried them.
  std::size_t send_queue = 64 * 1024;
  /// The most that one Data carries; sizes below it are drawn at random.
  std::size_t max_fragment = 64 * 1024;
};

/// Two protocol engines on two ends of one connection, in virtual time. Plays the node's part of
/// connection/stream_io.hpp: opens streams, cuts what is written into random fragments, holds it
/// back when the receiver does not consume, answers Writes when the send queue has room. Checks on
/// the way that both engines keep their part of that contract.
template <class Engine>
class StreamPair {
 public:
  using Output = typename decltype(std::declval<Engine&>().poll())::value_type;

  /// The peers are those that the engines see at the other end: `peers[0]` is the identity of `a`.
  StreamPair(Engine& a, Engine& b, std::array<multiformats::PeerId, 2> peers,
             const LinkOptions& options = {})
      : options_(options), prng_(options.seed), peers_(std::move(peers)), engines_{&a, &b} {}

  [[nodiscard]] base::Instant now() const noexcept { return now_; }
  /// Each end has its own name for the connection.
  [[nodiscard]] static connection::ConnectionId connection(std::size_t side) {
    return {static_cast<std::uint32_t>(side), 1};
  }

  /// Calls mutate(engine) on one side and lets the outputs take effect.
  template <class Mutate>
  void call(std::size_t side, Mutate&& mutate) {
    auto& deadline = deadlines_[side];
    deadline = base::step(*engines_[side], now_, std::forward<Mutate>(mutate),
                          [&](Output output) { take(side, std::move(output)); });
  }

  /// Streams that ask a side for a protocol it does not serve are refused.
  void refuse(std::size_t side, std::string protocol) {
    refused_[side].insert(std::move(protocol));
  }
  /// While held, nothing that is written reaches the other side.
  void hold(bool held) {
    held_ = held;
    if (!held_) {
      for (auto& entry : streams_) pump(entry.first);
    }
  }
  /// Ends the connection: every stream closes on both sides, and none opens any more.
  void cut() {
    cut_ = true;
    std::vector<std::uint32_t> ids;
    for (auto& entry : streams_) ids.push_back(entry.first);
    for (const std::uint32_t id : ids) {
      close_end(id, 0, connection::StreamEnd::kConnectionClosed);
      close_end(id, 1, connection::StreamEnd::kConnectionClosed);
    }
  }

  void run_for(base::Duration duration) {
    const base::Instant until = now_ + duration;
    while (run_next(until)) {
    }
    now_ = until;
  }
  /// Lets the next thing happen; false when nothing is left: no event under way, no deadline.
  bool step() {
    if (++steps_ > 10'000'000) FAIL("the engines never come to rest");
    return run_next(base::Instant::max());
  }
  void run() {
    while (step()) {
    }
  }

  /// Removes and returns the events of one kind that a side has given so far.
  template <class Event>
  std::vector<Event> take_events(std::size_t side) {
    std::vector<Event> found;
    std::vector<Output> rest;
    for (Output& output : events_[side]) {
      if (auto* event = std::get_if<Event>(&output)) {
        found.push_back(std::move(*event));
      } else {
        rest.push_back(std::move(output));
      }
    }
    events_[side] = std::move(rest);
    return found;
  }
  std::vector<Output> take_all(std::size_t side) { return std::exchange(events_[side], {}); }
  [[nodiscard]] bool no_events(std::size_t side) const { return events_[side].empty(); }

  [[nodiscard]] std::size_t open_streams() const noexcept { return streams_.size(); }
  [[nodiscard]] std::size_t streams_opened() const noexcept { return next_stream_ - 1; }
  /// The most Writes that a side has had unanswered on one stream.
  [[nodiscard]] std::size_t most_unanswered(std::size_t side) const { return unanswered_[side]; }

 private:
  // One direction of a stream, seen from its sender.
  struct Pipe {
    std::deque<base::Buffer> writes;  // not yet in the send queue
    base::ByteQueue queue;
    std::size_t credit = 0;
    std::size_t unconsumed = 0;
    bool finish = false;
    bool finish_sent = false;
    bool finish_seen = false;  // by the receiver
  };
  struct Stream {
    std::array<Pipe, 2> pipes;    // by the sender's side
    std::array<bool, 2> alive{};  // the listener's from when the request for it has arrived
    std::string protocol;
    base::Instant last_delivery;
  };

  // Not a CHECK each: there are millions of them.
  static void expect(bool kept, const char* rule) {
    if (!kept) FAIL_CHECK(rule);
  }

  [[nodiscard]] static connection::StreamRef ref(std::size_t side, std::uint32_t id) {
    // The ends name a stream differently, so that a mix-up shows.
    return {connection(side), {id * 2 + static_cast<std::uint32_t>(side)}};
  }
  [[nodiscard]] Stream* alive(std::size_t side, connection::StreamRef stream, std::uint32_t* id) {
    expect(stream.connection == connection(side) && stream.stream.value % 2 == side,
           "the stream is one of this side");
    *id = stream.stream.value / 2;
    const auto found = streams_.find(*id);
    return found == streams_.end() || !found->second.alive[side] ? nullptr : &found->second;
  }

  void at(base::Instant when, std::function<void()> action) {
    actions_.emplace(std::pair{when, next_action_++}, std::move(action));
  }
  void tell(std::size_t side, connection::StreamInput input) {
    call(side, [&](Engine& engine) { engine.handle(std::move(input), now_); });
  }

  bool run_next(base::Instant until) {
    std::optional<base::Instant> next;
    if (!actions_.empty()) next = actions_.begin()->first.first;
    for (const auto& deadline : deadlines_) next = base::earlier(next, deadline);
    if (!next || *next > until) return false;
    now_ = std::max(now_, *next);
    if (!actions_.empty() && actions_.begin()->first.first <= now_) {
      const auto action = std::move(actions_.begin()->second);
      actions_.erase(actions_.begin());
      action();
      return true;
    }
    for (std::size_t side = 0; side < 2; ++side) {
      if (deadlines_[side] && *deadlines_[side] <= now_) call(side, [](Engine&) {});
    }
    return true;
  }

  void take(std::size_t side, Output output) {
    if (auto* io = std::get_if<connection::StreamOutput>(&output)) {
      std::visit([&](auto& out) { take_io(side, out); }, *io);
    } else {
      events_[side].push_back(std::move(output));
    }
  }

  void take_io(std::size_t side, connection::stream_output::Open& open) {
    const std::size_t other = 1 - side;
    REQUIRE(!open.protocols.empty());
    const connection::OpenToken token = open.token;
    if (cut_ || open.peer != peers_[other]) {
      at(now_, [this, side, token] {
        tell(side,
             connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
      });
      return;
    }
    const std::uint32_t id = next_stream_++;
    Stream& stream = streams_[id];
    stream.protocol = open.protocols.front();
    stream.alive[side] = true;
    for (Pipe& pipe : stream.pipes) pipe.credit = options_.window;
    at(now_, [this, side, id, token] {
      tell(side, connection::stream_input::Opening{token, ref(side, id)});
    });
    at(now_ + options_.latency, [this, side, id] { arrive(1 - side, id); });
  }

  // The request for a stream reaches the listener.
  void arrive(std::size_t side, std::uint32_t id) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    Stream& stream = found->second;
    const std::size_t opener = 1 - side;
    if (refused_[side].contains(stream.protocol)) {
      at(now_ + options_.latency,
         [this, id, opener] { close_end(id, opener, connection::StreamEnd::kProtocolRefused); });
      return;
    }
    stream.alive[side] = true;
    at(now_ + options_.latency, [this, opener, id] {
      const auto again = streams_.find(id);
      if (again == streams_.end() || !again->second.alive[opener]) return;
      tell(opener, connection::stream_input::Opened{ref(opener, id), peers_[1 - opener],
                                                    connection::Direction::kOutbound,
                                                    again->second.protocol});
    });
    tell(side, connection::stream_input::Opened{ref(side, id), peers_[opener],
                                                connection::Direction::kInbound, stream.protocol});
    pump(id);
  }

  void take_io(std::size_t side, connection::stream_output::Write& write) {
    std::uint32_t id = 0;
    Stream* stream = alive(side, write.stream, &id);
    if (stream == nullptr) return;
    Pipe& pipe = stream->pipes[side];
    expect(!pipe.finish, "nothing is written after the end");
    expect(!write.data.empty(), "writes carry bytes");
    pipe.writes.push_back(std::move(write.data));
    unanswered_[side] = std::max(unanswered_[side], pipe.writes.size());
    at(now_, [this, id] { pump(id); });
  }
  void take_io(std::size_t side, const connection::stream_output::Finish& finish) {
    std::uint32_t id = 0;
    Stream* stream = alive(side, finish.stream, &id);
    if (stream == nullptr) return;
    expect(!stream->pipes[side].finish, "a side finishes once");
    stream->pipes[side].finish = true;
    at(now_, [this, id] { pump(id); });
  }
  void take_io(std::size_t side, const connection::stream_output::Reset& reset) {
    std::uint32_t id = 0;
    if (alive(side, reset.stream, &id) == nullptr) return;
    at(now_, [this, id, side] { close_end(id, side, connection::StreamEnd::kLocalReset); });
    at(now_ + options_.latency,
       [this, id, side] { close_end(id, 1 - side, connection::StreamEnd::kRemoteReset); });
  }
  void take_io(std::size_t side, const connection::stream_output::Consume& consume) {
    std::uint32_t id = 0;
    Stream* stream = alive(side, consume.stream, &id);
    if (stream == nullptr) return;
    Pipe& pipe = stream->pipes[1 - side];
    expect(consume.size > 0 && consume.size <= pipe.unconsumed,
           "no more is consumed than was received");
    pipe.unconsumed -= consume.size;
    at(now_ + options_.latency, [this, id, side, size = consume.size] {
      const auto found = streams_.find(id);
      if (found == streams_.end()) return;
      found->second.pipes[1 - side].credit += size;
      pump(id);
    });
  }

  void pump(std::uint32_t id) {
    for (std::size_t side = 0; side < 2; ++side) pump(id, side);
  }
  void pump(std::uint32_t id, std::size_t side) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || !found->second.alive[side]) return;
    Stream& stream = found->second;
    Pipe& pipe = stream.pipes[side];
    for (bool moved = true; moved;) {
      moved = fill_queue(id, side, pipe);
      // The listener cannot be sent anything before it knows of the stream.
      if (!held_ && stream.alive[1 - side]) moved = send_fragment(id, side, stream) || moved;
    }
    if (!held_ && stream.alive[1 - side] && pipe.finish && !pipe.finish_sent &&
        pipe.writes.empty() && pipe.queue.empty()) {
      pipe.finish_sent = true;
      at(delivery_time(stream), [this, id, side] { deliver_finish(id, side); });
    }
  }
  // Moves bytes of Writes into the send queue; answers those that are in it as a whole.
  bool fill_queue(std::uint32_t id, std::size_t side, Pipe& pipe) {
    bool moved = false;
    while (!pipe.writes.empty() && pipe.queue.size() < options_.send_queue) {
      base::Buffer& front = pipe.writes.front();
      const std::size_t size = std::min(front.size(), options_.send_queue - pipe.queue.size());
      pipe.queue.push(front.slice(0, size));
      front.remove_prefix(size);
      moved = true;
      if (!front.empty()) break;
      pipe.writes.pop_front();
      at(now_, [this, id, side] {
        const auto found = streams_.find(id);
        if (found == streams_.end() || !found->second.alive[side]) return;
        tell(side, connection::stream_input::Written{ref(side, id)});
      });
    }
    return moved;
  }
  bool send_fragment(std::uint32_t id, std::size_t side, Stream& stream) {
    Pipe& pipe = stream.pipes[side];
    const std::size_t limit = std::min({pipe.credit, pipe.queue.size(), options_.max_fragment});
    if (limit == 0) return false;
    base::Buffer data = pipe.queue.take(1 + static_cast<std::size_t>(prng_.below(limit)));
    pipe.credit -= data.size();
    at(delivery_time(stream), [this, id, side, data] {
      const auto found = streams_.find(id);
      if (found == streams_.end() || !found->second.alive[1 - side]) return;
      found->second.pipes[side].unconsumed += data.size();
      tell(1 - side, connection::stream_input::Data{ref(1 - side, id), data});
    });
    return true;
  }
  void deliver_finish(std::uint32_t id, std::size_t side) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || !found->second.alive[1 - side]) return;
    found->second.pipes[side].finish_seen = true;
    tell(1 - side, connection::stream_input::Finished{ref(1 - side, id)});
    // A side is done with a stream once it has sent its end and seen the other's.
    const auto again = streams_.find(id);
    if (again == streams_.end()) return;
    for (std::size_t end = 0; end < 2; ++end) {
      if (again->second.pipes[end].finish_sent && again->second.pipes[1 - end].finish_seen) {
        at(now_, [this, id, end] { close_end(id, end, connection::StreamEnd::kClosed); });
      }
    }
  }

  void close_end(std::uint32_t id, std::size_t side, connection::StreamEnd end) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    Stream& stream = found->second;
    const bool was_alive = std::exchange(stream.alive[side], false);
    const bool refused = end == connection::StreamEnd::kProtocolRefused;
    if ((!stream.alive[0] && !stream.alive[1]) || refused) streams_.erase(found);
    if (was_alive) tell(side, connection::stream_input::Closed{ref(side, id), end});
  }

  // Deliveries of one stream keep their order; their spacing is random.
  base::Instant delivery_time(Stream& stream) {
    const auto extra = base::Duration{static_cast<std::int64_t>(prng_.below(1000))};
    stream.last_delivery = std::max(stream.last_delivery, now_ + options_.latency) + extra;
    return stream.last_delivery;
  }

  LinkOptions options_;
  base::Prng prng_;
  std::array<multiformats::PeerId, 2> peers_;
  std::array<Engine*, 2> engines_;
  base::Instant now_{};
  std::array<std::optional<base::Instant>, 2> deadlines_;
  std::map<std::pair<base::Instant, std::uint64_t>, std::function<void()>> actions_;
  std::uint64_t next_action_ = 0;
  std::map<std::uint32_t, Stream> streams_;
  std::uint32_t next_stream_ = 1;
  std::array<std::set<std::string>, 2> refused_;
  std::array<std::vector<Output>, 2> events_;
  std::array<std::size_t, 2> unanswered_{};
  std::size_t steps_ = 0;
  bool held_ = false;
  bool cut_ = false;
};

}  // namespace ggen::p2p::test
