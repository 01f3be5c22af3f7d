#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <ggen/p2p/base/overloaded.hpp>
#include <ggen/p2p/registry/key_set.hpp>
#include <ggen/p2p/sim/message_channel.hpp>
#include <ggen/p2p/sim/simulation.hpp>

namespace ggen::p2p::sim {
namespace {

constexpr base::Duration kUsualLatency = std::chrono::milliseconds{20};

}  // namespace

Simulation::Simulation(Config config, std::unique_ptr<LatencyModel> latency)
    : config_(std::move(config)),
      root_(config_.seed),
      network_(config_.network, latency ? std::move(latency) : constant_latency(kUsualLatency),
               *this, root_.child("network")) {}

// Nodes still speak of their connections while they go.
Simulation::~Simulation() = default;

crypto::KeyPair Simulation::key(NodeIndex node, std::string_view purpose) const {
  base::Prng prng = root_.child(std::string{purpose} + " key of " + std::to_string(node));
  std::array<std::uint8_t, 32> seed{};
  prng.fill(seed);
  return crypto::KeyPair::from_seed(seed);
}

crypto::KeyPair Simulation::identity(NodeIndex node, const NodeSpec& spec) const {
  return spec.identity ? crypto::KeyPair::from_seed(*spec.identity) : key(node, "identity");
}

NodeIndex Simulation::add(NodeSpec spec) {
  const auto index = static_cast<NodeIndex>(machines_.size());
  network_.add_machine(spec.link, spec.same_address_as);
  const auto id = multiformats::PeerId::of(identity(index, spec).public_key());
  if (spec.hostility) gang_.add({id, {network_.address(index)}});
  machines_.push_back(std::unique_ptr<Machine>(
      new Machine{std::move(spec), id,
                  Disk{config_.disk, root_.child("disk " + std::to_string(index)), blobs_}}));
  return index;
}

void Simulation::start(NodeIndex index) {
  Machine& machine = *machines_[index];
  GGEN_INVARIANT(!machine.node);
  ++machine.life;
  machine.stopping = false;
  base::Prng prng =
      root_.child("node " + std::to_string(index) + " life " + std::to_string(machine.life));
  machine.crypto = std::make_unique<SimCrypto>(prng.child("entropy"), verifications_);
  auto own_key = identity(index, machine.spec);
  auto channels = config_.fidelity == Fidelity::kWire
                      ? node::make_secure_channels({}, *machine.crypto, own_key)
                      : make_message_channels({}, own_key);
  if (machine.spec.hostility) {
    channels = make_hostile(std::move(channels), *machine.spec.hostility, gang_,
                            {machine.id, {network_.address(index)}}, prng.child("hostile"));
  }
  StreamObserver* const streams = inspector_ != nullptr ? inspector_->started(index) : nullptr;
  if (streams != nullptr) channels = sim::observe(std::move(channels), *streams);
  machine.node = std::make_unique<node::Node>(machine.spec.node, std::move(own_key),
                                              *machine.crypto, std::move(channels),
                                              prng.child("node"), now_, wall_clock(machine));
  trace(index, TraceKind::kStarted);
  network_.restarted(index);
  drive(index, [&](node::Node& n) {
    if (machine.spec.node.kad && machine.spec.node.gossipsub) {
      std::optional<registry::Signer> signer;
      if (machine.spec.publishes) {
        const auto next = registry::KeySet::of({key(index, "next").public_key()});
        signer.emplace(key(index, "publisher"), next->digest());
      }
      n.open_registry(machine.spec.registry, std::move(signer), now_);
    }
    n.swarm(now_).listen(network_.address(index), now_);
  });
}

base::WallTime Simulation::wall_clock(const Machine& machine) const {
  return config_.started + now_.time_since_epoch() + machine.spec.clock_skew + machine.clock_jump;
}

void Simulation::set_clock_jump(NodeIndex index, base::Duration jump) {
  Machine& machine = *machines_[index];
  if (std::exchange(machine.clock_jump, jump) == jump || !machine.node) return;
  drive(index, [&](node::Node& n) { n.set_wall_clock(wall_clock(machine), now_); });
}

void Simulation::stop(NodeIndex index) {
  Machine& machine = *machines_[index];
  if (!machine.node || std::exchange(machine.stopping, true)) return;
  drive(index, [&](node::Node& n) { n.stop(now_); });
  if (machine.node && machine.node->connection_count() == 0) gone(index);
}

void Simulation::crash(NodeIndex index, Network::Crash how) {
  if (!machines_[index]->node) return;
  if (inspector_ != nullptr) inspector_->crashing(index);
  network_.crash(index, how);
  machines_[index]->disk.crash();
  gone(index);
}

void Simulation::gone(NodeIndex index) {
  Machine& machine = *machines_[index];
  network_.stop_listening(index);
  machine.node.reset();
  machine.deadline.reset();
  trace(index, TraceKind::kStopped);
  for (Observer* observer : observers_) observer->stopped(index, now_);
}

void Simulation::join(NodeIndex index, std::span<const NodeIndex> bootstrap) {
  std::vector<multiformats::Multiaddr> addresses;
  for (const NodeIndex other : bootstrap) {
    addresses.push_back(network_.address(other).with_peer_id(id(other)));
  }
  drive(index, [&](node::Node& n) { n.join(std::move(addresses), now_); });
}

// ---- Time ----

void Simulation::at(base::Instant when, std::function<void()> act) {
  schedule(std::max(when, now_), Plan{std::move(act)});
}

// A node's deadline moves often, mostly away. One event that comes too early and looks again is
// cheaper than moving it each time.
void Simulation::schedule_wake(NodeIndex index) {
  Machine& machine = *machines_[index];
  if (!machine.deadline || (machine.wake && *machine.wake <= *machine.deadline)) return;
  machine.wake = machine.deadline;
  schedule(*machine.deadline, Wake{index});
}

void Simulation::wake(NodeIndex index, base::Instant when) {
  Machine& machine = *machines_[index];
  if (machine.wake != when) return;  // an earlier one was scheduled after this one
  machine.wake.reset();
  if (!machine.node || !machine.deadline) return;
  if (*machine.deadline > now_) return schedule_wake(index);
  trace(index, TraceKind::kTimer);
  drive(index, [](node::Node&) {});  // step() handles what is due
}

bool Simulation::advance(base::Instant limit) {
  const auto next = queue_.earliest();
  if (!next || *next > limit) return false;
  auto due = queue_.pop();
  now_ = due->when;
  ++events_;
  std::visit(base::Overloaded{
                 [&](const Wake& event) { wake(event.node, due->when); },
                 [&](const Arrival& event) { network_.arrived(event.end); },
                 [&](const Room& event) { network_.has_room(event.end); },
                 [&](const Call& event) { event(); },
                 [&](const Plan& event) {
                   if (!over_) event.act();
                 },
             },
             due->event);
  return true;
}

bool Simulation::run_until(const std::function<bool()>& done, base::Instant limit) {
  while (!done()) {
    if (!advance(limit)) return false;
  }
  return true;
}

void Simulation::run_for(base::Duration time) {
  const base::Instant end = now_ + time;
  while (advance(end)) {
  }
  now_ = end;
}

// ---- What nodes want ----

// Carrying out an output may drive a node again: its outputs then wait their turn here.
void Simulation::execute_outputs() {
  if (std::exchange(executing_, true)) return;
  while (auto pending = outputs_.pop()) {
    const Machine& machine = *machines_[pending->node];
    if (machine.node && machine.life == pending->life) execute(pending->node, pending->output);
  }
  executing_ = false;
}

void Simulation::execute(NodeIndex index, node::Output& output) {
  if (const auto* transmit = std::get_if<node::output::Transmit>(&output)) {
    return network_.pump(index, transmit->connection);
  }
  if (auto* of_registry = std::get_if<registry::Output>(&output)) {
    if (auto* operation = std::get_if<registry::Store>(of_registry)) {
      return store(index, std::move(*operation));
    }
  }
  for (Observer* observer : observers_) observer->output(index, output, now_);
  if (const auto* close = std::get_if<node::output::CloseTransport>(&output)) {
    network_.close(index, close->connection);
  } else if (const auto* of_swarm = std::get_if<swarm::Output>(&output)) {
    execute(index, *of_swarm);
  } else if (std::holds_alternative<node::output::ConnectionGone>(output)) {
    const Machine& machine = *machines_[index];
    if (machine.stopping && machine.node->connection_count() == 0) gone(index);
  }
}

void Simulation::execute(NodeIndex index, const swarm::Output& output) {
  const auto unresolved = std::unexpected(swarm::ResolveError::kUnsupported);
  std::visit(
      base::Overloaded{
          [&](const swarm::output::Dial& request) { network_.dial(index, request); },
          [&](const swarm::output::Listen& request) {
            network_.listen(index);
            drive(index, [&](node::Node& n) {
              n.swarm(now_).listening(request.id, std::vector{network_.address(index)}, now_);
            });
          },
          [&](const swarm::output::StopListening&) { network_.stop_listening(index); },
          [&](const swarm::output::ResolveHost& request) {
            drive(index,
                  [&](node::Node& n) { n.swarm(now_).resolved(request.id, unresolved, now_); });
          },
          [&](const swarm::output::ResolveText& request) {
            drive(index, [&](node::Node& n) {
              n.swarm(now_).resolved_text(request.id, unresolved, now_);
            });
          },
          [](const auto&) {},
      },
      output);
}

void Simulation::store(NodeIndex index, registry::Store operation) {
  Machine& machine = *machines_[index];
  if (inspector_ != nullptr) inspector_->storing(index, operation);
  const auto kind = static_cast<std::uint8_t>(operation.op.index());
  const Disk::Planned planned = machine.disk.begin(std::move(operation), now_);
  const Call finish = [this, index, kind, life = machine.life, ticket = planned.ticket] {
    Machine& owner = *machines_[index];
    auto done = owner.disk.finish(ticket);
    if (!done || !owner.node || owner.life != life) return;
    trace(index, TraceKind::kStored,
          std::array{kind, static_cast<std::uint8_t>(done->result.has_value())});
    if (inspector_ != nullptr) inspector_->stored(index, *done);
    drive(index, [&](node::Node& n) { n.stored(std::move(*done), now_); });
  };
  schedule(planned.done_at, finish);
}

// ---- The end ----

bool Simulation::wind_down(base::Duration limit) {
  over_ = true;
  network_.calm();
  for (NodeIndex i = 0; i < machines_.size(); ++i) stop(i);
  const base::Instant end = now_ + limit;
  while (!is_at_rest() && now_ < end) run_for(std::chrono::seconds{1});
  return is_at_rest();
}

bool Simulation::is_at_rest() const {
  return network_.links() == 0 && std::ranges::all_of(machines_, [](const auto& machine) {
           return !machine->node && machine->disk.under_way() == 0;
         });
}

void Simulation::discard() {
  queue_ = {};
  for (const auto& machine : machines_) machine->disk.wipe();
  blobs_.sweep();
}

}  // namespace ggen::p2p::sim
