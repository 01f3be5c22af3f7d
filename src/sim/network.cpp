#include <algorithm>
#include <array>
#include <utility>

#include <ggen/p2p/base/buffer.hpp>
#include <ggen/p2p/sim/network.hpp>
#include <ggen/p2p/sim/simulation.hpp>

namespace ggen::p2p::sim {
namespace {

constexpr std::uint16_t kListenPort = 4001;
// What one look at a connection sends at most before others have their turn at the uplink.
constexpr std::size_t kSegment = 64 * 1024;

base::Duration time_for(std::size_t bytes, std::uint64_t rate) {
  if (rate == 0) return {};
  return base::Duration{static_cast<std::int64_t>(bytes * 1'000'000'000 / rate)};
}

std::array<std::uint8_t, 4> octets(std::uint64_t endpoint) {
  std::array<std::uint8_t, 4> bytes{};
  base::store_big_endian(bytes.data(), static_cast<std::uint32_t>(endpoint >> 16));
  return bytes;
}

Network::Side other(Network::Side side) {
  return side == Network::Side::kDialer ? Network::Side::kListener : Network::Side::kDialer;
}

}  // namespace

// A piece of a byte stream on its way.
struct Network::Segment {
  enum class Kind : std::uint8_t {
    kConnect,  // the listener learns of the connection
    kData,
    kEnd,    // the sender closed in good order
    kReset,  // it did not
  };
  Kind kind{};
  bool received = false;  // it has passed the receiver's downlink
  base::Instant at{};
  base::Buffer bytes{};
};

struct Network::End {
  NodeIndex node = 0;
  connection::ConnectionId id{};
  bool open = false;               // the node knows the connection
  bool silent = false;             // the machine lost its power with this connection open
  bool waiting = false;            // has bytes to send, and no room
  bool stalled = false;            // what comes is held up by the network
  std::size_t under_way = 0;       // bytes sent that were not acknowledged
  std::size_t unacknowledged = 0;  // of these, bytes that have arrived, with no way back
  base::Instant last_arrival;      // of what was sent to this end
  base::Fifo<Segment> incoming{};
};

struct Network::Link {
  std::array<End, 2> ends;  // by Side
  base::Duration one_way{};
  std::uint16_t port = 0;  // of the dialer's side
};

Network::Network(NetworkConfig config, std::unique_ptr<LatencyModel> latency,
                 Simulation& simulation, base::Prng prng)
    : config_(config),
      latency_(std::move(latency)),
      simulation_(simulation),
      prng_(prng),
      scratch_(kSegment) {}

Network::~Network() = default;

// ---- Machines ----

// A public address that nobody has. The ranges from 20/8 to 99/8 hold no reserved one.
std::uint64_t Network::draw_address(std::uint16_t network) {
  for (;;) {
    const std::uint64_t first = 20 + prng_.below(80);
    const std::uint64_t rest = 1 + prng_.below((1 << 24) - 2);
    std::uint64_t address = (first << 24) | rest;
    if (network != 0) address = (std::uint64_t{network} << 16) | (address & 0xffff);
    const std::uint64_t endpoint = (address << 16) | kListenPort;
    if (!by_endpoint_.contains(endpoint)) return endpoint;
  }
}

void Network::add_machine(const LinkSpec& link, std::optional<NodeIndex> same_address_as) {
  Machine machine;
  machine.link = link;
  if (same_address_as) {
    machine.place = machines_[*same_address_as].place;
    machine.endpoint = machines_[*same_address_as].endpoint;
    while (by_endpoint_.contains(machine.endpoint)) ++machine.endpoint;
  } else {
    machine.place = latency_->place(prng_);
    machine.endpoint = draw_address(link.network);
  }
  machine.address = multiformats::Multiaddr::tcp(octets(machine.endpoint),
                                                 static_cast<std::uint16_t>(machine.endpoint));
  by_endpoint_[machine.endpoint] = static_cast<NodeIndex>(machines_.size());
  machines_.push_back(std::move(machine));
}

const multiformats::Multiaddr& Network::address(NodeIndex node) const {
  return machines_[node].address;
}
const Place& Network::place(NodeIndex node) const {
  return machines_[node].place;
}
const Traffic& Network::traffic(NodeIndex node) const {
  return machines_[node].traffic;
}
base::Duration Network::latency(NodeIndex from, NodeIndex to) const {
  return latency_->one_way(machines_[from].place, machines_[to].place);
}

void Network::set_faults(NodeIndex node, const LinkFaults& faults) {
  machines_[node].faults = faults;
  resume_all();
}

PartitionId Network::part(Partition partition) {
  partitions_.emplace(next_partition_, std::move(partition));
  return next_partition_++;
}

void Network::heal(PartitionId partition) {
  partitions_.erase(partition);
  resume_all();
}

bool Network::reaches(NodeIndex from, NodeIndex to) const {
  if (machines_[from].faults.clogged) return false;
  return std::ranges::all_of(partitions_, [&](const auto& one) {
    const auto groups = [&](NodeIndex node) {
      return node < one.second.size() ? one.second[node] : Groups{};
    };
    return (groups(from).out & groups(to).in) != 0;
  });
}

void Network::calm() {
  partitions_.clear();
  for (Machine& machine : machines_) machine.faults = {};
  resume_all();
}

bool Network::connected(const Link& link) const {
  return reaches(link.ends[0].node, link.ends[1].node) &&
         reaches(link.ends[1].node, link.ends[0].node);
}

// All links, since a machine that crashed no longer names those on which its last words are held up.
void Network::resume_all() {
  links_.for_each([&](LinkId id, Link& link) { resume(id, link); });
}

// What was held up is sent again, after a time that depends on how long TCP has been trying.
void Network::resume(LinkId id, Link& link) {
  for (const Side side : {Side::kDialer, Side::kListener}) {
    End& end = end_of(link, side);
    const bool reached = reaches(end_of(link, other(side)).node, end.node);
    if (!reached || !std::exchange(end.stalled, false)) continue;
    const base::Duration pause{static_cast<std::int64_t>(prng_.below(1'000'000'000))};
    schedule_arrival({id, side}, simulation_.now() + link.one_way + pause);
  }
  if (!connected(link)) return;
  for (const Side side : {Side::kDialer, Side::kListener}) {
    End& end = end_of(link, side);
    end.under_way -= std::exchange(end.unacknowledged, 0);
    if (end.waiting && end.under_way < config_.window) {
      simulation_.schedule(simulation_.now() + link.one_way, Simulation::Room{{id, side}});
    }
  }
}

// ---- Links ----

Network::Link* Network::find(LinkId id) {
  return links_.find(id);
}
Network::End& Network::end_of(Link& link, Side side) {
  return link.ends[static_cast<std::size_t>(side)];
}

const Network::EndRef* Network::end_ref(NodeIndex node, connection::ConnectionId id) const {
  const auto& ends = machines_[node].ends;
  if (id.index >= ends.size()) return nullptr;
  const Link* link = links_.find(ends[id.index].link);
  if (link == nullptr) return nullptr;
  const End& end = link->ends[static_cast<std::size_t>(ends[id.index].side)];
  return end.open && end.id == id ? &ends[id.index] : nullptr;
}

std::size_t Network::open_ends(NodeIndex node) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(machines_[node].ends, [&](const EndRef& ref) {
        const Link* link = links_.find(ref.link);
        if (link == nullptr) return false;
        const End& end = link->ends[static_cast<std::size_t>(ref.side)];
        return end.open && end.node == node;
      }));
}

std::optional<NodeIndex> Network::remote(NodeIndex node, connection::ConnectionId id) const {
  const EndRef* ref = end_ref(node, id);
  if (ref == nullptr) return std::nullopt;
  return links_.find(ref->link)->ends[static_cast<std::size_t>(other(ref->side))].node;
}

void Network::attach(EndRef ref, connection::ConnectionId id) {
  End& end = end_of(*find(ref.link), ref.side);
  end.id = id;
  end.open = true;
  auto& ends = machines_[end.node].ends;
  if (id.index >= ends.size()) ends.resize(id.index + 1);
  ends[id.index] = ref;
}

// The node has closed its side.
void Network::detach(EndRef ref) {
  end_of(*find(ref.link), ref.side).open = false;
  reap(ref.link);
}

// A link that nobody holds goes with the last that was under way.
void Network::reap(LinkId id) {
  Link& link = *find(id);
  for (End& end : link.ends) {
    if (end.open || (!end.silent && !end.incoming.empty())) return;
  }
  links_.erase(id);
}

// ---- Dialling ----

multiformats::Multiaddr Network::dialer_address(const Link& link) const {
  const NodeIndex dialer = link.ends[static_cast<std::size_t>(Side::kDialer)].node;
  return multiformats::Multiaddr::tcp(octets(machines_[dialer].endpoint), link.port);
}

base::Duration Network::disturbed(NodeIndex from, base::Duration one_way) {
  const LinkFaults& faults = machines_[from].faults;
  base::Duration time = one_way + faults.delay;
  if (config_.jitter.count() > 0) {
    time += base::Duration{
        static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(config_.jitter.count())))};
  }
  const double loss = config_.loss + faults.loss;
  base::Duration timeout = std::max(config_.min_retransmission, 2 * one_way);
  // Doubled each time, as TCP does, but not for ever.
  for (int tries = 0; loss > 0 && tries < 6 && prng_.chance(loss); ++tries, timeout *= 2) {
    time += timeout;
  }
  return time;
}

void Network::fail(NodeIndex from, const swarm::output::Dial& request, swarm::DialError error) {
  simulation_.trace(from, TraceKind::kDialed, std::array{static_cast<std::uint8_t>(error)});
  simulation_.drive(from, [&](node::Node& node) {
    node.dialed(request.attempt, std::unexpected(error), simulation_.now());
  });
}

void Network::dial(NodeIndex from, const swarm::output::Dial& request) {
  ++machines_[from].traffic.dials;
  const auto ip = request.address.ip();
  const auto port = request.address.tcp_port();
  std::optional<NodeIndex> to;
  if (ip && ip->is_v4() && port) {
    std::uint64_t endpoint = 0;
    for (const std::uint8_t octet : ip->bytes()) endpoint = (endpoint << 8) | octet;
    if (const auto* found = by_endpoint_.find((endpoint << 16) | *port)) to = *found;
  }
  // Nobody answers at an address that there is not.
  if (!to || !machines_[*to].link.reachable || !reaches(from, *to) || !reaches(*to, from)) return;
  const base::Duration one_way = latency(from, *to);
  const base::Duration round_trip = disturbed(from, one_way) + disturbed(*to, one_way);
  const std::uint32_t life = simulation_.machines_[from]->life;
  const Simulation::Call reach = [this, from, to = *to, life, request, one_way] {
    const auto& dialer = *simulation_.machines_[from];
    if (!dialer.node || dialer.life != life) return;
    const Machine& target = machines_[to];
    if (target.dark || !reaches(from, to) || !reaches(to, from)) return;
    if (!target.listening || target.faults.refuse_dials) {
      return fail(from, request, swarm::DialError::kRefused);
    }
    const LinkId id = links_.emplace();
    Link& link = *find(id);
    link.one_way = one_way;
    end_of(link, Side::kDialer).node = from;
    end_of(link, Side::kListener).node = to;
    const EndRef ref{id, Side::kDialer};
    Machine& machine = machines_[from];
    link.port = machine.next_port = static_cast<std::uint16_t>(machine.next_port | 0xc000);
    ++machine.next_port;
    const auto local = dialer_address(link);
    simulation_.trace(from, TraceKind::kDialed);
    std::optional<connection::ConnectionId> connection;
    // The listener hears of it before anything that is sent over it.
    send(ref, {Segment::Kind::kConnect});
    simulation_.drive(from, [&](node::Node& node) {
      connection =
          node.dialed(request.attempt, swarm::Endpoints{local, request.address}, simulation_.now());
      if (connection) attach(ref, *connection);
    });
    if (!connection) {  // given up meanwhile
      send(ref, {Segment::Kind::kReset});
    }
  };
  simulation_.schedule(simulation_.now() + round_trip, reach);
}

void Network::accept(EndRef ref) {
  Link& link = *find(ref.link);
  const NodeIndex node = end_of(link, ref.side).node;
  std::optional<connection::ConnectionId> connection;
  if (simulation_.is_up(node)) {
    simulation_.trace(node, TraceKind::kAccepted);
    const auto remote = dialer_address(link);
    simulation_.drive(node, [&](node::Node& n) {
      if (const auto id = n.accept(address(node), remote, simulation_.now())) {
        connection = *id;
        attach(ref, *id);
      }
    });
  }
  if (connection) {
    ++machines_[node].traffic.accepted;
  } else {
    send(ref, {Segment::Kind::kReset});
  }
}

// ---- Sending ----

void Network::pump(NodeIndex node, connection::ConnectionId id) {
  for (;;) {
    const EndRef* found = end_ref(node, id);
    if (found == nullptr) return;
    const EndRef ref = *found;
    Link& link = *find(ref.link);
    End& end = end_of(link, ref.side);
    Machine& machine = machines_[node];
    const base::Instant now = simulation_.now();
    // What waits for the uplink is not pulled from the node yet.
    const base::Duration backlog = time_for(kSegment, machine.link.up);
    if (end.under_way >= config_.window) {
      end.waiting = true;
      return;
    }
    if (machine.uplink_free > now + backlog) {
      if (!std::exchange(end.waiting, true)) {
        simulation_.schedule(machine.uplink_free - backlog, Simulation::Room{ref});
      }
      return;
    }
    std::size_t size = 0;
    simulation_.drive(node,
                      [&](node::Node& n) { size = n.transmit(id, scratch_, simulation_.now()); });
    if (size == 0) return;
    machine.traffic.sent += size;
    send(ref, {Segment::Kind::kData, false, {}, base::Buffer::copy_of({scratch_.data(), size})});
  }
}

void Network::send(EndRef from, Segment segment) {
  Link& link = *find(from.link);
  End& end = end_of(link, from.side);
  const EndRef to_ref{from.link, other(from.side)};
  End& to = end_of(link, to_ref.side);
  Machine& machine = machines_[end.node];
  const base::Instant now = simulation_.now();
  machine.uplink_free =
      std::max(machine.uplink_free, now) + time_for(segment.bytes.size(), machine.link.up);
  segment.at = std::max(machine.uplink_free + disturbed(end.node, link.one_way), to.last_arrival);
  to.last_arrival = segment.at;
  end.under_way += segment.bytes.size();
  const base::Instant when = segment.at;
  const bool first = to.incoming.empty();
  to.incoming.push(std::move(segment));
  if (first) schedule_arrival(to_ref, when);
}

void Network::schedule_arrival(EndRef to, base::Instant when) {
  simulation_.schedule(std::max(when, simulation_.now()), Simulation::Arrival{to});
}

void Network::arrived(EndRef ref) {
  Link* link = find(ref.link);
  if (link == nullptr) return;
  End& end = end_of(*link, ref.side);
  if (end.incoming.empty()) return;
  End& sender = end_of(*link, other(ref.side));
  if ((end.silent && machines_[end.node].dark) || !reaches(sender.node, end.node)) {
    end.stalled = true;
    return;
  }
  if (end.silent) return reset_unknown(ref);
  const base::Instant now = simulation_.now();
  Segment& first = end.incoming.front();
  Machine& machine = machines_[end.node];
  if (!std::exchange(first.received, true) && machine.link.down != 0) {
    machine.downlink_free =
        std::max(machine.downlink_free, now) + time_for(first.bytes.size(), machine.link.down);
    if (machine.downlink_free > now) return schedule_arrival(ref, machine.downlink_free);
  }
  Segment segment = *end.incoming.pop();
  if (!end.incoming.empty()) schedule_arrival(ref, end.incoming.front().at);
  const bool acknowledged = reaches(end.node, sender.node);
  if (acknowledged) {
    sender.under_way -= segment.bytes.size();
  } else {
    sender.unacknowledged += segment.bytes.size();
  }
  const bool unblocked = acknowledged && sender.waiting && sender.under_way < config_.window;
  const EndRef sender_ref{ref.link, other(ref.side)};
  deliver(ref, std::move(segment));
  if (unblocked) has_room(sender_ref);
  if (find(ref.link) != nullptr) reap(ref.link);
}

// The machine has started anew since, and knows nothing of this connection.
void Network::reset_unknown(EndRef ref) {
  End& end = end_of(*find(ref.link), ref.side);
  end.silent = false;
  end.incoming.clear();
  send(ref, {Segment::Kind::kReset});
}

void Network::has_room(EndRef ref) {
  Link* link = find(ref.link);
  if (link == nullptr) return;
  End& end = end_of(*link, ref.side);
  if (!std::exchange(end.waiting, false) || !end.open) return;
  pump(end.node, end.id);
}

// ---- Receiving ----

void Network::deliver(EndRef ref, Segment segment) {
  End& end = end_of(*find(ref.link), ref.side);
  switch (segment.kind) {
    case Segment::Kind::kConnect:
      return accept(ref);
    case Segment::Kind::kEnd:
      return remote_ended(ref, true);
    case Segment::Kind::kReset:
      return remote_ended(ref, false);
    case Segment::Kind::kData:
      break;
  }
  if (!end.open) return;
  const NodeIndex node = end.node;
  const connection::ConnectionId id = end.id;
  machines_[node].traffic.received += segment.bytes.size();
  simulation_.trace(node, TraceKind::kBytes, segment.bytes.view());
  simulation_.drive(
      node, [&](node::Node& n) { n.receive(id, segment.bytes.writable(), simulation_.now()); });
}

// As the host does when its socket ends.
void Network::remote_ended(EndRef ref, bool clean) {
  const End& end = end_of(*find(ref.link), ref.side);
  const NodeIndex node = end.node;
  const connection::ConnectionId id = end.id;
  if (!end.open) return;
  simulation_.trace(node, TraceKind::kEnded, std::array{static_cast<std::uint8_t>(clean)});
  detach(ref);
  simulation_.drive(node, [&](node::Node& n) { n.receive_end(id, clean, simulation_.now()); });
  if (!simulation_.is_up(node)) return;
  simulation_.drive(node, [&](node::Node& n) { n.transport_closed(id, simulation_.now()); });
}

// ---- Ending ----

void Network::close(NodeIndex node, connection::ConnectionId id) {
  pump(node, id);
  if (const EndRef* ref = end_ref(node, id)) {
    const EndRef end = *ref;
    send(end, {Segment::Kind::kEnd});
    detach(end);
  }
  simulation_.drive(node, [&](node::Node& n) { n.transport_closed(id, simulation_.now()); });
}

void Network::crash(NodeIndex node, Crash how) {
  Machine& machine = machines_[node];
  machine.dark = how == Crash::kPower;
  for (const EndRef& ref : std::exchange(machine.ends, {})) {
    Link* link = find(ref.link);
    if (link == nullptr) continue;
    End& end = end_of(*link, ref.side);
    if (end.node != node || !end.open) continue;
    if (how == Crash::kPower) {
      end.silent = true;
    } else {
      send(ref, {Segment::Kind::kReset});
    }
    detach(ref);
  }
}

void Network::restarted(NodeIndex node) {
  if (std::exchange(machines_[node].dark, false)) resume_all();
}

}  // namespace ggen::p2p::sim
