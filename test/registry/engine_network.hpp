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
#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/registry/merkle.hpp>
#include <ggen/p2p/sim/disk.hpp>

#include "../support/peers.hpp"

namespace ggen::p2p::registry {

using namespace std::chrono_literals;

/// The engines of one node, as the node composes them. It takes inputs for all and has one list of
/// outputs, so that base::step drives it.
class Composed {
 public:
  using Output = std::variant<connection::StreamOutput, registry::Output>;

  Composed(const Config& config, std::uint8_t number_of_node, std::optional<Signer> signer)
      : number(number_of_node),
        key(test::key_pair(number)),
        id(multiformats::PeerId::of(key.public_key())),
        crypto(number),
        kad_(kad_config(), id, crypto, kWall),
        gossip_(gossip_config(), crypto, key, 1, base::Prng{number}),
        engine_(config, {kad_, gossip_, requests_, crypto}, std::move(signer), id,
                base::Prng{number}, kWall) {
    kad_.set_addresses({address(number)});
  }

  [[nodiscard]] static multiformats::Multiaddr address(std::uint8_t number) {
    return *multiformats::Multiaddr::parse("/ip4/10." + std::to_string(number) + ".0.1/tcp/4001");
  }

  static constexpr base::WallTime kWall{std::chrono::hours{500'000}};

  std::uint8_t number;
  crypto::KeyPair key;
  multiformats::PeerId id;
  test::SeededCrypto crypto;

  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] reqresp::Engine& requests() { return requests_; }
  [[nodiscard]] gossipsub::Engine& gossip() { return gossip_; }
  [[nodiscard]] kad::Engine& kad() { return kad_; }
  /// A test's own answer to requests, in place of the engine's: true when it took one.
  std::function<bool(reqresp::Request&)> liar;

  [[nodiscard]] static std::vector<std::string> protocols() {
    std::vector<std::string> all(gossipsub::kProtocols.begin(), gossipsub::kProtocols.end());
    for (const auto one : Engine::protocols()) all.emplace_back(one);
    all.push_back(kad::Config{}.protocol);
    return all;
  }

  void meet(const Composed& other, connection::Direction direction, base::Instant now) {
    const multiformats::PeerId& peer = other.id;
    const auto spoken = protocols();
    const std::array addresses{address(other.number)};
    gossip_.peer_supports(peer, spoken, {direction}, now);
    kad_.peer_identified(peer, addresses, addresses[0].ip(), true, now);
    engine_.peer_supports(peer, spoken, now);
    engine_.network_changed(now);
  }
  void part(const multiformats::PeerId& peer, base::Instant now) {
    gossip_.peer_gone(peer, now);
    kad_.peer_gone(peer);
    engine_.peer_gone(peer, now);
  }

  void handle(connection::StreamInput input, const std::string& protocol, base::Instant now) {
    if (protocol.starts_with("/meshsub") || protocol.starts_with("/floodsub")) {
      gossip_.handle(std::move(input), now);
    } else if (protocol == kad::Config{}.protocol) {
      kad_.handle(std::move(input), now);
    } else {
      requests_.handle(std::move(input), now);
    }
  }

  void handle_timeout(base::Instant now) {
    now_ = now;
    gossip_.handle_timeout(now);
    kad_.handle_timeout(now);
    requests_.handle_timeout(now);
    engine_.handle_timeout(now);
  }
  void at(base::Instant now) { now_ = now; }

  std::optional<Output> poll() {
    for (;;) {
      if (auto output = engine_.poll()) return Output{std::move(*output)};
      if (auto output = gossip_.poll()) {
        if (auto* io = std::get_if<connection::StreamOutput>(&*output))
          return Output{std::move(*io)};
        if (auto* validate = std::get_if<gossipsub::Validate>(&*output)) {
          engine_.handle(*validate, now_);
        }
      } else if (auto from_kad = kad_.poll()) {
        if (auto* io = std::get_if<connection::StreamOutput>(&*from_kad)) {
          return Output{std::move(*io)};
        }
        if (auto* found = std::get_if<kad::ProvidersFound>(&*from_kad))
          engine_.handle(*found, now_);
        if (auto* done = std::get_if<kad::QueryDone>(&*from_kad)) engine_.handle(*done, now_);
      } else if (auto from_requests = requests_.poll()) {
        if (auto* io = std::get_if<connection::StreamOutput>(&*from_requests)) {
          return Output{std::move(*io)};
        }
        std::visit([this](auto& event) { offer(event); }, *from_requests);
      } else {
        return std::nullopt;
      }
    }
  }

  [[nodiscard]] std::optional<base::Instant> next_deadline() const {
    return base::earlier(base::earlier(gossip_.next_deadline(), kad_.next_deadline()),
                         base::earlier(requests_.next_deadline(), engine_.next_deadline()));
  }

 private:
  static kad::Config kad_config() {
    kad::Config config;
    config.maintenance.max_queries = 0;
    return config;
  }
  static gossipsub::Config gossip_config() {
    gossipsub::Config config;
    config.topics[std::string(kUpdatesTopic)].message_id = update_message_id;
    return config;
  }

  void offer(reqresp::Request& request) {
    if (!liar || !liar(request)) CHECK(engine_.handle(request, now_));
  }
  void offer(reqresp::Response& event) { CHECK(engine_.handle(event, now_)); }
  void offer(reqresp::ResponseBody& event) { CHECK(engine_.handle(event, now_)); }
  // One that was cancelled a moment ago is nobody's.
  void offer(reqresp::RequestDone& event) { engine_.handle(event, now_); }
  void offer(reqresp::BodyWritten& event) { CHECK(engine_.handle(event, now_)); }
  void offer(reqresp::ServedLost& event) { engine_.handle(event, now_); }
  void offer(reqresp::InboundDropped&) {}
  void offer(connection::StreamOutput&) {}

  base::Instant now_{};
  kad::Engine kad_;
  gossipsub::Engine gossip_;
  reqresp::Engine requests_;
  Engine engine_;
};

/// An archive with its bytes, of two chunks.
struct SmallArchive {
  explicit SmallArchive(std::uint8_t fill) : bytes(Archive::kUsualChunk + 1000, fill) {
    archive = {.packed_size = bytes.size(), .tar_size = 100, .chunk_size = Archive::kUsualChunk};
    const base::BytesView all{bytes};
    hashes = {chunk_hash(all.first(Archive::kUsualChunk)),
              chunk_hash(all.subspan(Archive::kUsualChunk))};
    archive.root = merkle_root(hashes);
  }
  base::Bytes bytes;
  std::vector<crypto::Sha256Digest> hashes;
  Archive archive;
};

/// Such nodes on one network in virtual time: plays the streams, and the disk of each.
class EngineNetwork {
 public:
  using Index = std::size_t;

  struct Member {
    std::uint8_t number = 0;
    Config config;
    bool signs = true;
    std::uint8_t publisher = 0;  // the seed of its signer's key
    sim::Disk disk{{.min_latency = 1ms, .max_latency = 1ms}, base::Prng{1}};
    sim::MemoryStorage& storage = disk.storage();
    std::unique_ptr<Composed> node;
    std::optional<base::Instant> deadline;
    std::vector<Output> events;
    std::uint64_t life = 0;  // counts restarts: what was under way for an earlier one is lost
    bool silent = false;     // hears, and says nothing
  };

  static Config quick() {
    Config config;
    config.own_head_wait = 1s;
    return config;
  }

  Index add(const Config& config = quick(), bool signs = true) {
    auto member = std::make_unique<Member>();
    member->number = static_cast<std::uint8_t>(members_.size() + 1);
    member->publisher = static_cast<std::uint8_t>(100 + member->number);
    member->config = config;
    member->signs = signs;
    members_.push_back(std::move(member));
    boot(members_.size() - 1);
    return members_.size() - 1;
  }
  [[nodiscard]] Member& operator[](Index i) { return *members_[i]; }
  [[nodiscard]] Engine& engine(Index i) { return members_[i]->node->engine(); }
  [[nodiscard]] multiformats::PeerId id(Index i) { return members_[i]->node->id; }
  [[nodiscard]] std::size_t size() const { return members_.size(); }

  template <class Mutate>
  void call(Index i, Mutate&& mutate) {
    Member& member = *members_[i];
    std::vector<Composed::Output> outputs;
    member.node->at(now);
    member.deadline = base::step(
        *member.node, now, [&](Composed& node) { mutate(node.engine()); },
        [&](Composed::Output output) { outputs.push_back(std::move(output)); });
    for (auto& output : outputs) take(i, output);
  }

  void connect(Index a, Index b) {
    if (a == b || !links_.insert(std::minmax(a, b)).second) return;
    meet(a, b, connection::Direction::kOutbound);
    meet(b, a, connection::Direction::kInbound);
  }
  void disconnect(Index a, Index b) {
    if (links_.erase(std::minmax(a, b)) == 0) return;
    for (auto& [id, stream] : streams_) {
      if (std::minmax(stream.nodes[0], stream.nodes[1]) != std::minmax(a, b)) continue;
      end(id, 0, connection::StreamEnd::kConnectionClosed);
      end(id, 1, connection::StreamEnd::kConnectionClosed);
    }
    for (const auto& [who, other] : {std::pair{a, b}, std::pair{b, a}}) {
      drive(who, [&, peer = id(other)](Composed& node) { node.part(peer, now); });
    }
  }
  void isolate(Index i) {
    for (Index other = 0; other < size(); ++other) disconnect(i, other);
  }
  /// The program ends and starts anew on the same disk, without connections.
  void restart(Index i) {
    isolate(i);
    boot(i);
  }
  /// The power fails, and comes back.
  void crash(Index i) {
    isolate(i);
    members_[i]->disk.crash();
    boot(i);
  }

  void run_for(base::Duration duration) {
    const base::Instant until = now + duration;
    for (;;) {
      std::optional<base::Instant> next;
      if (!actions_.empty()) next = actions_.begin()->first.first;
      for (const auto& member : members_) next = base::earlier(next, member->deadline);
      if (!next || *next > until) break;
      now = std::max(now, *next);
      if (!actions_.empty() && actions_.begin()->first.first <= now) {
        const auto action = std::move(actions_.begin()->second);
        actions_.erase(actions_.begin());
        action();
        continue;
      }
      for (Index i = 0; i < size(); ++i) {
        if (members_[i]->deadline && *members_[i]->deadline <= now) call(i, [](Engine&) {});
      }
    }
    now = until;
  }

  template <class Event>
  std::vector<Event> events(Index i) const {
    std::vector<Event> found;
    for (const Output& output : members_[i]->events) {
      if (const auto* event = std::get_if<Event>(&output)) found.push_back(*event);
    }
    return found;
  }
  void clear_events() {
    for (auto& member : members_) member->events.clear();
  }

  /// Puts an archive on a node's disk and publishes it. The answer comes in time.
  OperationId publish(Index i, const std::string& package, const std::string& release) {
    const SmallArchive packed(static_cast<std::uint8_t>(++archives_));
    members_[i]->storage.import(packed.archive, packed.hashes, packed.bytes);
    OperationId operation = 0;
    call(i, [&](Engine& engine) {
      engine.adopt_archive(packed.archive, now);
      operation = engine.publish({.name = Name::parse(package).value(),
                                  .version = Version::parse(release).value(),
                                  .description = "the package " + package},
                                 packed.archive, now);
    });
    return operation;
  }
  std::optional<event::PublishDone> published(Index i, OperationId operation) const {
    for (const auto& done : events<event::PublishDone>(i)) {
      if (done.id == operation) return done;
    }
    return std::nullopt;
  }
  /// Sends an entry to everybody by gossip, from a node that does not look at it.
  void gossip(Index i, const Entry& entry) {
    drive(i, [&](Composed& node) {
      static_cast<void>(node.gossip().publish(kUpdatesTopic, entry.envelope.view(), now));
    });
  }
  /// Publishes, and waits until it is done.
  event::PublishDone publish_now(Index i, const std::string& package, const std::string& release) {
    const OperationId operation = publish(i, package, release);
    run_for(30s);
    const auto done = published(i, operation);
    REQUIRE(done);
    return *done;
  }
  event::SearchDone search(Index i, SearchRequest request, base::Duration timeout) {
    OperationId operation = 0;
    call(i, [&](Engine& engine) { operation = engine.search(request, timeout, now); });
    run_for(timeout + 1s);
    for (const auto& done : events<event::SearchDone>(i)) {
      if (done.id == operation) return done;
    }
    FAIL("the search has no end");
    return {0, {}};
  }
  [[nodiscard]] std::vector<Catalog::PublisherHead> heads(Index i) {
    return engine(i).catalog().heads(std::nullopt, 10'000);
  }

  base::Instant now{};
  base::Duration latency = 5ms;

 private:
  struct Stream {
    std::array<Index, 2> nodes{};  // who opened it, and who was asked
    std::string protocol;
    std::array<bool, 2> finished{};
    std::array<bool, 2> gone{};
  };

  void boot(Index i) {
    Member& member = *members_[i];
    ++member.life;
    std::optional<Signer> signer;
    if (member.signs) {
      const auto next = KeySet::of({test::key_pair(member.publisher + 50).public_key()});
      signer = Signer{test::key_pair(member.publisher), next->digest()};
    }
    member.node = std::make_unique<Composed>(member.config, member.number, std::move(signer));
    index_[member.node->id] = i;
    call(i, [&](Engine& engine) { engine.start(now); });
  }
  template <class Mutate>
  void drive(Index i, Mutate&& mutate) {
    call(i, [&](Engine&) { mutate(*members_[i]->node); });
  }
  void meet(Index a, Index b, connection::Direction direction) {
    at(latency, [this, a, b, direction] {
      if (!links_.contains(std::minmax(a, b))) return;
      drive(a, [&](Composed& node) { node.meet(*members_[b]->node, direction, now); });
    });
  }
  void at(base::Duration delay, std::function<void()> action) {
    actions_.emplace(std::pair{now + delay, next_action_++}, std::move(action));
  }
  void tell(Index i, connection::StreamInput input, const std::string& protocol) {
    drive(i, [&](Composed& node) { node.handle(std::move(input), protocol, now); });
  }

  void take(Index i, Composed::Output& output) {
    if (auto* io = std::get_if<connection::StreamOutput>(&output)) {
      std::visit([&](auto& out) { take_io(i, out); }, *io);
      return;
    }
    auto& event = std::get<Output>(output);
    auto* store = std::get_if<Store>(&event);
    if (store == nullptr) {
      members_[i]->events.push_back(std::move(event));
      return;
    }
    // What a killed program asked for is done too, unless the power failed.
    const auto planned = members_[i]->disk.begin(std::move(*store), now);
    at(planned.done_at - now, [this, i, ticket = planned.ticket, life = members_[i]->life] {
      auto done = members_[i]->disk.finish(ticket);
      if (!done || members_[i]->life != life) return;
      call(i, [&](Engine& engine) { engine.handle(std::move(*done), now); });
    });
  }

  static connection::StreamRef ref(std::uint32_t id, std::size_t side) {
    return {{static_cast<std::uint32_t>(side), 1}, {id}};
  }
  void take_io(Index i, const connection::stream_output::Open& open) {
    const auto target = index_.find(open.peer);
    const std::string protocol = open.protocols.front();
    if (target == index_.end() || !links_.contains(std::minmax(i, target->second))) {
      at(latency, [this, i, token = open.token, protocol, life = members_[i]->life] {
        if (members_[i]->life != life) return;
        tell(i, connection::stream_input::OpenFailed{token, connection::OpenFailure::kNotConnected},
             protocol);
      });
      return;
    }
    const std::uint32_t id = next_stream_++;
    streams_[id] = {{i, target->second}, protocol, {}, {}};
    at({}, [this, id, token = open.token] {
      with(id, 0, [&](Index node, const std::string& name) {
        tell(node, connection::stream_input::Opening{token, ref(id, 0)}, name);
      });
    });
    at(latency, [this, id] { opened(id, 1, connection::Direction::kInbound); });
    at(2 * latency, [this, id] { opened(id, 0, connection::Direction::kOutbound); });
  }
  void opened(std::uint32_t id, std::size_t side, connection::Direction direction) {
    with(id, side, [&](Index node, const std::string& protocol) {
      const Index other = streams_.at(id).nodes[1 - side];
      tell(node,
           connection::stream_input::Opened{ref(id, side), this->id(other), direction, protocol},
           protocol);
    });
  }
  template <class Act>
  void with(std::uint32_t id, std::size_t side, Act&& act) {
    const auto at = streams_.find(id);
    if (at == streams_.end() || at->second.gone[side]) return;
    const Index node = at->second.nodes[side];
    const std::string protocol = at->second.protocol;
    act(node, protocol);
  }
  void take_io(Index i, const connection::stream_output::Write& write) {
    const std::uint32_t id = write.stream.stream.value;
    const std::size_t side = write.stream.connection.index;
    with(id, side, [&](Index, const std::string&) {
      at({}, [this, id, side] {
        with(id, side, [&](Index node, const std::string& protocol) {
          tell(node, connection::stream_input::Written{ref(id, side)}, protocol);
        });
      });
      if (members_[i]->silent) return;
      at(latency, [this, id, side, data = write.data] {
        with(id, 1 - side, [&](Index node, const std::string& protocol) {
          tell(node, connection::stream_input::Data{ref(id, 1 - side), data}, protocol);
        });
      });
    });
  }
  void take_io(Index i, const connection::stream_output::Finish& finish) {
    const std::uint32_t id = finish.stream.stream.value;
    const std::size_t side = finish.stream.connection.index;
    if (members_[i]->silent) return;
    at(latency, [this, id, side] {
      const auto stream = streams_.find(id);
      if (stream == streams_.end()) return;
      stream->second.finished[side] = true;
      with(id, 1 - side, [&](Index node, const std::string& protocol) {
        tell(node, connection::stream_input::Finished{ref(id, 1 - side)}, protocol);
      });
      if (stream->second.finished[0] && stream->second.finished[1]) {
        end(id, 0, connection::StreamEnd::kClosed);
        end(id, 1, connection::StreamEnd::kClosed);
      }
    });
  }
  void take_io(Index, const connection::stream_output::Reset& reset) {
    const std::uint32_t id = reset.stream.stream.value;
    const std::size_t side = reset.stream.connection.index;
    at({}, [this, id, side] { end(id, side, connection::StreamEnd::kLocalReset); });
    at(latency, [this, id, side] { end(id, 1 - side, connection::StreamEnd::kRemoteReset); });
  }
  void take_io(Index, const connection::stream_output::Consume&) {}
  void end(std::uint32_t id, std::size_t side, connection::StreamEnd how) {
    with(id, side, [&](Index node, const std::string& protocol) {
      streams_.at(id).gone[side] = true;
      tell(node, connection::stream_input::Closed{ref(id, side), how}, protocol);
    });
  }

  std::vector<std::unique_ptr<Member>> members_;
  std::map<multiformats::PeerId, Index> index_;
  std::set<std::pair<Index, Index>> links_;
  std::map<std::uint32_t, Stream> streams_;
  std::uint32_t next_stream_ = 1;
  std::map<std::pair<base::Instant, std::uint64_t>, std::function<void()>> actions_;
  std::uint64_t next_action_ = 0;
  unsigned archives_ = 0;
};

}  // namespace ggen::p2p::registry
