#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/slot_map.hpp>
#include <ggen/p2p/base/time.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/sim/latency.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

/// The network between simulated machines: TCP as a node sees it. Bytes arrive whole, in order and
/// late; connections are refused, stall and break. What happens to single packets below that shows
/// as delay only.
namespace ggen::p2p::sim {

class Simulation;

/// Names a node of a simulation: 0, 1, 2, ... in the order in which they were added.
using NodeIndex = std::uint32_t;

struct NetworkConfig {
  /// Each segment takes up to this much longer, evenly spread; the order is kept.
  base::Duration jitter{};
  /// How likely a segment is lost: it and what follows comes one retransmission timeout later.
  double loss = 0;
  /// Bytes under way on a connection in one direction, at most: what TCP's window allows.
  std::size_t window = 4 * 1024 * 1024;
  /// From which a lost segment is sent again, at the least; else twice the round trip.
  base::Duration min_retransmission = std::chrono::milliseconds{200};
};

/// How a machine is connected.
struct LinkSpec {
  std::uint64_t up = 0;    ///< bytes a second; 0: without limit
  std::uint64_t down = 0;  ///< bytes a second; 0: without limit
  /// The first half of its IPv4 address, which says who gave it out; 0: drawn.
  std::uint16_t network = 0;
  /// Others can dial it. Otherwise it stands behind a NAT, and dials to it are never answered.
  bool reachable = true;
};

/// What disturbs the traffic of one machine.
struct LinkFaults {
  double loss = 0;            ///< added to the network's, for what it sends
  base::Duration delay{};     ///< added to each segment that it sends
  bool refuse_dials = false;  ///< as if nobody listened
  bool clogged = false;       ///< nothing that it sends arrives, until all of it does
};

/// What one machine has sent and received over all its connections, in this and earlier lives.
struct Traffic {
  std::uint64_t sent = 0;      ///< bytes
  std::uint64_t received = 0;  ///< bytes
  std::uint64_t dials = 0;     ///< attempts to connect
  std::uint64_t accepted = 0;  ///< connections
};

/// Where a machine stands in a partition: it reaches another when a bit of its `out` is set in the
/// other's `in`. What one machine sends arrives also while the other is not heard, as far as TCP's
/// window allows without acknowledgements; dials need both ways.
struct Groups {
  std::uint32_t out = 1;
  std::uint32_t in = 1;
};
/// By machine; those beyond the end are in the usual groups.
using Partition = std::vector<Groups>;
using PartitionId = std::uint32_t;

/// Carries what the nodes of a Simulation send. Part of it; has no life of its own.
class Network {
 public:
  /// `simulation` owns it. The addresses, delays and losses are drawn from `prng`.
  Network(NetworkConfig config, std::unique_ptr<LatencyModel> latency, Simulation& simulation,
          base::Prng prng);
  ~Network();

  /// A machine for the next NodeIndex, at an address of its own or, given one, at the same address
  /// as that other machine.
  void add_machine(const LinkSpec& link, std::optional<NodeIndex> same_address_as);

  // Whom it asks of, and what may be changed at any time.

  [[nodiscard]] const multiformats::Multiaddr& address(NodeIndex node) const;
  [[nodiscard]] const Place& place(NodeIndex node) const;
  /// It stands behind no NAT.
  [[nodiscard]] bool dialable(NodeIndex node) const { return machines_[node].link.reachable; }
  [[nodiscard]] const Traffic& traffic(NodeIndex node) const;
  /// What a packet takes when nothing is in its way.
  [[nodiscard]] base::Duration latency(NodeIndex from, NodeIndex to) const;
  [[nodiscard]] std::size_t links() const noexcept { return links_.size(); }
  /// Connections that a machine's node has not closed.
  [[nodiscard]] std::size_t open_ends(NodeIndex node) const;
  /// Who is at the other end of a connection that `node` has not closed.
  [[nodiscard]] std::optional<NodeIndex> remote(NodeIndex node, connection::ConnectionId id) const;

  void set_faults(NodeIndex node, const LinkFaults& faults);
  /// From now on machines reach each other only where this partition allows it too.
  PartitionId part(Partition partition);
  /// Connections that can move data again after it resume as TCP does, within a second or so.
  void heal(PartitionId partition);
  [[nodiscard]] bool reaches(NodeIndex from, NodeIndex to) const;
  /// Nothing is disturbed any more, nor held up.
  void calm();

  // What the nodes want done.

  void dial(NodeIndex from, const swarm::output::Dial& request);
  void listen(NodeIndex node) { machines_[node].listening = true; }
  void stop_listening(NodeIndex node) { machines_[node].listening = false; }
  /// The connection has bytes to send.
  void pump(NodeIndex node, connection::ConnectionId id);
  /// Sends what is left and closes.
  void close(NodeIndex node, connection::ConnectionId id);

  enum class Crash : std::uint8_t {
    kProcess,  ///< the system closes its connections: peers see a reset
    kPower,    ///< silence: peers find out when they hear nothing
  };
  void crash(NodeIndex node, Crash how);
  /// A machine that lost its power is back: it resets what it does not know.
  void restarted(NodeIndex node);

  // Events that it scheduled.

  struct LinkTag;
  using LinkId = base::Id<LinkTag>;
  enum class Side : std::uint8_t { kDialer, kListener };
  struct EndRef {
    LinkId link;
    Side side{};
  };
  void arrived(EndRef end);
  void has_room(EndRef end);

 private:
  struct Segment;
  struct End;
  struct Link;
  struct Machine {
    Place place;
    multiformats::Multiaddr address;
    std::uint64_t endpoint = 0;  // address and port in one number
    LinkSpec link;
    LinkFaults faults;
    Traffic traffic;
    base::Instant uplink_free;
    base::Instant downlink_free;
    bool listening = false;
    bool dark = false;  // without power
    std::uint16_t next_port = 0;
    std::vector<EndRef> ends;    // by the index of its ConnectionId
  };

  [[nodiscard]] Link* find(LinkId id);
  [[nodiscard]] static End& end_of(Link& link, Side side);
  [[nodiscard]] const EndRef* end_ref(NodeIndex node, connection::ConnectionId id) const;
  void attach(EndRef ref, connection::ConnectionId id);
  [[nodiscard]] bool connected(const Link& link) const;

  std::uint64_t draw_address(std::uint16_t network);
  [[nodiscard]] multiformats::Multiaddr dialer_address(const Link& link) const;
  void fail(NodeIndex from, const swarm::output::Dial& request, swarm::DialError error);
  void send(EndRef from, Segment segment);
  void schedule_arrival(EndRef to, base::Instant when);
  void accept(EndRef ref);
  void deliver(EndRef ref, Segment segment);
  void remote_ended(EndRef ref, bool clean);
  void reset_unknown(EndRef ref);
  void detach(EndRef ref);
  void reap(LinkId id);
  void resume_all();
  void resume(LinkId id, Link& link);
  [[nodiscard]] base::Duration disturbed(NodeIndex from, base::Duration one_way);

  NetworkConfig config_;
  std::unique_ptr<LatencyModel> latency_;
  Simulation& simulation_;
  base::Prng prng_;
  std::vector<Machine> machines_;
  std::map<PartitionId, Partition> partitions_;
  PartitionId next_partition_ = 0;
  base::HashMap<std::uint64_t, NodeIndex> by_endpoint_;
  base::SlotMap<Link, LinkTag> links_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace ggen::p2p::sim
