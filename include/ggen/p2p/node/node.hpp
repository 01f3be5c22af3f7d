#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <ggen/p2p/base/fifo.hpp>
#include <ggen/p2p/base/hash_map.hpp>
#include <ggen/p2p/base/prng.hpp>
#include <ggen/p2p/base/timer_heap.hpp>
#include <ggen/p2p/connection/channel.hpp>
#include <ggen/p2p/connection/protocol_set.hpp>
#include <ggen/p2p/connection/stream_io.hpp>
#include <ggen/p2p/crypto/crypto.hpp>
#include <ggen/p2p/crypto/keys.hpp>
#include <ggen/p2p/gossipsub/engine.hpp>
#include <ggen/p2p/identify/engine.hpp>
#include <ggen/p2p/kad/engine.hpp>
#include <ggen/p2p/node/absent_peers.hpp>
#include <ggen/p2p/node/channel_factory.hpp>
#include <ggen/p2p/node/member.hpp>
#include <ggen/p2p/perf/engine.hpp>
#include <ggen/p2p/ping/engine.hpp>
#include <ggen/p2p/registry/engine.hpp>
#include <ggen/p2p/reqresp/engine.hpp>
#include <ggen/p2p/swarm/swarm.hpp>

namespace ggen::p2p::node {

/// How a node that has no peer, or few, finds more.
struct Bootstrap {
  /// With fewer peers it dials some that its routing table names: enough for a mesh of
  /// publish/subscribe, and to lose a few.
  std::size_t min_peers = 8;
  /// Between attempts: doubled after each that was in vain.
  base::Duration retry_min = std::chrono::seconds{2};
  base::Duration retry_max = std::chrono::minutes{2};
};

struct Config {
  std::string agent_version = "ggen-p2p/0.1.0";
  std::string protocol_version = "ipfs/0.1.0";
  /// Answer `/perf/1.0.0`: whoever connects may then use up this node's bandwidth.
  bool serve_perf = false;
  /// Streams asked for that wait for their peer to be dialled.
  std::size_t max_waiting_opens = 1024;
  swarm::Config swarm;
  identify::Config identify;
  ping::Config ping;
  perf::Config perf;
  Bootstrap bootstrap;
  AbsentConfig absent;
  /// Without them the node takes no part in the DHT, or in publish/subscribe.
  std::optional<kad::Config> kad{};
  /// For a node that begins as a client of the DHT: it becomes a server once a peer has come in
  /// (where it announces public addresses: from one), so that others do not put into their tables
  /// whom they cannot dial. It stays one.
  bool dht_auto_mode = false;
  std::optional<gossipsub::Config> gossipsub{};
};

namespace output {

/// The connection has bytes to send: pull them with transmit() for as long as the transport takes
/// them. Comes once, until transmit() has left nothing behind.
struct Transmit {
  connection::ConnectionId connection;
};
/// The channel has ended. Send what transmit() still gives, close the transport, then call
/// transport_closed().
struct CloseTransport {
  connection::ConnectionId connection;
};
/// Follows transport_closed(): nothing is left of the connection.
struct ConnectionGone {
  connection::ConnectionId connection;
};
/// write() on a stream of the application took less than it was given before, and would take some
/// now.
struct StreamWritable {
  connection::StreamRef stream;
};
/// What dialed() said of an attempt of the swarm, for logs and spans: a connection that now secures
/// itself, or why there is none.
struct Dialed {
  swarm::AttemptId attempt;
  std::expected<connection::ConnectionId, swarm::DialError> result;
};
/// Why a channel ended, for logs: the swarm's records hold the reason, this the detail.
struct ChannelClosed {
  connection::ConnectionId connection;
  connection::CloseReason reason{};
  std::string_view detail;
};

/// Nobody could be reached at one of join()'s addresses. It is tried again.
struct BootstrapFailed {
  multiformats::Multiaddr address;
  swarm::DialFailure failure;
};

}  // namespace output

/// What a node gives its driver. Of the swarm's outputs all but Close come through; a StreamInput
/// is about a stream of the application. What reqresp, kad and gossipsub report about the
/// marketplace stays within the node.
using Output =
    std::variant<output::Transmit, output::CloseTransport, output::ConnectionGone, output::Dialed,
                 output::BootstrapFailed, swarm::Output, connection::StreamInput,
                 output::StreamWritable, output::ChannelClosed, identify::Identified,
                 identify::IdentifyFailed, identify::Pushed, identify::InboundDropped,
                 ping::PingDone, ping::InboundDropped, perf::PerfDone, perf::InboundDropped,
                 reqresp::Response, reqresp::ResponseBody, reqresp::RequestDone, reqresp::Request,
                 reqresp::BodyWritten, reqresp::ServedLost, reqresp::InboundDropped, kad::QueryHop,
                 kad::ProvidersFound, kad::QueryDone, kad::RoutingUpdated, kad::ValueStored,
                 kad::ReprovideBehind, kad::InboundDropped, gossipsub::Validate,
                 gossipsub::Delivered, gossipsub::PeerSubscribed, gossipsub::PeerUnsubscribed,
                 gossipsub::SlowPeer, gossipsub::Misbehaved, registry::Output>;

/// A whole libp2p node without any I/O: swarm, channels and protocol engines wired into one state
/// machine. The host runs it on sockets and real time, the simulator on a virtual network and
/// virtual time.
///
/// An engine (base::Engine): use it through base::step(). Work that one input causes in several
/// engines is done in poll(), as of the time that came with the last input. Not thread-safe: a node
/// lives on one thread.
class Node {
 public:
  /// `crypto` outlives the node. `wall_now` numbers the signed records of this run above those of
  /// earlier runs.
  Node(Config config, crypto::KeyPair identity, crypto::Crypto& crypto,
       std::unique_ptr<ChannelFactory> channels, base::Prng prng, base::Instant now,
       base::WallTime wall_now);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // The transport.

  /// Answers swarm::output::Dial. Names the connection, or nothing when the attempt was given up:
  /// drop the socket.
  std::optional<connection::ConnectionId> dialed(
      swarm::AttemptId attempt, std::expected<swarm::Endpoints, swarm::DialError> result,
      base::Instant now);
  /// An inbound connection: named, or refused before a byte is read.
  std::expected<connection::ConnectionId, swarm::RefuseReason> accept(
      const multiformats::Multiaddr& local, const multiformats::Multiaddr& remote,
      base::Instant now);
  /// Bytes of the remote, in order. Used as scratch space; dies when the call returns.
  void receive(connection::ConnectionId id, base::MutableBytes bytes, base::Instant now);
  /// The byte stream of the remote has ended, cleanly or not.
  void receive_end(connection::ConnectionId id, bool clean, base::Instant now);
  /// The next bytes for the remote, see connection::Channel::transmit().
  std::size_t transmit(connection::ConnectionId id, base::MutableBytes out, base::Instant now);
  [[nodiscard]] bool wants_transmit(connection::ConnectionId id) const;
  /// The transport is gone: the id is dead.
  void transport_closed(connection::ConnectionId id, base::Instant now);

  // The engines, for their own calls: dial and listen, ping, measure, request. A call counts as an
  // input of the node.

  swarm::Swarm& swarm(base::Instant now) { return entered(swarm_, now); }
  [[nodiscard]] const swarm::Swarm& swarm() const noexcept { return swarm_.look(); }
  ping::Engine& ping(base::Instant now) { return entered(ping_, now); }
  perf::Engine& perf(base::Instant now) { return entered(perf_, now); }
  reqresp::Engine& requests(base::Instant now) { return entered(requests_, now); }
  /// Adds a service to requests() and answers its protocol.
  reqresp::ServiceId serve(reqresp::Service service, base::Instant now);
  /// Only with Config::kad and Config::gossipsub.
  kad::Engine& kad(base::Instant now) { return entered(kad_, now); }
  [[nodiscard]] const kad::Engine* kad() const noexcept { return kad_ ? &kad_.look() : nullptr; }
  gossipsub::Engine& gossipsub(base::Instant now) { return entered(gossipsub_, now); }
  [[nodiscard]] const gossipsub::Engine* gossipsub() const noexcept {
    return gossipsub_ ? &gossipsub_.look() : nullptr;
  }
  /// Changes whether this node answers in the DHT, and tells its peers.
  void set_dht_mode(kad::Mode mode, base::Instant now);

  // The marketplace.

  /// Opens it, once, before the first connection. Needs kad and gossipsub. The driver then carries
  /// out each registry::Store and answers it by stored().
  void open_registry(registry::Config config, std::optional<registry::Signer> signer,
                     base::Instant now);
  registry::Engine& registry(base::Instant now) { return entered(registry_, now); }
  /// Null before it is opened.
  [[nodiscard]] const registry::Engine* registry() const noexcept {
    return registry_ ? &registry_.look() : nullptr;
  }
  void stored(registry::StoreDone done, base::Instant now);

  /// Dials these, all of them, whenever no peer is connected, from now on: best after listening, so
  /// that peers learn at once where this node is. With /p2p, nobody else is accepted there. One
  /// that could not be reached is tried again also while there are other peers (AbsentConfig).
  void join(std::vector<multiformats::Multiaddr> bootstrap, base::Instant now);

  /// Peers of an earlier run, each address with /p2p: with few peers, some of them are dialled too.
  void remember(std::span<const multiformats::Multiaddr> peers, base::Instant now);

  /// The calendar was set: from here on, `now` is `wall_now`. Nothing waits longer or shorter for
  /// it; what this node says of the time follows, and its signed records still count upwards.
  void set_wall_clock(base::WallTime wall_now, base::Instant now);

  // Streams of the application.

  /// Answers `protocol` on inbound streams: they come as StreamInput.
  void handle_protocol(const std::string& protocol, base::Instant now);
  void unhandle_protocol(const std::string& protocol, base::Instant now);
  /// Opens a stream for the first of `protocols` that the peer speaks, dialling it if need be.
  /// Exactly one Opening or OpenFailed with this token follows.
  connection::OpenToken open_stream(const multiformats::PeerId& peer,
                                    std::vector<std::string> protocols, base::Instant now);
  /// As connection::Channel: returns the bytes taken; when fewer than given, StreamWritable
  /// follows.
  std::size_t write(connection::StreamRef stream, base::BytesView bytes, base::Instant now);
  void finish(connection::StreamRef stream, base::Instant now);
  void reset(connection::StreamRef stream, base::Instant now);
  void consume(connection::StreamRef stream, std::size_t size, base::Instant now);

  /// Ends everything in good order. Done when no connection is left.
  void stop(base::Instant now);

  [[nodiscard]] const multiformats::PeerId& id() const noexcept { return swarm_.look().self(); }
  /// What this node last said of itself to others.
  [[nodiscard]] const identify::Info& local_info() const noexcept { return local_; }
  [[nodiscard]] std::size_t connection_count() const noexcept { return connections_.size(); }
  [[nodiscard]] std::size_t stream_count() const noexcept { return streams_.size(); }
  /// Streams asked for that wait for their peer to be dialled.
  [[nodiscard]] std::size_t waiting_opens() const noexcept { return waiting_.size(); }

  // As an engine.

  void handle_timeout(base::Instant now);
  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] std::optional<base::Instant> next_deadline() const;

 private:
  /// Who is behind a stream, and behind a deadline.
  enum class Owner : std::uint8_t {
    kApplication,
    kSwarm,
    kIdentify,
    kPing,
    kPerf,
    kRequests,
    kKad,
    kGossipsub,
    kRegistry,
    kSeek,
    kAbsent,
  };
  static constexpr std::size_t kOwners = static_cast<std::size_t>(Owner::kAbsent) + 1;

  struct Connection {
    std::unique_ptr<connection::Channel> channel;
    std::optional<multiformats::PeerId> peer;  // once secured and admitted
    bool transmit_announced = false;
    bool dirty = false;           // on the list of those to settle
    bool closed = false;          // waits for transport_closed()
    bool timed = false;           // has a deadline
    std::uint32_t exchanges = 0;  // streams that will end: all but those of gossip
  };
  struct BootstrapPeer {
    multiformats::Multiaddr address;
    std::optional<multiformats::PeerId> peer;  // who is expected there, or was last found
  };
  struct Stream {
    Owner owner{};
    base::Fifo<base::Buffer> writes;  // of an engine, what is not yet in the channel's send queue
    bool finish_wanted = false;
  };
  struct WaitingOpen {
    Owner owner{};
    connection::stream_output::Open request;
  };
  template <class Engine>
  Engine& entered(Member<Engine>& engine, base::Instant now) {
    now_ = now;
    return *engine;
  }

  // Connections.
  [[nodiscard]] base::WallTime wall_at_zero() const {
    return wall_started_ - started_.time_since_epoch();
  }
  void add_connection(connection::ConnectionId id, connection::Direction direction);
  void touch(connection::ConnectionId id, Connection& connection);
  void settle(connection::ConnectionId id);
  bool settle_all();
  void on_event(connection::ConnectionId id, connection::ChannelEvent event);
  void on_secured(connection::ConnectionId id, const connection::event::Secured& event);
  void on_closed(connection::ConnectionId id, const connection::event::Closed& event);

  // Streams.
  void stream_added(connection::StreamRef ref, Connection& connection, Owner owner);
  void stream_closed(connection::StreamRef ref);
  bool announce_idle();
  void open(Owner owner, connection::stream_output::Open request);
  void open_on(connection::ConnectionId id, Owner owner,
               const connection::stream_output::Open& request);
  void write(connection::StreamRef ref, base::Buffer data);
  void flush(connection::StreamRef ref);
  void finish(connection::StreamRef ref);
  void on_stream_opened(connection::ConnectionId id, connection::event::StreamOpened event);
  /// Hands an input about a stream to whoever is behind it.
  template <class Input>
  void deliver(Input input) {
    if (const Stream* stream = streams_.find(input.stream)) give(stream->owner, std::move(input));
  }
  void give(Owner owner, connection::StreamInput input);
  void execute(Owner owner, connection::StreamOutput output);

  // Engines (engines.cpp).
  std::optional<base::Instant>& deadline(Owner owner) {
    return deadlines_[static_cast<std::size_t>(owner)];
  }
  template <class Act>
  void on_engine(Owner owner, Act&& act);
  bool run_engines();
  template <class Engine>
  bool run(Owner owner, Member<Engine>& member);
  void on_output(swarm::Output output);
  void on_output(registry::Output output);
  void on_output(identify::Identified event);
  void on_output(identify::Pushed event);
  void on_output(kad::AddressesLearned event);
  void on_output(gossipsub::MeshChanged event);
  void on_output(gossipsub::PeersExchanged event);
  template <class Event>
  void on_output(Event event);
  void learn(connection::ConnectionId id, const multiformats::PeerId& peer,
             const identify::Info& info);
  void peer_gone(const swarm::event::PeerDisconnected& gone);
  void dial_done(const swarm::event::DialDone& done);
  void announce_self();
  void answer(std::string_view protocol, Owner owner);
  void silence(const std::string& protocol);
  void peer_count_changed();
  void seek_peers();
  void seek_peers_after(base::Duration delay);
  [[nodiscard]] std::vector<multiformats::PeerId> unconnected() const;
  void reached(connection::ConnectionId id);
  void dial_bootstrap(const multiformats::Multiaddr& address);
  void bootstrap_done(const multiformats::Multiaddr& address, const swarm::event::DialDone& done);
  void miss(AbsentPeers::Absent absent);
  void peer_back(const multiformats::PeerId& peer);
  void dial_absent();
  [[nodiscard]] static swarm::Purpose purpose(Owner owner) noexcept;

  Config config_;
  crypto::KeyPair identity_;
  crypto::Crypto& crypto_;
  base::Prng prng_;
  base::Instant now_;
  base::Instant started_;
  base::WallTime wall_started_;  // at started_, by what the calendar says now

  connection::ProtocolSet protocols_;
  std::map<std::string, Owner, std::less<>> owners_;  // of each protocol in protocols_
  std::unique_ptr<ChannelFactory> channels_;

  Member<swarm::Swarm> swarm_;
  identify::Info local_;
  std::uint64_t record_sequence_ = 0;  // of the signed record in local_
  Member<identify::Engine> identify_;
  Member<ping::Engine> ping_;
  Member<perf::Engine> perf_;
  Member<reqresp::Engine> requests_{std::in_place};
  Member<kad::Engine> kad_;
  Member<gossipsub::Engine> gossipsub_;
  Member<registry::Engine> registry_;
  std::vector<BootstrapPeer> bootstrap_;
  std::vector<multiformats::PeerId> remembered_;  // of an earlier run
  base::Duration seek_delay_{};                   // before the next attempt to find peers
  base::Prng seek_prng_;
  base::HashMap<swarm::DialId, multiformats::Multiaddr> bootstrap_dials_;
  AbsentPeers absent_;
  bool stopping_ = false;

  base::HashMap<connection::ConnectionId, Connection> connections_;
  std::vector<connection::ConnectionId> dirty_;
  std::vector<connection::ConnectionId> idle_;  // whose last exchange has ended
  base::HashMap<connection::StreamRef, Stream> streams_;
  base::HashMap<swarm::DialId, WaitingOpen> waiting_;
  connection::OpenToken next_token_ = 1;
  base::TimerHeap<connection::ConnectionId> channel_timers_;
  std::array<std::optional<base::Instant>, kOwners> deadlines_;  // of all else, by Owner
  base::Fifo<Output> outputs_;
};

}  // namespace ggen::p2p::node
