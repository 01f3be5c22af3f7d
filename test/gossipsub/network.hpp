#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/frame.hpp>
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/gossipsub/rpc.hpp>

#include "../support/peers.hpp"

namespace ggen::p2p::test {

/// Routers in one virtual network: plays the node's part for each of them, carries what they write
/// with a delay and in order, and counts it.
class Network {
 public:
  using Index = std::size_t;

  struct Traffic {
    std::size_t messages = 0;
    std::size_t ihave = 0;
    std::size_t iwant = 0;
    std::size_t graft = 0;
    std::size_t prune = 0;
    std::size_t idontwant = 0;
  };

  struct Node {
    Node(std::uint8_t number, const gossipsub::Config& config)
        : key(key_pair(number)),
          id(multiformats::PeerId::of(key.public_key())),
          crypto(number),
          engine(config, crypto, key, 1000, base::Prng{number}) {}

    crypto::KeyPair key;
    multiformats::PeerId id;
    SeededCrypto crypto;
    gossipsub::Engine engine;
    std::optional<base::Instant> deadline;
    std::vector<std::string> protocols{gossipsub::kProtocols.begin(), gossipsub::kProtocols.end()};
    bool stalled = false;  // reads nothing
    std::function<gossipsub::Verdict(const gossipsub::Message&)> judge;
    std::vector<gossipsub::Message> delivered;
    std::vector<gossipsub::SlowPeer> slow;
    std::vector<gossipsub::Misbehaved> misbehaved;
    Traffic received;
    std::size_t most_unanswered = 0;
  };

  explicit Network(std::uint64_t seed, std::size_t size, const gossipsub::Config& config = {})
      : prng_(seed) {
    for (std::size_t i = 0; i < size; ++i) add(config);
  }

  Index add(const gossipsub::Config& config = {}) {
    nodes_.push_back(std::make_unique<Node>(static_cast<std::uint8_t>(nodes_.size() + 1), config));
    index_[nodes_.back()->id] = nodes_.size() - 1;
    return nodes_.size() - 1;
  }

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] Node& operator[](Index node) { return *nodes_[node]; }
  [[nodiscard]] base::Instant now() const { return now_; }

  /// `from` dials `to`, and both learn what the other speaks.
  void connect(Index from, Index to) {
    if (from == to || !links_.insert(std::minmax(from, to)).second) return;
    at(latency, [this, from, to] { introduce(from, to, connection::Direction::kOutbound); });
    at(latency, [this, from, to] { introduce(to, from, connection::Direction::kInbound); });
  }
  /// Every node dials so many others, chosen at random.
  void connect_at_random(std::size_t degree) {
    for (Index node = 0; node < size(); ++node) {
      for (std::size_t i = 0; i < degree; ++i) connect(node, prng_.below(size()));
    }
  }
  void connect_all() {
    for (Index a = 0; a < size(); ++a) {
      for (Index b = a + 1; b < size(); ++b) {
        if (prng_.chance(0.5)) {
          connect(a, b);
        } else {
          connect(b, a);
        }
      }
    }
  }
  void disconnect(Index a, Index b) {
    links_.erase(std::minmax(a, b));
    std::erase_if(streams_, [&](const auto& entry) {
      return std::minmax(entry.second.from, entry.second.to) == std::minmax(a, b);
    });
    call(a, [&](gossipsub::Engine& engine) { engine.peer_gone(nodes_[b]->id, now_); });
    call(b, [&](gossipsub::Engine& engine) { engine.peer_gone(nodes_[a]->id, now_); });
  }

  void subscribe_all(std::string_view topic) {
    for (Index node = 0; node < size(); ++node) subscribe(node, topic);
  }
  void subscribe(Index node, std::string_view topic) {
    call(node, [&](gossipsub::Engine& engine) { engine.subscribe(topic, now_); });
  }
  void unsubscribe(Index node, std::string_view topic) {
    call(node, [&](gossipsub::Engine& engine) { engine.unsubscribe(topic, now_); });
  }
  gossipsub::MessageId publish(Index node, std::string_view topic, std::string_view data) {
    std::expected<gossipsub::MessageId, gossipsub::PublishError> id;
    call(node, [&](gossipsub::Engine& engine) {
      id = engine.publish(topic, base::as_bytes(data), now_);
    });
    REQUIRE(id.has_value());
    return *id;
  }
  template <class Mutate>
  void call(Index node, Mutate&& mutate) {
    Node& at_node = *nodes_[node];
    std::vector<gossipsub::Output> outputs;
    at_node.deadline =
        base::step(at_node.engine, now_, std::forward<Mutate>(mutate),
                   [&](gossipsub::Output output) { outputs.push_back(std::move(output)); });
    for (gossipsub::Output& output : outputs) take(node, output);
  }

  void run_for(base::Duration duration) {
    const base::Instant until = now_ + duration;
    for (;;) {
      std::optional<base::Instant> next;
      if (!actions_.empty()) next = actions_.begin()->first.first;
      for (const auto& node : nodes_) next = base::earlier(next, node->deadline);
      if (!next || *next > until) break;
      now_ = std::max(now_, *next);
      while (!actions_.empty() && actions_.begin()->first.first <= now_) {
        const auto action = std::move(actions_.begin()->second);
        actions_.erase(actions_.begin());
        action();
      }
      for (Index node = 0; node < size(); ++node) {
        if (nodes_[node]->deadline && *nodes_[node]->deadline <= now_) {
          call(node, [](gossipsub::Engine&) {});
        }
      }
    }
    now_ = until;
  }

  /// How often each node was given the message.
  [[nodiscard]] std::size_t deliveries(Index node, const gossipsub::MessageId& id) const {
    std::size_t count = 0;
    for (const auto& message : nodes_[node]->delivered) count += message.id == id ? 1 : 0;
    return count;
  }
  /// Everybody but the publisher has it, once.
  [[nodiscard]] bool reached_all(Index publisher, const gossipsub::MessageId& id) const {
    for (Index node = 0; node < size(); ++node) {
      if (deliveries(node, id) != (node == publisher ? 0U : 1U)) return false;
    }
    return true;
  }
  [[nodiscard]] Traffic traffic() const {
    Traffic total;
    for (const auto& node : nodes_) {
      total.messages += node->received.messages;
      total.ihave += node->received.ihave;
      total.iwant += node->received.iwant;
      total.graft += node->received.graft;
      total.prune += node->received.prune;
      total.idontwant += node->received.idontwant;
    }
    return total;
  }

  base::Duration latency = std::chrono::milliseconds{10};
  base::Duration validation = std::chrono::milliseconds{1};
  /// Says which frames are lost.
  std::function<bool(Index from, Index to, const gossipsub::Rpc& rpc)> lose;

 private:
  struct Stream {
    Index from = 0;
    Index to = 0;
    std::size_t unanswered = 0;
    base::Instant last;  // the latest delivery so far
  };

  void at(base::Duration delay, std::function<void()> action) {
    actions_.emplace(std::pair{now_ + delay, next_action_++}, std::move(action));
  }
  [[nodiscard]] connection::StreamRef ref(Index side, std::uint32_t stream) const {
    return {{static_cast<std::uint32_t>(side), 1}, {stream}};
  }
  void introduce(Index node, Index peer, connection::Direction direction) {
    call(node, [&](gossipsub::Engine& engine) {
      engine.peer_supports(nodes_[peer]->id, nodes_[peer]->protocols, {direction}, now_);
    });
  }
  void tell(Index node, connection::StreamInput in) {
    call(node, [&](gossipsub::Engine& engine) { engine.handle(std::move(in), now_); });
  }

  void take(Index node, gossipsub::Output& output) {
    Node& here = *nodes_[node];
    std::visit(base::Overloaded{
                   [&](connection::StreamOutput& io) {
                     std::visit([&](auto& out) { take_io(node, out); }, io);
                   },
                   [&](gossipsub::Validate& event) {
                     const auto verdict =
                         here.judge ? here.judge(event.message) : gossipsub::Verdict::kAccept;
                     at(validation, [this, node, token = event.token, verdict] {
                       call(node, [&](gossipsub::Engine& e) { e.report(token, verdict, now_); });
                     });
                   },
                   [&](gossipsub::Delivered& event) {
                     here.delivered.push_back(std::move(event.message));
                   },
                   [&](gossipsub::SlowPeer& event) { here.slow.push_back(event); },
                   [&](gossipsub::Misbehaved& event) { here.misbehaved.push_back(event); },
                   [](const auto&) {},
               },
               output);
  }

  void take_io(Index node, const connection::stream_output::Open& open) {
    const Index peer = index_.at(open.peer);
    const connection::OpenToken token = open.token;
    REQUIRE(open.protocols.size() == 1);
    const std::string protocol = open.protocols.front();
    if (!links_.contains(std::minmax(node, peer))) {
      at({}, [this, node, token] {
        tell(node,
             connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected});
      });
      return;
    }
    const std::uint32_t stream = next_stream_++;
    streams_[stream] = {node, peer, 0, now_};
    at({}, [this, node, token, stream] {
      if (!streams_.contains(stream)) return;
      tell(node, connection::stream_input::Opening{token, ref(node, stream)});
    });
    at(latency, [this, node, peer, protocol, stream] {
      if (!streams_.contains(stream)) return;
      const auto& served = nodes_[peer]->protocols;
      REQUIRE(std::ranges::find(served, protocol) != served.end());
      tell(peer, connection::stream_input::Opened{ref(peer, stream), nodes_[node]->id,
                                                  connection::Direction::kInbound, protocol});
    });
  }

  void take_io(Index node, const connection::stream_output::Write& write) {
    const std::uint32_t stream = write.stream.stream.value;
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    REQUIRE(found->second.from == node);
    const Index peer = found->second.to;
    ++found->second.unanswered;
    nodes_[node]->most_unanswered =
        std::max(nodes_[node]->most_unanswered, found->second.unanswered);
    if (nodes_[peer]->stalled) return;
    at({}, [this, node, stream] {
      const auto again = streams_.find(stream);
      if (again == streams_.end()) return;
      --again->second.unanswered;
      tell(node, connection::stream_input::Written{ref(node, stream)});
    });
    carry(node, peer, stream, write.data);
  }

  // A frame arrives in two parts, cut anywhere.
  void carry(Index node, Index peer, std::uint32_t stream, base::Buffer data) {
    base::Buffer copy = data;
    const auto frame = base::FrameDecoder{SIZE_MAX / 2}.take(copy);
    REQUIRE((frame && *frame && copy.empty()));
    const auto rpc = gossipsub::decode_rpc((*frame)->view(), {});
    REQUIRE(rpc.has_value());
    if (lose && lose(node, peer, *rpc)) return;
    Traffic& counts = nodes_[peer]->received;
    counts.messages += rpc->messages.size();
    counts.ihave += rpc->ihave.size();
    counts.iwant += rpc->iwant.size();
    counts.graft += rpc->graft.size();
    counts.prune += rpc->prune.size();
    counts.idontwant += rpc->idontwant.size();
    const auto cut = static_cast<std::size_t>(prng_.below(data.size()));
    for (const base::Buffer& part : {data.slice(0, cut), data.slice(cut, data.size() - cut)}) {
      if (part.empty()) continue;
      at(latency, [this, peer, stream, part] {
        if (!streams_.contains(stream)) return;
        tell(peer, connection::stream_input::Data{ref(peer, stream), part});
      });
    }
  }

  void take_io(Index /*node*/, const connection::stream_output::Finish& /*finish*/) {}
  void take_io(Index /*node*/, const connection::stream_output::Consume& /*consume*/) {}
  void take_io(Index /*node*/, const connection::stream_output::Reset& reset) {
    const std::uint32_t stream = reset.stream.stream.value;
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    const Stream ended = found->second;
    streams_.erase(found);
    for (const Index side : {ended.from, ended.to}) {
      at(latency, [this, side, stream] {
        tell(side, connection::stream_input::Closed{ref(side, stream),
                                                    connection::StreamEnd::kRemoteReset});
      });
    }
  }

  base::Prng prng_;
  base::Instant now_{};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<multiformats::PeerId, Index> index_;
  std::set<std::pair<Index, Index>> links_;
  std::map<std::uint32_t, Stream> streams_;
  std::uint32_t next_stream_ = 1;
  std::map<std::pair<base::Instant, std::uint64_t>, std::function<void()>> actions_;
  std::uint64_t next_action_ = 0;
};

}  // namespace ggen::p2p::test
