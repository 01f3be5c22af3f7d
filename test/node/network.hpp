#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/crypto/sha256.hpp>
#include <ggen/p2p/node/node.hpp>
#include <ggen/p2p/sim/memory_storage.hpp>

#include "../support/peers.hpp"

namespace ggen::p2p::node::test {

using namespace std::chrono_literals;

template <class T, class Variant>
constexpr bool kIsOneOf = false;
template <class T, class... Ts>
constexpr bool kIsOneOf<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

/// Nodes on a network that exists in memory only: an event queue in virtual time delivers bytes
/// after `latency`, in order. It runs the very objects that the host runs.
class Network {
 public:
  using MakeChannels =
      std::function<std::unique_ptr<ChannelFactory>(crypto::Crypto&, const crypto::KeyPair&)>;
  static std::unique_ptr<ChannelFactory> secure_channels(crypto::Crypto& crypto,
                                                         const crypto::KeyPair& identity) {
    return make_secure_channels({}, crypto, identity);
  }

  explicit Network(base::Duration latency = 5ms, MakeChannels make_channels = secure_channels)
      : latency_(latency), make_channels_(std::move(make_channels)) {}

  struct Member {
    std::unique_ptr<crypto::Crypto> crypto;
    std::unique_ptr<Node> node;
    std::vector<Output> seen;  // all that is not for the transport
    std::optional<base::Instant> deadline;
    multiformats::Multiaddr address;
    sim::MemoryStorage storage;
  };

  std::size_t add(Config config = {}) {
    auto member = std::make_unique<Member>();
    member->crypto = std::make_unique<p2p::test::SeededCrypto>(members_.size());
    std::array<std::uint8_t, 32> seed{};
    seed.fill(static_cast<std::uint8_t>(members_.size() + 1));
    auto identity = crypto::KeyPair::from_seed(seed);
    auto channels = make_channels_(*member->crypto, identity);
    member->node = std::make_unique<Node>(std::move(config), std::move(identity), *member->crypto,
                                          std::move(channels), base::Prng{members_.size()}, now,
                                          base::WallTime{});
    members_.push_back(std::move(member));
    const std::size_t index = members_.size() - 1;
    const auto address =
        *multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/" + std::to_string(1000 + index));
    drive(index, [&](Node& node) { node.swarm(now).listen(address, now); });
    return index;
  }

  [[nodiscard]] Member& operator[](std::size_t index) { return *members_[index]; }
  [[nodiscard]] Node& node(std::size_t index) const { return *members_[index]->node; }

  template <class Act>
  void drive(std::size_t index, Act&& act) {
    Member& member = *members_[index];
    std::vector<Output> outputs;
    member.deadline = base::step(*member.node, now, std::forward<Act>(act),
                                 [&](Output output) { outputs.push_back(std::move(output)); });
    for (Output& output : outputs) {
      if (observer) observer(index, output);
      execute(index, std::move(output));
    }
  }

  /// Runs until `done` holds; fails when nothing happens any more, or after an hour of virtual
  /// time.
  void run_until(const std::function<bool()>& done) {
    const base::Instant limit = now + 1h;
    while (!done()) REQUIRE((advance() && now < limit));
  }
  void run_for(base::Duration time) {
    const base::Instant end = now + time;
    while (next() && *next() <= end) advance();
    now = end;
  }

  /// The last event of type T that a node gave, if any.
  template <class T>
  [[nodiscard]] const T* last(std::size_t index) const {
    const auto& seen = members_[index]->seen;
    for (auto it = seen.rbegin(); it != seen.rend(); ++it) {
      if (const T* event = find<T>(*it)) return event;
    }
    return nullptr;
  }

  void connect(std::size_t from, std::size_t to) {
    drive(from, [&](Node& node) {
      node.swarm(now).dial(
          {members_[to]->node->id(), {members_[to]->address}, swarm::Purpose::kUser, false}, now);
    });
    run_until([&] { return last<identify::Identified>(from) && last<identify::Identified>(to); });
  }

  /// Every dial fails from now on, or no longer.
  void refuse_dials(bool refuse) { refuse_dials_ = refuse; }

  /// Breaks the connections between two nodes, so that both see it break.
  void break_between(std::size_t a, std::size_t b) {
    const auto links = links_;
    for (const auto& [end, other] : links) {
      if (end.first != a || other.first != b) continue;
      links_.erase(end);
      links_.erase(other);
      drive(a, [&](Node& node) { node.transport_closed(end.second, now); });
      drive(b, [&](Node& node) { node.transport_closed(other.second, now); });
    }
  }

  /// Cuts every connection of a node, as a cable would.
  void cut(std::size_t index) {
    const auto links = links_;
    for (const auto& [end, other] : links) {
      if (end.first != index) continue;
      break_link(end);
    }
  }

  /// The digest of every delivery so far: its time and its bytes.
  [[nodiscard]] crypto::Sha256Digest trace() { return trace_.finish(); }

  base::Instant now;
  /// Sees every output of every node before it is carried out.
  std::function<void(std::size_t index, const Output&)> observer;

 private:
  static constexpr base::Duration kDiskLatency = 1ms;

  using End = std::pair<std::size_t, connection::ConnectionId>;

  template <class T>
  static const T* find(const Output& output) {
    if constexpr (kIsOneOf<T, Output>) {
      return std::get_if<T>(&output);
    } else {
      using Engine =
          std::conditional_t<kIsOneOf<T, swarm::Output>, swarm::Output, registry::Output>;
      const auto* of_engine = std::get_if<Engine>(&output);
      return of_engine == nullptr ? nullptr : std::get_if<T>(of_engine);
    }
  }

  void execute(std::size_t index, Output output) {
    if (const auto* transmit = std::get_if<output::Transmit>(&output)) {
      pump({index, transmit->connection});
    } else if (const auto* close = std::get_if<output::CloseTransport>(&output)) {
      const End end{index, close->connection};
      pump(end);
      break_link(end);
    } else if (auto* of_swarm = std::get_if<swarm::Output>(&output)) {
      if (const auto* dial = std::get_if<swarm::output::Dial>(of_swarm)) connect(index, *dial);
      if (const auto* listen = std::get_if<swarm::output::Listen>(of_swarm)) {
        members_[index]->address = listen->address;
        drive(index, [&](Node& node) {
          node.swarm(now).listening(listen->id, std::vector{listen->address}, now);
        });
      }
      members_[index]->seen.push_back(std::move(output));
    } else if (auto* operation = storage_operation(output)) {
      store(index, std::move(*operation));
    } else {
      members_[index]->seen.push_back(std::move(output));
    }
  }

  static registry::Store* storage_operation(Output& output) {
    auto* of_registry = std::get_if<registry::Output>(&output);
    return of_registry == nullptr ? nullptr : std::get_if<registry::Store>(of_registry);
  }

  void store(std::size_t index, registry::Store operation) {
    const auto shared = std::make_shared<registry::Store>(std::move(operation));
    at(now + kDiskLatency, [this, index, shared] {
      registry::StoreDone done{shared->id, members_[index]->storage.run(std::move(shared->op))};
      drive(index, [&](Node& node) { node.stored(std::move(done), now); });
    });
  }

  void connect(std::size_t index, const swarm::output::Dial& dial) {
    at(now + latency_, [this, index, dial] {
      for (std::size_t target = 0; target < members_.size(); ++target) {
        if (members_[target]->address != dial.address || target == index) continue;
        if (refuse_dials_) break;
        return establish(index, target, dial);
      }
      drive(index, [&](Node& node) {
        node.dialed(dial.attempt, std::unexpected(swarm::DialError::kRefused), now);
      });
    });
  }

  void establish(std::size_t from, std::size_t to, const swarm::output::Dial& dial) {
    const auto local = *multiformats::Multiaddr::parse("/ip4/127.0.0.1/tcp/50000");
    std::optional<connection::ConnectionId> in;
    drive(to, [&](Node& node) {
      if (const auto id = node.accept(dial.address, local, now)) in = *id;
    });
    std::optional<connection::ConnectionId> out;
    drive(from, [&](Node& node) {
      using Dialed = std::expected<swarm::Endpoints, swarm::DialError>;
      const Dialed refused = std::unexpected(swarm::DialError::kRefused);
      const Dialed reached = swarm::Endpoints{local, dial.address};
      out = node.dialed(dial.attempt, in ? reached : refused, now);
    });
    if (!in) return;
    if (!out) {  // given up meanwhile
      drive(to, [&](Node& node) { node.transport_closed(*in, now); });
      return;
    }
    links_[{from, *out}] = {to, *in};
    links_[{to, *in}] = {from, *out};
    pump({from, *out});
    pump({to, *in});
  }

  void pump(End end) {
    const auto link = links_.find(end);
    if (link == links_.end()) return;
    const End to = link->second;
    for (;;) {
      auto bytes = std::make_shared<std::vector<std::uint8_t>>(128 * 1024);
      std::size_t size = 0;
      drive(end.first, [&](Node& node) { size = node.transmit(end.second, *bytes, now); });
      if (size == 0) return;
      bytes->resize(size);
      at(now + latency_, [this, to, bytes] {
        std::array<std::uint8_t, 8> when{};
        base::store_big_endian(when.data(), now.time_since_epoch().count());
        trace_.update(when).update(*bytes);
        drive(to.first, [&](Node& node) { node.receive(to.second, *bytes, now); });
      });
    }
  }

  void break_link(End end) {
    const auto link = links_.find(end);
    if (link == links_.end()) return;
    const End other = link->second;
    links_.erase(end);
    links_.erase(other);
    drive(end.first, [&](Node& node) { node.transport_closed(end.second, now); });
    at(now + latency_, [this, other] {
      drive(other.first, [&](Node& node) { node.receive_end(other.second, true, now); });
      drive(other.first, [&](Node& node) { node.transport_closed(other.second, now); });
    });
  }

  void at(base::Instant when, std::function<void()> event) {
    events_.emplace(std::pair{when, sequence_++}, std::move(event));
  }

  [[nodiscard]] std::optional<base::Instant> next() const {
    std::optional<base::Instant> earliest;
    if (!events_.empty()) earliest = events_.begin()->first.first;
    for (const auto& member : members_) earliest = base::earlier(earliest, member->deadline);
    return earliest;
  }

  bool advance() {
    const auto when = next();
    if (!when) return false;
    now = std::max(now, *when);
    if (!events_.empty() && events_.begin()->first.first <= now) {
      auto event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
      return true;
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i]->deadline && *members_[i]->deadline <= now) drive(i, [](Node&) {});
    }
    return true;
  }

  base::Duration latency_;
  MakeChannels make_channels_;
  std::vector<std::unique_ptr<Member>> members_;
  std::map<End, End> links_;
  std::map<std::pair<base::Instant, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t sequence_ = 0;
  crypto::Sha256 trace_;
  bool refuse_dials_ = false;
};

}  // namespace ggen::p2p::node::test
