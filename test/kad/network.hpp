#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/kad/engine.hpp>

#include "../../src/kad/prefix.hpp"
#include "../support/peers.hpp"
#include "values.hpp"

namespace ggen::p2p::test {

/// Many kad engines on one network in virtual time. Plays swarm, identify and streams: a peer can
/// be reached only by who has learned an address of it, and both sides of a connection identify
/// each other. Every node has an IP group of its own.
class Network {
 public:
  /// Answers a request with the bytes of a message; with nothing, never.
  using Liar = std::function<std::optional<base::Bytes>(const kad::Message&)>;

  struct Node {
    Node(const multiformats::PeerId& id_in, std::size_t index, const kad::Config& config,
         crypto::Crypto& crypto)
        : id(id_in), address(numbered_address(index)), engine(config, id, crypto, kWallAtZero) {
      engine.add_validator("test", std::make_unique<CounterValidator>());
      engine.set_addresses({address});
    }
    multiformats::PeerId id;
    multiformats::Multiaddr address;
    kad::Engine engine;
    bool alive = true;
    std::size_t asked_streams = 0;  // streams that it has asked for
    Liar liar;
    std::set<multiformats::PeerId> book;  // whose addresses it has
    std::set<std::size_t> connected;
    std::vector<kad::Output> events;
    std::optional<base::Instant> deadline;
  };

  explicit Network(std::size_t size, const kad::Config& config = {}, std::uint64_t seed = 1)
      : prng_(seed), crypto_(seed) {
    for (std::size_t i = 0; i < size; ++i) add(config);
  }

  std::size_t add(const kad::Config& config) { return add(config, numbered_peer(size())); }
  std::size_t add(const kad::Config& config, const multiformats::PeerId& id) {
    nodes_.push_back(std::make_unique<Node>(id, nodes_.size(), config, crypto_));
    index_.emplace(nodes_.back()->id, nodes_.size() - 1);
    return nodes_.size() - 1;
  }

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] Node& node(std::size_t i) { return *nodes_[i]; }
  [[nodiscard]] base::Instant now() const { return now_; }
  [[nodiscard]] base::Prng& prng() { return prng_; }

  template <class Mutate>
  void call(std::size_t i, Mutate&& mutate) {
    Node& node = *nodes_[i];
    if (!node.alive) return;
    if (node.deadline) deadlines_.erase({*node.deadline, i});
    node.deadline = base::step(node.engine, now_, std::forward<Mutate>(mutate),
                               [&](kad::Output output) { take(i, std::move(output)); });
    if (node.deadline) deadlines_.insert({*node.deadline, i});
  }

  /// Connects two nodes, as bootstrapping does.
  void connect(std::size_t a, std::size_t b) {
    if (a == b || !nodes_[a]->connected.insert(b).second) return;
    nodes_[b]->connected.insert(a);
    identify(a, b);
    identify(b, a);
  }
  void disconnect(std::size_t a, std::size_t b) {
    nodes_[a]->connected.erase(b);
    nodes_[b]->connected.erase(a);
    call(a, [&](kad::Engine& engine) { engine.peer_gone(nodes_[b]->id); });
    call(b, [&](kad::Engine& engine) { engine.peer_gone(nodes_[a]->id); });
  }
  /// Lets everybody meet everybody once, and connections lapse.
  void introduce_all() {
    for (std::size_t i = 0; i < size(); ++i) {
      std::vector<std::size_t> others;
      for (std::size_t j = 0; j < size(); ++j) {
        if (i != j) others.push_back(j);
      }
      prng_.shuffle(others);
      for (const std::size_t j : others) meet(i, j);
    }
  }
  /// Lets everybody meet some of each distance, as those have who take part for long: in a large
  /// network not everybody can meet everybody.
  void introduce_some(std::size_t of_each_distance = 20) {
    std::vector<std::pair<kad::Place, std::size_t>> sorted;
    for (std::size_t i = 0; i < size(); ++i) sorted.emplace_back(place_of_node(i), i);
    std::ranges::sort(sorted);
    const auto index_of = [&](kad::Place place) {
      return static_cast<std::size_t>(
          std::ranges::lower_bound(sorted, std::pair{place, std::size_t{0}}) - sorted.begin());
    };
    for (std::size_t i = 0; i < size(); ++i) {
      std::size_t others = size();
      for (unsigned shared = 0; others > 1; ++shared) {
        const kad::Prefix own = kad::Prefix::of(place_of_node(i), shared + 1);
        std::size_t first = index_of(own.sibling().first);
        const std::size_t end =
            own.sibling().last() == ~kad::Place{0} ? size() : index_of(own.sibling().last() + 1);
        others -= end - first;
        const std::size_t step = std::max<std::size_t>(1, (end - first) / of_each_distance);
        for (first += prng_.below(step); first < end; first += step) {
          meet(i, sorted[first].second);
        }
      }
    }
  }
  /// The same for large networks: everybody meets those nearest to it, and up to a bucket's size of
  /// others at each distance, as in a network that has stood for long.
  void introduce_enough() {
    std::vector<std::pair<kad::Key, std::size_t>> order;
    for (std::size_t i = 0; i < size(); ++i) order.emplace_back(kad::Key::of(nodes_[i]->id), i);
    std::ranges::sort(order);
    for (const auto& [key, i] : order) {
      // Those that share `bits` bits with the key lie side by side in this order, the next half on
      // one side of it.
      std::size_t first = 0;
      std::size_t last = order.size();
      for (unsigned bits = 0; last - first > 1; ++bits) {
        const auto other = std::ranges::partition_point(
            order.begin() + static_cast<std::ptrdiff_t>(first),
            order.begin() + static_cast<std::ptrdiff_t>(last), [&](const auto& entry) {
              return (entry.first.words()[bits / 64] >> (63 - bits % 64) & 1) == 0;
            });
        const auto middle = static_cast<std::size_t>(other - order.begin());
        const bool upper = (key.words()[bits / 64] >> (63 - bits % 64) & 1) != 0;
        meet_some(i, order, upper ? first : middle, upper ? middle : last);
        upper ? first = middle : last = middle;
      }
    }
  }
  /// The node is gone without a word.
  void kill(std::size_t i) {
    Node& node = *nodes_[i];
    node.alive = false;
    if (node.deadline) deadlines_.erase({*node.deadline, i});
    node.deadline.reset();
    for (const std::size_t j : std::set<std::size_t>{node.connected}) {
      nodes_[j]->connected.erase(i);
      call(j, [&](kad::Engine& engine) { engine.peer_gone(node.id); });
    }
    node.connected.clear();
    for (auto& [id, stream] : streams_) {
      for (const std::size_t side : {0U, 1U}) {
        if (stream.nodes[side] == i) end(id, 1 - side, connection::StreamEnd::kConnectionClosed);
      }
    }
  }

  /// It is back, with all that it knew.
  void revive(std::size_t i) {
    nodes_[i]->alive = true;
    call(i, [](kad::Engine&) {});
  }

  void run_for(base::Duration duration) {
    const base::Instant until = now_ + duration;
    while (run_next(until)) {
    }
    now_ = until;
  }

  /// Starts a query and runs until it is done.
  template <class Start>
  kad::QueryDone query(std::size_t i, Start&& start) {
    kad::QueryId id;
    call(i, [&](kad::Engine& engine) { id = start(engine); });
    const base::Instant limit = now_ + std::chrono::minutes{10};
    for (;;) {
      for (const kad::Output& output : nodes_[i]->events) {
        const auto* done = std::get_if<kad::QueryDone>(&output);
        if (done != nullptr && done->id == id) return *done;
      }
      REQUIRE(run_next(limit));
    }
  }
  template <class Event>
  std::vector<Event> take_events(std::size_t i) {
    std::vector<Event> found;
    for (const kad::Output& output : nodes_[i]->events) {
      if (const auto* event = std::get_if<Event>(&output)) found.push_back(*event);
    }
    nodes_[i]->events.clear();
    return found;
  }

  /// The ids that a perfect lookup by `asker` finds.
  [[nodiscard]] std::vector<multiformats::PeerId> oracle(std::size_t asker, base::BytesView key,
                                                         std::size_t k = 20) const {
    const kad::Key target = kad::Key::of(key);
    std::vector<std::pair<kad::Distance, multiformats::PeerId>> all;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = *nodes_[i];
      if (i == asker || !node.alive || node.engine.mode() != kad::Mode::kServer) continue;
      all.emplace_back(kad::Key::of(node.id).distance(target), node.id);
    }
    std::ranges::sort(all);
    std::vector<multiformats::PeerId> ids;
    for (const auto& entry : all) {
      if (ids.size() < k) ids.push_back(entry.second);
    }
    return ids;
  }

  static constexpr base::Duration kLatency = std::chrono::milliseconds{20};
  static constexpr base::Duration kDialFailure = std::chrono::seconds{1};

 private:
  struct Stream {
    std::array<std::size_t, 2> nodes{};  // who opened it, and who was asked
    std::array<bool, 2> finished{};
    std::array<bool, 2> gone{};
  };

  [[nodiscard]] kad::Place place_of_node(std::size_t i) const {
    return kad::place_of(kad::Key::of(nodes_[i]->id));
  }
  void meet(std::size_t i, std::size_t j) {
    identify(i, j);
    call(i, [&](kad::Engine& engine) { engine.peer_gone(nodes_[j]->id); });
  }
  void identify(std::size_t who, std::size_t about) {
    const Node& other = *nodes_[about];
    nodes_[who]->book.insert(other.id);
    call(who, [&](kad::Engine& engine) {
      engine.peer_identified(other.id, std::array{other.address}, other.address.ip(),
                             other.engine.mode() == kad::Mode::kServer, now_);
    });
  }

  void meet_some(std::size_t i, const std::vector<std::pair<kad::Key, std::size_t>>& order,
                 std::size_t first, std::size_t last) {
    std::vector<std::size_t> others;
    for (std::size_t at = first; at < last; ++at) others.push_back(order[at].second);
    if (others.size() > 20) {
      for (std::size_t k = 0; k < 20; ++k) {
        std::swap(others[k], others[k + prng_.below(others.size() - k)]);
      }
      others.resize(20);
    }
    for (const std::size_t j : others) {
      identify(i, j);
      call(i, [&](kad::Engine& engine) { engine.peer_gone(nodes_[j]->id); });
    }
  }

  void at(base::Duration delay, std::function<void()> action) {
    actions_.emplace(std::pair{now_ + delay, next_action_++}, std::move(action));
  }
  void tell(std::size_t i, connection::StreamInput input) {
    call(i, [&](kad::Engine& engine) { engine.handle(std::move(input), now_); });
  }

  bool run_next(base::Instant until) {
    const auto action = actions_.begin();
    const auto deadline = deadlines_.begin();
    const bool act = action != actions_.end() &&
                     (deadline == deadlines_.end() || action->first.first <= deadline->first);
    if (!act && deadline == deadlines_.end()) return false;
    const base::Instant next = act ? action->first.first : deadline->first;
    if (next > until) return false;
    now_ = next;
    if (act) {
      const auto run = std::move(action->second);
      actions_.erase(action);
      run();
    } else {
      call(deadline->second, [](kad::Engine&) {});
    }
    return true;
  }

  void take(std::size_t i, kad::Output output) {
    if (auto* io = std::get_if<connection::StreamOutput>(&output)) {
      std::visit([&](auto& out) { take_io(i, out); }, *io);
      return;
    }
    if (const auto* learned = std::get_if<kad::AddressesLearned>(&output)) {
      // Only the right address leads to a peer.
      const auto at = index_.find(learned->peer);
      if (at != index_.end() &&
          std::ranges::count(learned->addresses, nodes_[at->second]->address) > 0) {
        nodes_[i]->book.insert(learned->peer);
      }
    }
    nodes_[i]->events.push_back(std::move(output));
  }

  void take_io(std::size_t i, const connection::stream_output::Open& open) {
    ++nodes_[i]->asked_streams;
    const auto target = index_.find(open.peer);
    const bool reachable = target != index_.end() && nodes_[target->second]->alive &&
                           nodes_[i]->book.contains(open.peer);
    if (!reachable) {
      at(kDialFailure, [this, i, token = open.token] {
        tell(i,
             connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
      });
      return;
    }
    const bool connected = nodes_[i]->connected.contains(target->second);
    at(connected ? base::Duration{} : 2 * kLatency,
       [this, i, j = target->second, token = open.token] { open_stream(i, j, token); });
  }
  void open_stream(std::size_t i, std::size_t j, connection::OpenToken token) {
    if (!nodes_[j]->alive) {
      tell(i, connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
      return;
    }
    connect(i, j);
    const std::uint32_t id = next_stream_++;
    streams_[id].nodes = {i, j};
    tell(i, connection::stream_input::Opening{token, ref(id)});
    if (nodes_[j]->engine.mode() == kad::Mode::kClient) {
      at(2 * kLatency, [this, id] { end(id, 0, connection::StreamEnd::kProtocolRefused); });
      return;
    }
    at(2 * kLatency, [this, id] { opened(id, 0, connection::Direction::kOutbound); });
  }
  void opened(std::uint32_t id, std::size_t side, connection::Direction direction) {
    const auto stream = streams_.find(id);
    if (stream == streams_.end() || stream->second.gone[side]) return;
    tell(stream->second.nodes[side],
         connection::stream_input::Opened{ref(id), nodes_[stream->second.nodes[1 - side]]->id,
                                          direction, "/ggen/marketplace/1.0.0"});
  }

  static connection::StreamRef ref(std::uint32_t id) { return {{1, 1}, {id}}; }
  /// Which end of the stream the node is; nothing when that end is gone.
  std::optional<std::size_t> side_of(std::size_t i, std::uint32_t id) const {
    const auto stream = streams_.find(id);
    if (stream == streams_.end()) return std::nullopt;
    const std::size_t side = stream->second.nodes[0] == i ? 0 : 1;
    return stream->second.gone[side] ? std::nullopt : std::optional{side};
  }

  void take_io(std::size_t i, const connection::stream_output::Write& write) {
    const std::uint32_t id = write.stream.stream.value;
    const auto side = side_of(i, id);
    if (!side) return;
    at({}, [this, i, id] {
      if (side_of(i, id)) tell(i, connection::stream_input::Written{ref(id)});
    });
    at(kLatency, [this, id, to = 1 - *side, data = write.data] { deliver(id, to, data); });
  }
  void deliver(std::uint32_t id, std::size_t side, const base::Buffer& data) {
    const auto stream = streams_.find(id);
    if (stream == streams_.end() || stream->second.gone[side]) return;
    const std::size_t i = stream->second.nodes[side];
    if (side == 1 && nodes_[i]->liar) {
      lie(id, *nodes_[i], data);
      return;
    }
    // What travels with the negotiation arrives right behind it.
    if (side == 1 && accepted_.insert(id).second) {
      opened(id, 1, connection::Direction::kInbound);
    }
    if (side_of(i, id)) tell(i, connection::stream_input::Data{ref(id), data});
  }
  void lie(std::uint32_t id, Node& node, base::Buffer data) {
    base::FrameDecoder decoder{64 * 1024};
    const auto frame = decoder.take(data);
    if (!frame || !*frame) return;
    const auto request = kad::decode_message((*frame)->view(), {});
    REQUIRE(request);
    if (const auto answer = node.liar(*request)) {
      at(kLatency, [this, id, bytes = base::encode_frame(*answer)] { deliver(id, 0, bytes); });
    }
  }

  void take_io(std::size_t i, const connection::stream_output::Finish& finish) {
    const std::uint32_t id = finish.stream.stream.value;
    const auto side = side_of(i, id);
    if (!side) return;
    at(kLatency, [this, id, side = *side] {
      const auto stream = streams_.find(id);
      if (stream == streams_.end()) return;
      stream->second.finished[side] = true;
      const std::size_t other = stream->second.nodes[1 - side];
      if (side_of(other, id)) tell(other, connection::stream_input::Finished{ref(id)});
      if (stream->second.finished[0] && stream->second.finished[1]) {
        end(id, 0, connection::StreamEnd::kClosed);
        end(id, 1, connection::StreamEnd::kClosed);
      }
    });
  }
  void take_io(std::size_t i, const connection::stream_output::Reset& reset) {
    const std::uint32_t id = reset.stream.stream.value;
    const auto side = side_of(i, id);
    if (!side) return;
    at({}, [this, id, side = *side] { end(id, side, connection::StreamEnd::kLocalReset); });
    at(kLatency,
       [this, id, side = *side] { end(id, 1 - side, connection::StreamEnd::kRemoteReset); });
  }
  void take_io(std::size_t, const connection::stream_output::Consume&) {}

  void end(std::uint32_t id, std::size_t side, connection::StreamEnd how) {
    const auto stream = streams_.find(id);
    if (stream == streams_.end() || stream->second.gone[side]) return;
    stream->second.gone[side] = true;
    tell(stream->second.nodes[side], connection::stream_input::Closed{ref(id), how});
  }

  base::Prng prng_;
  SeededCrypto crypto_;
  base::Instant now_{};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<multiformats::PeerId, std::size_t> index_;
  std::map<std::pair<base::Instant, std::uint64_t>, std::function<void()>> actions_;
  std::uint64_t next_action_ = 0;
  std::set<std::pair<base::Instant, std::size_t>> deadlines_;
  std::map<std::uint32_t, Stream> streams_;
  std::set<std::uint32_t> accepted_;
  std::uint32_t next_stream_ = 1;
};

/// Engines that do nothing unasked: for tests that count what happens.
inline kad::Config without_maintenance() {
  kad::Config config;
  config.maintenance.max_queries = 0;
  return config;
}

}  // namespace ggen::p2p::test
