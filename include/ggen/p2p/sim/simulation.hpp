#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <ggen/p2p/base/engine.hpp>
#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/node/node.hpp>
#include <ggen/p2p/sim/blob_pool.hpp>
#include <ggen/p2p/sim/crypto.hpp>
#include <ggen/p2p/sim/disk.hpp>
#include <ggen/p2p/sim/event_queue.hpp>
#include <ggen/p2p/sim/hostile.hpp>
#include <ggen/p2p/sim/network.hpp>
#include <ggen/p2p/sim/observed_channel.hpp>
#include <ggen/p2p/sim/trace_digest.hpp>

namespace ggen::p2p::sim {

/// What goes over the network.
enum class Fidelity : std::uint8_t {
  kWire,     ///< every byte: multistream, Noise and yamux
  kMessage,  ///< the frames of streams, in order: for scale
};

struct Config {
  std::uint64_t seed = 1;
  Fidelity fidelity = Fidelity::kWire;
  NetworkConfig network;
  /// Calendar time at the start: what records claim.
  base::WallTime started{std::chrono::seconds{1'700'000'000}};
  /// Of the disks that machines are added with.
  DiskModel disk{std::chrono::milliseconds{1}, std::chrono::milliseconds{1}};
};

struct NodeSpec {
  node::Config node;
  registry::Config registry;
  /// It has a publisher's key.
  bool publishes = false;
  LinkSpec link;
  std::optional<NodeIndex> same_address_as;
  /// How far its clock is off.
  base::Duration clock_skew{};
  /// Who it is; drawn when not given.
  std::optional<IdentitySeed> identity;
  /// It means harm, in this way.
  std::optional<Hostility> hostility;
  /// What must hold of every node is checked of this one: not of one that misbehaves on purpose.
  bool checked = true;
};

/// Sees what nodes say, in the order of events.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void output(NodeIndex node, const node::Output& output, base::Instant now) = 0;
  /// It is down, in good order or not.
  virtual void stopped(NodeIndex node, base::Instant now) = 0;
};

/// Sees all that passes between nodes and what surrounds them, and changes nothing. `now` is the
/// simulation's.
class Inspector : public Observer {
 public:
  /// A life begins. What is returned is told of the streams of the node's connections, and lives
  /// until the node starts again; null when nobody wants to know.
  [[nodiscard]] virtual StreamObserver* started(NodeIndex node) = 0;
  virtual void storing(NodeIndex node, const registry::Store& operation) = 0;
  virtual void stored(NodeIndex node, const registry::StoreDone& done) = 0;
  /// It is about to be gone, connections and all. stopped() follows.
  virtual void crashing(NodeIndex node) = 0;
};

/// The nodes that `host` runs, many of them in one process, on a virtual network and in virtual
/// time. The same seed and the same calls give the same trace.
///
/// Single-threaded; several in one process do not know of each other.
class Simulation {
 public:
  /// `latency` null: 20 ms between any two.
  explicit Simulation(Config config, std::unique_ptr<LatencyModel> latency = nullptr);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Nodes.

  /// A machine with a disk, switched off.
  NodeIndex add(NodeSpec spec);
  [[nodiscard]] std::size_t size() const noexcept { return machines_.size(); }
  /// Starts its node on what its disk holds; it listens, and knows nobody.
  void start(NodeIndex node);
  /// In good order; it is down when its connections have closed.
  void stop(NodeIndex node);
  /// Its disk crashes with it, either way: what was under way is torn or lost.
  void crash(NodeIndex node, Network::Crash how);
  /// Sets its clock: so far off, beside its skew. Its calendar jumps if it is up.
  void set_clock_jump(NodeIndex node, base::Duration jump);

  [[nodiscard]] bool is_up(NodeIndex node) const { return machines_[node]->node != nullptr; }
  /// How often it was started: two equal numbers are one life.
  [[nodiscard]] std::uint32_t life(NodeIndex node) const { return machines_[node]->life; }
  /// It is up, and on its way down.
  [[nodiscard]] bool is_stopping(NodeIndex node) const {
    return is_up(node) && machines_[node]->stopping;
  }
  /// Only while it is up.
  [[nodiscard]] const node::Node& node(NodeIndex node) const { return *machines_[node]->node; }
  /// Also while it is down.
  [[nodiscard]] const multiformats::PeerId& id(NodeIndex node) const { return machines_[node]->id; }
  [[nodiscard]] const NodeSpec& spec(NodeIndex node) const { return machines_[node]->spec; }
  /// When it wants to be called; nothing while it is down.
  [[nodiscard]] std::optional<base::Instant> deadline(NodeIndex node) const {
    return machines_[node]->deadline;
  }
  [[nodiscard]] Disk& disk(NodeIndex node) { return machines_[node]->disk; }
  [[nodiscard]] const Disk& disk(NodeIndex node) const { return machines_[node]->disk; }
  [[nodiscard]] const CryptoAccount& crypto(NodeIndex node) const {
    return machines_[node]->crypto->account();
  }
  /// `node` dials these whenever it has no peer.
  void join(NodeIndex node, std::span<const NodeIndex> bootstrap);

  /// Calls an input of a node that is up: act(node).
  template <class Act>
  void drive(NodeIndex index, Act&& act) {
    Machine& machine = *machines_[index];
    machine.deadline = base::step(
        *machine.node, now_, std::forward<Act>(act),
        [&](node::Output output) { outputs_.push({index, machine.life, std::move(output)}); });
    schedule_wake(index);
    execute_outputs();
  }

  // Time.

  [[nodiscard]] base::Instant now() const noexcept { return now_; }
  /// Unless the run ends before.
  void at(base::Instant when, std::function<void()> act);
  /// Runs until `done()`, asked after each event; false when `limit` came first or nothing is left
  /// to happen.
  bool run_until(const std::function<bool()>& done, base::Instant limit);
  void run_for(base::Duration time);
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

  // The end.

  /// Ends the run: what at() was given happens no more, the network becomes whole, and every node
  /// stops in good order. False when connections or operations of disks are left after `limit`.
  bool wind_down(base::Duration limit);
  /// After wind_down(): throws away what is on the disks and still to happen. What memory is held
  /// then has leaked.
  void discard();

  // What surrounds the nodes.

  [[nodiscard]] Network& network() noexcept { return network_; }
  [[nodiscard]] const Network& network() const noexcept { return network_; }
  [[nodiscard]] base::Prng prng(std::string_view label) const { return root_.child(label); }
  /// `observer` outlives the simulation, or is taken off before.
  void observe(Observer& observer) { observers_.push_back(&observer); }
  void ignore(Observer& observer) { std::erase(observers_, &observer); }
  /// As observe(), and is told more. One at most, before the first node starts.
  void inspect(Inspector& inspector) {
    inspector_ = &inspector;
    observe(inspector);
  }
  /// Of all so far; the simulation then starts a new one.
  [[nodiscard]] crypto::Sha256Digest digest() { return trace_.finish(); }

 private:
  friend class Network;

  struct Machine {
    NodeSpec spec;
    multiformats::PeerId id;
    Disk disk;
    std::unique_ptr<SimCrypto> crypto{};
    std::unique_ptr<node::Node> node{};  // null while it is down
    std::uint32_t life = 0;              // how often it was started
    std::optional<base::Instant> deadline{};
    std::optional<base::Instant> wake{};  // the earliest that is scheduled
    bool stopping = false;
    base::Duration clock_jump{};
  };

  struct Wake {
    NodeIndex node;
  };
  struct Arrival {
    Network::EndRef end;
  };
  struct Room {
    Network::EndRef end;
  };
  using Call = std::function<void()>;
  // A Call of whoever runs the simulation.
  struct Plan {
    Call act;
  };
  using Event = std::variant<Wake, Arrival, Room, Call, Plan>;

  struct Pending {
    NodeIndex node;
    std::uint32_t life;
    node::Output output;
  };

  [[nodiscard]] crypto::KeyPair key(NodeIndex node, std::string_view purpose) const;
  [[nodiscard]] base::WallTime wall_clock(const Machine& machine) const;
  [[nodiscard]] crypto::KeyPair identity(NodeIndex node, const NodeSpec& spec) const;
  void schedule(base::Instant when, Event event) { queue_.push(when, std::move(event)); }
  void schedule_wake(NodeIndex node);
  bool advance(base::Instant limit);
  void wake(NodeIndex node, base::Instant when);
  void execute_outputs();
  void execute(NodeIndex node, node::Output& output);
  void execute(NodeIndex node, const swarm::Output& output);
  void store(NodeIndex node, registry::Store operation);
  void gone(NodeIndex node);
  [[nodiscard]] bool is_at_rest() const;
  void trace(NodeIndex node, TraceKind kind, base::BytesView payload = {}) {
    trace_.add(now_, node, kind, payload);
  }

  Config config_;
  base::Prng root_;
  VerificationCache verifications_;
  BlobPool blobs_;
  Gang gang_;
  base::Instant now_;
  EventQueue<Event> queue_;
  std::uint64_t events_ = 0;
  TraceDigest trace_;
  Network network_;
  std::vector<std::unique_ptr<Machine>> machines_;
  base::Fifo<Pending> outputs_;
  bool executing_ = false;
  std::vector<Observer*> observers_;
  Inspector* inspector_ = nullptr;
  bool over_ = false;  // what was planned happens no more
};

}  // namespace ggen::p2p::sim
